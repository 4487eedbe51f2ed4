import { exitCodes } from './failure.ts'
import type { Output } from './output.ts'

/** Ctrl-C and the polite signals, while something runs that can be stopped. */
export interface Interrupts {
  /** Aborted by the first interrupt: ranks agree on a step, write a checkpoint and stop. */
  readonly signal: AbortSignal
  /** Stops listening: from then on signals end the process as usual. Idempotent. */
  close(): void
  [Symbol.dispose](): void
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * The first Ctrl-C (or SIGTERM, SIGHUP) asks for a stop at a step on which all ranks agree and says so in one line; a second one ends the
 * process at once, with exit code 130.
 * @param endNow - ends this process without waiting for native calls
 */
export function watchInterrupts(output: Output, endNow: (exitCode: number) => void, emitter: NodeJS.EventEmitter = process): Interrupts {
  const controller = new AbortController()
  const onSignal = (): void => {
    if (controller.signal.aborted) {
      // The bar hides the cursor, and nobody else gets to show it again.
      if (output.stderr.isTTY === true) output.stderr.write('\x1b[?25h\n')
      endNow(exitCodes.interrupted)
      return
    }
    output.note('stopping at the next common step (Ctrl-C again: at once, without a checkpoint)')
    controller.abort()
  }
  for (const signal of signals) emitter.on(signal, onSignal)
  const close = (): void => {
    for (const signal of signals) emitter.off(signal, onSignal)
  }
  return { signal: controller.signal, close, [Symbol.dispose]: close }
}
