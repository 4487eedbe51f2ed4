import type { ControlBlock } from '../control/control-block.ts'
import type { FaultActions } from '../wrappers/faults.ts'

/**
 * What injected faults do to a thread that may block.
 * @param kill - The rank has its process to itself: a crash is SIGKILL.
 */
export function threadFaults(control: ControlBlock, lane: number, kill: boolean): FaultActions {
  return {
    crash: () => {
      if (kill) process.kill(process.pid, 'SIGKILL')
      process.exit(0)
    },
    hang: () => {
      control.setState(lane, 'hanging')
      // Deaf to cancel on purpose: this is what a rank that never answers looks like.
      for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
    },
    linger: (seconds) => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000 * seconds)
    },
    now: () => performance.now() / 1000,
  }
}
