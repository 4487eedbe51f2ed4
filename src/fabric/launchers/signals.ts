import type { LaunchOptions } from '../launch.ts'
import type { Run } from './run.ts'

/** Passes the caller's signals on to the run; returns what stops listening. */
export function listenToSignals(options: LaunchOptions<unknown>, run: Run<unknown>): () => void {
  const { signal, stopAtOnce } = options
  const stop = (): void => run.stop()
  const abort = (): void => run.fail({ code: 'ABORT', message: 'the run was stopped at once', details: {} })
  if (signal?.aborted === true) stop()
  else signal?.addEventListener('abort', stop)
  if (stopAtOnce?.aborted === true) abort()
  else stopAtOnce?.addEventListener('abort', abort)
  return () => {
    signal?.removeEventListener('abort', stop)
    stopAtOnce?.removeEventListener('abort', abort)
  }
}
