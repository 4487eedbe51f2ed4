/**
 * What driver, control threads and rank threads tell each other. Between processes each message is one frame (frames.ts); between threads it is
 * posted. Payloads of users (jobs, events, results) are v8-serialised bytes: posting a view would copy the whole segment behind it.
 * @packageDocumentation
 */
import type { ErrorJSON } from '../../errors.ts'
import type { Handle } from '../../memory/handle.ts'
import type { SegmentRef } from '../../memory/segment.ts'
import type { TrafficCounters } from '../communicator.ts'
import type { LaneStatus } from '../control/control-block.ts'
import type { FaultSpec, LinkShape } from '../launch.ts'

/** What every process of a run is told. */
export interface RunSpec {
  readonly worldSize: number
  readonly timeoutMs: number
  readonly job: Uint8Array
  readonly shape: LinkShape | undefined
  readonly faults: readonly FaultSpec[] | undefined
}

/** A process's own part of it. */
export interface ProcessSpec {
  readonly transport: 'virtual' | 'threads' | 'mpi' | 'hybrid'
  readonly moduleUrl: string
  /** World ranks of this process, in the order of their lanes. */
  readonly ranks: readonly number[]
  readonly host: string
  readonly ranksOnHost: number
  /** Rank → host index. */
  readonly hostOf: readonly number[]
}

/** What one rank cost. */
export interface RankUsage {
  readonly host: string
  readonly pid: number
  readonly cpuSeconds: number
  readonly peakRssBytes: number
}

/** From a process to the driver. */
export type UpMessage =
  | { readonly type: 'hello'; readonly ranks: readonly number[]; readonly host: string; readonly pid: number; readonly token: string }
  | { readonly type: 'event'; readonly rank: number; readonly bytes: Uint8Array }
  | {
      readonly type: 'done'
      readonly rank: number
      readonly bytes: Uint8Array
      readonly traffic: TrafficCounters
      readonly usage: RankUsage
    }
  | {
      readonly type: 'failed'
      readonly rank: number
      readonly error: ErrorJSON
      readonly traffic?: TrafficCounters
      readonly usage?: RankUsage
    }
  /** What the service thread beside a rank has sent and cost, at its end. `cpuSeconds` only where the rank's do not contain it. */
  | { readonly type: 'served'; readonly rank: number; readonly traffic: TrafficCounters; readonly cpuSeconds: number }
  /** The process has its data and can start its ranks. */
  | { readonly type: 'prepared' }
  /** A rank's thread is gone without having said why. */
  | { readonly type: 'lost'; readonly rank: number; readonly reason: string }
  | { readonly type: 'status'; readonly ranks: readonly RankStatus[] }
  | { readonly type: 'closed'; readonly abandoned: readonly number[] }

/** From the driver to a process. */
export type DownMessage =
  | { readonly type: 'stop' }
  /** A sign of life. */
  | { readonly type: 'alive' }
  | { readonly type: 'fail'; readonly error: ErrorJSON }
  /** All ranks of the world have ended well: finalise and go. */
  | { readonly type: 'finish' }

/** A lane's status with the time that its present wait has lasted. */
export interface RankStatus extends LaneStatus {
  readonly rank: number
  readonly service: boolean
  readonly waitingMs: number
}

/** How a thread of a process reaches the others. */
export type TransportSpec =
  | { readonly kind: 'virtual' }
  | { readonly kind: 'threads' }
  | {
      readonly kind: 'mpi' | 'hybrid'
      /** Communicators by use, as addresses; made by the process's first rank thread. */
      readonly comms: MpiComms
      /** Ranks per process. */
      readonly ranksPerProcess: number
    }

/** MPI communicators of one run. */
export interface MpiComms {
  readonly main: MpiPair
  readonly service: MpiPair | undefined
  /** `lanes[i][j]`: from local rank i to local rank j of another process; `hybrid` only. */
  readonly lanes: readonly (readonly bigint[])[]
  readonly serviceLanes: readonly (readonly bigint[])[]
  readonly mailbox: readonly (readonly bigint[])[]
}

/** A communicator for data and one for headers: the same order on both, independent of each other. */
export interface MpiPair {
  readonly data: bigint
  readonly headers: bigint
}

/** To a thread: run a rank, the service beside it, or all ranks (`virtual`). */
export interface BeginMessage {
  readonly type: 'begin'
  readonly role: 'rank' | 'service' | 'virtual'
  readonly run: RunSpec
  readonly process: ProcessSpec
  /** Index in `process.ranks`. */
  readonly localRank: number
  readonly service: boolean
  readonly info: Uint8Array
  readonly segment: SegmentRef
  readonly segments: Readonly<Record<string, SegmentRef>>
  readonly controlOffset: number
  readonly numLanes: number
  readonly spins: number
  readonly sharedOffset: number
  readonly sharedBytes: number
  /** Start of the first rank's own region; the next ones follow. */
  readonly ownOffset: number
  readonly bytesPerRank: number
  readonly transport: TransportSpec
}

/** From the control thread to a thread. */
export type ToThread = BeginMessage | { readonly type: 'exit' } | JoinMessage | CommsMessage

/** To the first rank thread of an MPI process: start MPI and bring the job to every process. */
export interface JoinMessage {
  readonly type: 'join'
  /** The job, on the process that has it. */
  readonly job?: Uint8Array
  /** The process that has it (default 0). */
  readonly root?: number
}

/** To the first rank thread: make the communicators of a run. */
export interface CommsMessage {
  readonly type: 'comms'
  /** The first so many processes take part; the others only help to make the group. */
  readonly numProcesses: number
  readonly ranksPerProcess: number
  readonly hybrid: boolean
  readonly service: boolean
  /** What all processes must agree on; differences are named by process. */
  readonly identity: string
}

/** From a thread to the control thread. */
export type FromThread =
  | Extract<UpMessage, { type: 'event' | 'done' | 'failed' | 'served' | 'lost' }>
  | { readonly type: 'allocated'; readonly rank: number; readonly label: string; readonly shared: boolean; readonly handle: Handle }
  /** Nothing of the run executes in this thread any more. */
  | { readonly type: 'parked' }
  | { readonly type: 'joined'; readonly world: MpiWorld; readonly job: Uint8Array }
  | { readonly type: 'comms'; readonly comms: MpiComms }
  | { readonly type: 'broken'; readonly error: ErrorJSON }
  | { readonly type: 'exited' }

/** What MPI says about this process. */
export interface MpiWorld {
  readonly process: number
  readonly numProcesses: number
  /** Process → host index. */
  readonly hostOf: readonly number[]
}
