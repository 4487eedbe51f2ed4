import { type ChildProcess, fork } from 'node:child_process'
import { errorFromJSON, type TuttiError } from '../errors.ts'
import { caseVariable, type CaseSpec, type FromCase, type ToCase } from './case-messages.ts'
import type { RunEvent } from './events.ts'

/** How the process of a case ended: with a record in its folder, with an error before there was one, or before it could say anything. */
export type CaseEnd =
  | { readonly type: 'ended' }
  | { readonly type: 'failed'; readonly error: TuttiError }
  | { readonly type: 'died'; readonly pid: number | undefined; readonly how: string }

/** What the process of a case is watched with. */
export interface CaseOptions {
  readonly signal?: AbortSignal | undefined
  onStart(pid: number | undefined): void
  onEvent(event: RunEvent): void
}

/**
 * Runs a case in a process of its own. Resolves when that process is gone, however it ended.
 * @throws what a listener throws, after the run has stopped
 */
export async function runInProcess(spec: CaseSpec, { signal, onStart, onEvent }: CaseOptions): Promise<CaseEnd> {
  const child = startProcess()
  let last: CaseEnd | undefined
  let thrown: { readonly by: unknown } | undefined
  const stop = (): void => tell(child, { type: 'stop' })
  /** A listener that throws ends the comparison, not the process. */
  const listen = (call: () => void): void => {
    if (thrown !== undefined) return
    try {
      call()
    } catch (by) {
      thrown = { by }
      stop()
    }
  }
  child.on('message', (message: FromCase) => {
    if (message.type === 'event') listen(() => onEvent(message.event))
    else if (message.type === 'ended') last = message
    else if (message.type === 'failed') last = { type: 'failed', error: errorFromJSON(message.error) }
    else last = { type: 'died', pid: child.pid, how: message.message }
  })
  const gone = new Promise<CaseEnd>((resolve) => {
    // A process that could not be started has no other event.
    child.on('error', (error) => {
      if (child.pid === undefined) resolve({ type: 'died', pid: undefined, how: error.message })
    })
    child.on('close', (code, killedBy) => resolve(last ?? { type: 'died', pid: child.pid, how: killedBy ?? `exit code ${code}` }))
  })
  tell(child, { type: 'start', spec })
  if (signal?.aborted === true) stop()
  else signal?.addEventListener('abort', stop)
  listen(() => onStart(child.pid))
  try {
    const end = await gone
    if (thrown !== undefined) throw thrown.by
    return end
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

function startProcess(): ChildProcess {
  return fork(new URL('./compare-case.js', import.meta.url), {
    // Without the flags of this process: loaders of a development tool have no business in a run.
    execArgv: [],
    // Losses need not be finite, which JSON cannot say.
    serialization: 'advanced',
    // The command's own standard output is its result (--json): what a run prints is not part of it.
    stdio: ['ignore', 2, 2, 'ipc'],
    env: { ...process.env, [caseVariable]: '1' },
  })
}

/** What no longer arrives needs no answer: the end of the process says it. */
function tell(child: ChildProcess, message: ToCase): void {
  if (child.connected) child.send(message, () => {})
}
