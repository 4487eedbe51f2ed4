/**
 * How a command ends: one line for people, one exit code for scripts.
 *
 *   0    done
 *   1    the run failed (a rank was lost, a native part broke, an internal error)
 *   2    wrong usage or bad input: the line says what, where and how to mend it
 *   130  interrupted, with a resumable checkpoint written
 * @packageDocumentation
 */
import { CommanderError } from 'commander'
import { AbortError, TuttiError } from '../errors.ts'

/** Exit codes of every command. */
export const exitCodes = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const

/** The exit code that belongs to something thrown. */
export function exitCodeOf(thrown: unknown): number {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? exitCodes.done : exitCodes.usage
  if (thrown instanceof AbortError || isAbort(thrown)) return exitCodes.interrupted
  return thrown instanceof TuttiError && thrown.isUsage ? exitCodes.usage : exitCodes.failed
}

/** What went wrong in one line without a stack. `TUTTI_DEBUG=1` adds the stack ({@link debugText}). */
export function failureLine(thrown: unknown): string {
  if (thrown instanceof CommanderError) return oneLine(commanderMessage(thrown))
  if (thrown instanceof TuttiError) return oneLine(thrown.message)
  if (isAbort(thrown)) return 'interrupted'
  const { code, message } = thrown as { code?: unknown; message?: unknown }
  // Errors of the operating system carry their cause and their file in the message; ours to blame are all others.
  if (typeof code === 'string' && /^E[A-Z]+$/.test(code)) return oneLine(String(message))
  return `internal error: ${oneLine(String(message ?? thrown))} (TUTTI_DEBUG=1 shows where)`
}

/** The stack of an error and of its causes, for `TUTTI_DEBUG=1`. */
export function debugText(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  const cause = thrown.cause === undefined ? '' : `\ncaused by: ${debugText(thrown.cause)}`
  const details = thrown instanceof TuttiError ? `\ndetails: ${JSON.stringify(thrown.details)}` : ''
  return `${thrown.stack ?? thrown.message}${details}${cause}`
}

/** The same for `--json`. */
export function failureJson(thrown: unknown): { error: { code: string; message: string; details?: unknown } } {
  if (thrown instanceof TuttiError) return { error: thrown.toJSON() }
  const code = thrown instanceof CommanderError ? 'USAGE' : isAbort(thrown) ? 'ABORT' : 'INTERNAL'
  return { error: { code, message: failureLine(thrown) } }
}

function isAbort(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === 'AbortError'
}

/** Where commander only says that something is missing or unknown, this says who tells what there is. */
const askHelp = new Set(['missingArgument', 'missingMandatoryOptionValue', 'unknownCommand', 'unknownOption', 'excessArguments'])

/** commander: `error: option '--workers <n>' argument 'x' is invalid. expected …, got 'x'` → `option --workers <n>: expected …, got 'x'`. */
function commanderMessage(error: CommanderError): string {
  const isAsked = !error.message.includes('Did you mean') && askHelp.has(error.code.replace('commander.', ''))
  const hint = isAsked ? ' (--help behind the command lists what it takes)' : ''
  return `${error.message}${hint}`
    .replace(/^error: /, '')
    .replace(/ argument '[^']*' is invalid\. (expected )/, ': $1')
    .replace(/ argument ('[^']*') is invalid\. Allowed choices are (.*)\.$/, ': expected one of $2, got $1')
    .replace(/\s*\(Did you mean (one of )?(.*?)\?\)/s, ' — did you mean $2?')
}

function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, '; ')
}
