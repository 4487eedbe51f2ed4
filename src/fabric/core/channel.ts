/**
 * What a transport brings to a group of ranks, for one thread: point-to-point, and collectives of its own where it has them. Everything else
 * (validation, schedules, counting, requests) is the same for all transports and lives in {@link GroupCommunicator}.
 * @packageDocumentation
 */
import type { NumericArray } from '../../memory/dtype.ts'
import type { PlannedTraffic } from '../collectives/costs.ts'
import type { CollectiveKind, Operation, Request } from '../communicator.ts'
import type { CollectiveOperation } from './header.ts'
import type { Steps, TaskInfo, Waitable } from './progress.ts'

/** Starts tasks: `Progress` where threads may block, the scheduler of `virtual` elsewhere. */
export interface Engine {
  spawn(steps: Steps, info: TaskInfo): Request & Waitable
}

/** Memory for the schedules, and the kernels that fold into it. */
export interface Workspace {
  /** Largest piece in bytes that a schedule sends at once; the same on every rank of a group. */
  readonly pieceBytes: number
  /** A scratch array of `like`'s element kind: in the segment while there is room, on the heap otherwise (waiting for room could deadlock). */
  take<A extends NumericArray>(like: A, length: number): A
  giveBack(array: NumericArray): void
}

/** A group of ranks as its transport sees it. Ranks are those of the group. */
export interface Channel {
  readonly transport: string
  readonly rank: number
  readonly size: number
  readonly hostOf: readonly number[]
  readonly engine: Engine
  readonly workspace: Workspace
  /** An operation starts: counts it for the watchdog and throws what the run was cancelled with. */
  begin(): void
  /** True where progress of others cannot ring this thread: waiting polls. */
  readonly polled: boolean
  /** Ends when the receiver has the data. `tag` may lie above the user's range. */
  send(data: NumericArray, to: number, tag: number): Steps
  /** Ends when `into` is filled. */
  recv(into: NumericArray, from: number, tag: number): Steps
  /** Rank in the world of a rank of this group, for counters and messages. */
  worldRank(rank: number): number
  /**
   * All ranks compare their header words before the schedule of collective `number` starts.
   * Called once per collective, in order; undefined when they need not (after `agree`).
   */
  check(operation: CollectiveOperation, number: number): Steps | undefined
  /** World ranks that have not come to collective `number`, where the transport can see it. */
  behind?(number: number): readonly number[]
  /** Collectives that the transport does itself. */
  readonly natives: ReadonlySet<CollectiveKind>
  /** The transport's own form of a collective, header check included. Only for `natives`. */
  collective(operation: CollectiveOperation, number: number): { readonly steps: Steps; readonly missing?: () => readonly number[] }
  /** What its own form of a collective sends, where that is not the one schedule over all ranks that the table of costs has. */
  planned?(operation: CollectiveOperation): PlannedTraffic
  /** Does the whole operation inside `start` where that is cheaper than starting it; false when it did nothing. Only with `waitsAtOnce`. */
  runAtOnce?(operation: Operation, number: number): boolean
  /** All ranks compare a text. Afterwards headers are not checked any more. */
  agree(fingerprint: string, number: number): Steps
  split(color: number, key: number, number: number): { readonly steps: Steps; readonly channel: () => Channel }
  close(): void
}
