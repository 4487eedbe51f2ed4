import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const main = join(root, 'dist/cli/main.js')

/** A command of the built package in a process of its own. */
export interface StartedCommand {
  readonly child: ChildProcess
  readonly stdout: () => string
  readonly stderr: () => string
  /** Resolves once the text has been printed on standard error. @throws {Error} when the command ends before. */
  says(text: string | RegExp): Promise<void>
  /** Exit code (null after a signal). */
  readonly ended: Promise<number | null>
}

/** Starts a command from the built package. */
export function startCommand(args: readonly string[], cwd = root): StartedCommand {
  if (!existsSync(main)) throw new Error('dist/ is missing: npm run build')
  const child = spawn(process.execPath, [main, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  // A test that failed or timed out leaves nothing running.
  onTestFinished(() => void child.kill('SIGKILL'))
  let stdout = ''
  let stderr = ''
  const listeners = new Set<() => void>()
  const changed = (): void => {
    for (const listener of listeners) listener()
  }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    changed()
  })
  const ended = once(child, 'close').then(([code]) => {
    changed()
    return code as number | null
  })
  const says = (text: string | RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = typeof text === 'string' ? stderr.includes(text) : text.test(stderr)
        if (!found && child.exitCode === null && child.signalCode === null) return
        listeners.delete(look)
        if (found) resolve()
        else reject(new Error(`ended without saying ${text}: ${stderr}`))
      }
      listeners.add(look)
      look()
    })
  return { child, stdout: () => stdout, stderr: () => stderr, says, ended }
}

/** Runs a command from the built package to its end. */
export async function runCommand(
  args: readonly string[],
  cwd?: string,
): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
  const command = startCommand(args, cwd)
  const exitCode = await command.ended
  return { exitCode, stdout: command.stdout(), stderr: command.stderr() }
}
