import type { Request } from '../communicator.ts'
import type { RankTask } from '../launch.ts'

/**
 * Runs a rank's generator on a thread that may block: requests are waited for, promises awaited. What they fail with is thrown into the
 * generator, so that its `finally` blocks run.
 * @param check - Called after every await: throws when the run was cancelled meanwhile.
 */
export async function driveTask<R>(task: RankTask<R>, check: () => void): Promise<R> {
  let next = task.next(undefined)
  while (next.done !== true) {
    const waited: Request | Promise<unknown> = next.value
    let value: unknown
    try {
      if (isRequest(waited)) waited.wait()
      else {
        value = await waited
        check()
      }
    } catch (error) {
      next = task.throw(error)
      continue
    }
    next = task.next(value)
  }
  return next.value
}

function isRequest(waited: Request | Promise<unknown>): waited is Request {
  return 'wait' in waited
}
