/**
 * How ranks with fixed numbers talk: MPI's own shape (`start` gives a request, a request is tested or waited for),
 * with blocking forms on top. Buffers are typed arrays on the aliased view of a `Segment` (memory/), so that no transport
 * copies what it can share. In-place where MPI would take MPI_IN_PLACE.
 *
 * Block rule for uneven lengths: an array of n elements over p ranks is cut by `blockRange(n, p, rank)`; the first n mod p
 * ranks hold one element more.
 * @packageDocumentation
 */
import type { NumericArray } from '../memory/dtype.ts'

/** Element-wise reductions that every transport and kernel has. */
export type ReduceOp = 'sum' | 'max' | 'min'

/** `native` is the transport's own; the others are schedules over send and recv (fabric/collectives/) that run everywhere. */
export const allReduceAlgorithms = ['native', 'ring', 'halving-doubling', 'tree', 'hierarchical'] as const
export type AllReduceAlgorithm = (typeof allReduceAlgorithms)[number]

/** One communication; every rank of the group starts the same collectives in the same order. */
export type Operation =
  /** Both sides pass the same element kind and length, or get a {@link ProtocolError}. MPI sees bytes only: another kind of as many bytes passes there. */
  | { readonly kind: 'send'; readonly data: NumericArray; readonly to: number; readonly tag: number }
  | { readonly kind: 'recv'; readonly into: NumericArray; readonly from: number; readonly tag: number }
  | { readonly kind: 'barrier' }
  | { readonly kind: 'broadcast'; readonly data: NumericArray; readonly root: number }
  /** In place on the root; `data` of the other ranks is left unspecified. */
  | { readonly kind: 'reduce'; readonly data: NumericArray; readonly op: ReduceOp; readonly root: number }
  /** In place on every rank. */
  | { readonly kind: 'allReduce'; readonly data: NumericArray; readonly op: ReduceOp; readonly algorithm?: AllReduceAlgorithm }
  /** `data` has n elements and is scratch afterwards; `into` has this rank's block of n. */
  | { readonly kind: 'reduceScatter'; readonly data: NumericArray; readonly into: NumericArray; readonly op: ReduceOp }
  /** `data` is this rank's block of `into`. */
  | { readonly kind: 'allGather'; readonly data: NumericArray; readonly into: NumericArray }
  /** `into` is read on the root only; `data` is this rank's block of it. */
  | { readonly kind: 'gather'; readonly data: NumericArray; readonly into?: NumericArray; readonly root: number }
  /** `data` is read on the root only; `into` is this rank's block of it. */
  | { readonly kind: 'scatter'; readonly data?: NumericArray; readonly into: NumericArray; readonly root: number }
  /** Both have n elements; block r of `data` goes to rank r, block s of `into` comes from rank s. n is a multiple of the size. */
  | { readonly kind: 'allToAll'; readonly data: NumericArray; readonly into: NumericArray }

export type CollectiveKind = Exclude<Operation['kind'], 'send' | 'recv'>

/** How long, and until what, a wait lasts. */
export interface WaitOptions {
  /** Milliseconds until `CollectiveTimeoutError`; the communicator's `timeoutMs` when absent. */
  readonly timeoutMs?: number
  /** Aborted: the wait ends with `AbortError`. Looked at between two looks at the operation, so it must be one that this thread (a `test` of `until`) aborts. */
  readonly signal?: AbortSignal
}

/** A started operation. */
export interface Request {
  /** Advances the operation without blocking; true when it has completed. Throws what the operation failed with. */
  test(): boolean
  /**
   * Blocks the calling thread until the operation has completed. Only rank and service threads may call it.
   * @throws {CollectiveTimeoutError} when a rank did not arrive in time; {@link PeerLostError} when one has ended;
   * {@link ProtocolError} when ranks disagree; {@link AbortError} when the run is stopped.
   */
  wait(options?: WaitOptions): void
  /** What it waits for, for the stall watchdog: `allReduce #12`, `recv from 3 tag 7`. */
  readonly label: string
}

/** A started `split`. */
export interface SplitRequest extends Request {
  /** The group of this rank's colour; only after the request has completed. */
  readonly communicator: Communicator
}

/** How a started operation will be waited for. */
export interface StartOptions {
  /** The caller waits for this request before it starts another on this communicator: transports use their blocking call, which is cheaper. */
  readonly waitsAtOnce?: boolean
  /** Phase under which bytes, messages and waiting are counted (default: the operation's kind). */
  readonly phase?: string
}

/** A group of ranks that exchange arrays. */
export interface Communicator {
  readonly rank: number
  readonly size: number
  /** Which transport, for records and messages: `threads`, `mpi`, … */
  readonly transport: string
  /** Default time-out of every wait, in ms (default 60,000). */
  readonly timeoutMs: number
  /** Rank → host index, so that `hierarchical` knows which ranks share a machine's memory. */
  readonly hostOf: readonly number[]
  start(operation: Operation, options?: StartOptions): Request
  /** `start` and wait: the blocking form for rank and service threads. */
  run(operation: Operation, options?: StartOptions): void
  /**
   * All ranks compare a fingerprint (of their Program); afterwards collectives are not checked one by one any more.
   * @throws {ProtocolError} on every rank, naming those that disagree.
   */
  agree(fingerprint: string): Request
  /** Ranks with the same colour (a whole number from 0) form a new group, ordered by (key, rank). Collective; blocks, so not on `virtual`. */
  split(color: number, key: number): Communicator
  /** The form of `split` that can be yielded: its `communicator` is there once it has completed. */
  startSplit(color: number, key: number): SplitRequest
  /** A second communicator over the same ranks for another stream of collectives (MPI_Comm_dup). Collective; blocks. */
  duplicate(): Communicator
  /** Traffic of this communicator and those made from it. */
  readonly traffic: TrafficCounters
  close(): void
}

/** What went over one link in one phase, counted on the sending side. */
export interface LinkTraffic {
  readonly from: number
  readonly to: number
  readonly phase: string
  bytes: number
  messages: number
}

/** Counters that the counting wrapper fills; a record's `traffic.json` is the sum over the ranks. */
export interface TrafficCounters {
  readonly links: readonly LinkTraffic[]
  /** By phase. */
  readonly phases: Readonly<Record<string, PhaseTraffic>>
}

/** What one phase of a rank's communication came to. */
export interface PhaseTraffic {
  /** Logical rounds: messages one after the other on the critical path. */
  rounds: number
  waitSeconds: number
  operations: number
  /** Which algorithm's formula the bytes of collectives follow. */
  algorithm?: string
}

export { blockRange } from '../data/block-range.ts'
