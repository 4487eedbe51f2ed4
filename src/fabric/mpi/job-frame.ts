import type { RunSpec } from '../launchers/messages.ts'

/** What goes down the standard input to the first process, and by broadcast to all. */
export interface JobFrame {
  readonly run: RunSpec
  readonly transport: 'mpi' | 'hybrid'
  readonly ranksPerProcess: number
  /** Where the driver listens, in the order in which to try. */
  readonly addresses: readonly string[]
  readonly port: number
  /** Proves to the driver that a connection belongs to this run. */
  readonly token: string
  readonly moduleUrl: string
}
