import { serialize } from 'node:v8'
import type { LaunchOptions } from '../launch.ts'
import type { RunSpec } from '../launchers/messages.ts'

/** How ranks find their processes and the driver. */
export interface JobPlace {
  readonly ranksPerProcess: number
  /** Processes that take part; a waiting world may have more. */
  readonly numProcesses: number
  /** Where the driver listens, in the order in which to try. */
  readonly addresses: readonly string[]
  readonly port: number
  /** Proves to the driver that a connection belongs to this run. */
  readonly token: string
}

/** What goes down the standard input to the first process, and by broadcast to all. */
export interface JobFrame extends JobPlace {
  readonly run: RunSpec
  readonly transport: 'mpi' | 'hybrid'
  /** In a waiting world only; processes of `launch` are told on their command line. */
  readonly moduleUrl: string
}

/** What the processes of a run are sent. */
export function jobFrame(options: LaunchOptions<unknown>, place: JobPlace): JobFrame {
  const { workers, timeoutMs = 60_000, shape, faults, fabric, module } = options
  return {
    ...place,
    run: { worldSize: workers, timeoutMs, job: serialize(options.job), shape, faults },
    transport: fabric === 'hybrid' ? 'hybrid' : 'mpi',
    moduleUrl: module.href,
  }
}
