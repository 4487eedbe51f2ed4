/**
 * The contract between whoever wants ranks and the transports that provide them: a *rank module* says what one rank does,
 * `launch` runs it on every rank of a fabric and reports. Processes, threads, heart-beats, stop, lost peers and `_exit` are the
 * fabric's; what is computed is the module's.
 *
 *   driver process                     each process of the fabric
 *   ──────────────                     ─────────────────────────────────────────────
 *   launch() ── job, stop ──────────▶  control thread: module.prepare(job)   (never blocks)
 *            ◀─ events, results ─────    └─ rank thread(s): module.run(rank)  (ORT, kernels, waits)
 *                                           └─ service thread: module.serve(rank), where asked for
 *
 * `threads`: the driver's process is the only process. `virtual`: one thread interleaves all ranks. `mpi`: one process and one
 * rank thread per rank. `hybrid`: one process per host, several rank threads in each.
 * @packageDocumentation
 */
import type { ErrorJSON } from '../errors.ts'
import type { DType, ArrayOf } from '../memory/dtype.ts'
import type { Handle } from '../memory/handle.ts'
import type { Segment, SegmentRef } from '../memory/segment.ts'
import type { Communicator, Request, TrafficCounters } from './communicator.ts'

export const fabricNames = ['virtual', 'threads', 'mpi', 'hybrid'] as const
export type FabricName = (typeof fabricNames)[number]

/**
 * One rank as a generator: it yields what it waits for. A promise is awaited; a request is waited for where threads may block
 * and tested in turn on `virtual`. The value sent back is the promise's (undefined for a request).
 */
export type RankTask<R = void> = Generator<Request | Promise<unknown>, R, unknown>

/** What a rank module exports (`export const rankModule: RankModule<Job, Result>`), in a file that the driver names by URL. */
export interface RankModule<Job = unknown, Result = unknown> {
  /** Once per process, on its control thread, before its ranks start: load data, size the memory. Must not block for long. */
  prepare?(job: Job, process: ProcessInfo): Promise<Prepared>
  /** One rank, on its rank thread (on `virtual`: all in one thread). Its return value reaches the driver (structured clone). */
  run(rank: RankEnvironment<Job>): RankTask<Result>
  /** The service thread beside a rank: returns when told to by the rank. Started only if `Prepared.service` is true. Not on `virtual`. */
  serve?(rank: RankEnvironment<Job>): RankTask<void>
  /**
   * Control thread, after a peer was lost (or did not arrive in time) and its rank threads can no longer run: last chance to save what memory
   * holds. At most ~1 s. Not called after a stop at once, nor when ranks disagree.
   */
  onPeerLost?(job: Job, process: LostProcess, error: ErrorJSON): Promise<void>
}

/** What is left of a process when a peer was lost. `ranks` are those of its ranks that are not in the middle of writing parameters. */
export interface LostProcess extends ProcessInfo {
  /** The prepared segments by their labels, and `model`. */
  readonly segments: Readonly<Record<string, Segment>>
  /** What ranks allocated in the model segment: `<rank>/<label>` and `shared/<label>`. */
  readonly handles: Readonly<Record<string, Handle>>
  /** Committed step by rank, as last told to `RankEnvironment.status`. */
  readonly steps: Readonly<Record<number, number>>
}

/** Where a rank, and the process it lives in, stands. */
export interface ProcessInfo {
  readonly worldSize: number
  /** World ranks whose threads live in this process. */
  readonly ranks: readonly number[]
  readonly host: string
  /** Ranks that share this machine, over all processes: memory checks divide by it. */
  readonly ranksOnHost: number
  /** Reports to the driver (arrives as `onEvent`). */
  emit(event: unknown): void
}

/** What `prepare` decides for the ranks of its process. */
export interface Prepared {
  /** Bytes of the region that all ranks of the process see at the same offsets (`RankEnvironment.shared`). */
  readonly sharedBytes: number
  /** Bytes that each rank may allocate for itself (`RankEnvironment.allocate`). */
  readonly bytesPerRank: number
  /** Further segments (data sets), by label; ranks find them in `RankEnvironment.segments`. */
  readonly segments?: Readonly<Record<string, SegmentRef>>
  /** Plain data for the ranks of this process. */
  readonly info?: unknown
  /** Start a service thread beside each rank thread. */
  readonly service?: boolean
}

/** What one rank (or the service thread beside it) is given. */
export interface RankEnvironment<Job = unknown> {
  readonly rank: number
  readonly worldSize: number
  readonly localRank: number
  readonly host: string
  readonly job: Job
  readonly info: unknown
  /** The group of all ranks; a service thread has a communicator of its own over the same ranks. */
  readonly comm: Communicator
  /** The model segment of this process: [control | shared region | rank 0 | rank 1 | …]. */
  readonly segment: Segment
  readonly segments: Readonly<Record<string, Segment>>
  /** Next piece of this rank's own region. 64-byte aligned, zeroed. @throws {MemoryError} with asked, used and free bytes. */
  allocate<D extends DType>(dtype: D, length: number, label: string): ArrayOf[D]
  /** Next piece of the region that all ranks of the process share; every rank makes the same calls in the same order and gets the same bytes. */
  shared<D extends DType>(dtype: D, length: number, label: string): ArrayOf[D]
  /** Reports to the driver without waiting. Plain data only. */
  emit(event: unknown): void
  /** True once somebody asked for a stop (Ctrl-C, signal): ranks agree on the step by an instruction of the Program. */
  stopRequested(): boolean
  /** Says what this rank is doing, for the stall watchdog and post-mortems: a short text and the committed step. */
  status(text: string, step: number): void
  /** Marks the stretch in which parameters are written: nobody saves or ends the process inside it. */
  committing(on: boolean): void
  /** Seconds on this rank's clock: wall time, or virtual time on `virtual`. */
  now(): number
  /** On `virtual`, adds to this rank's virtual clock (cost of a computation); elsewhere does nothing. */
  advance(seconds: number): void
  /**
   * A request that completes when `test` does: the condition variable of a process. `wait` sleeps until `ring` (or a slice has passed), and ends
   * with the usual errors on time-out, lost peer or cancel.
   */
  until(label: string, test: () => boolean): Request
  /** Wakes every thread of this process that waits in `until`. */
  ring(): void
  /**
   * For what ranks read and write in shared memory and would otherwise send: counts `transfers` as messages of `phase`, and completes when they
   * would have arrived — on `virtual` by its costs, elsewhere at once, or where links are shaped after what one link takes (what others have
   * under way is not in the way).
   */
  transfer(transfers: readonly Transfer[], phase: string): Request
  /**
   * Point-to-point between rank threads and service threads of all processes (a store that is served): one communicator that both threads of a
   * process use at once, so tags must tell the directions apart. Undefined where all ranks share memory (`threads`, `virtual`).
   */
  readonly mailbox: Communicator | undefined
  /** True on `virtual`, where requests must be yielded (a wait would block all ranks) and every yield lets ranks with earlier clocks run. */
  readonly isVirtual: boolean
}

/** A message that shared memory saves. */
export interface Transfer {
  readonly from: number
  readonly to: number
  readonly bytes: number
}

/** Options of {@link Launch}. */
export interface LaunchOptions<Job> {
  readonly fabric: FabricName
  readonly workers: number
  /** `hybrid`: rank threads in each process (default: workers / hosts). */
  readonly threadsPerProcess?: number
  /** Host list as mpirun takes it: `['a:8', 'b:8']`, the numbers counting ranks. */
  readonly hosts?: readonly string[]
  /** Further arguments for mpirun, appended to ours. */
  readonly mpirunArgs?: readonly string[]
  /** File of the rank module, in this package or named by the user who started the command. */
  readonly module: URL
  /** Plain data (structured clone). */
  readonly job: Job
  /** Default time-out of waits, in ms (default 60,000). */
  readonly timeoutMs?: number
  /** Aborted: ranks are asked to stop (`RankEnvironment.stopRequested`). */
  readonly signal?: AbortSignal
  /** Aborted: every wait throws `AbortError` and what does not end is ended (a signal fires only once, so "a second Ctrl-C" is another one). */
  readonly stopAtOnce?: AbortSignal
  readonly onEvent?: (event: unknown, rank: number) => void
  /** A rank has waited for more than half of its time-out: who, for what, for how long, and what the others do. */
  readonly onStall?: (stall: Stall) => void
  /** Link shaping and fault injection, applied by the wrappers. */
  readonly shape?: LinkShape
  readonly faults?: readonly FaultSpec[]
}

/** A long wait, as the watchdog sees it. */
export interface Stall {
  readonly rank: number
  /** `allReduce #12`, `recv from 3 tag 7`. */
  readonly waitingFor: string
  readonly waitingMs: number
  /** World ranks that it waits for, where it knows. */
  readonly missing: readonly number[]
  /** The ranks that do not wait, and their own words on what they do. */
  readonly busy: readonly { readonly rank: number; readonly text: string; readonly step: number }[]
}

/**
 * A slower wire: what a rank sends is held back, by each of its communicators for itself (the ranks', the service threads', the mailbox; groups
 * made by `split` share their parent's limits). What it receives is limited by its senders only; on `virtual`, where a rank has one port each
 * way, by the receiver too.
 */
export interface LinkShape {
  /** Added delay of a message, in ms. */
  readonly latencyMs?: number
  /** Bytes a second that leave a rank. */
  readonly bandwidthBytesPerS?: number
}

/** A fault that is injected on purpose: tests, and `--fault` of the command line. */
export interface FaultSpec {
  readonly rank: number
  /** crash: SIGKILL of the process (mpi) or exit of the thread; throw: an exception; hang: never answers again; slow: every operation takes `factor` times longer. */
  readonly kind: 'crash' | 'throw' | 'hang' | 'slow'
  /** Number of communications of this rank after which it happens; waiting in shared memory (`until`) is one as well. */
  readonly afterOperations: number
  readonly factor?: number
}

/** How a launch ended. It resolves only when every thread and process it started has ended. */
export interface LaunchResult<Result> {
  /** By world rank; undefined for a rank that was lost. */
  readonly results: readonly (Result | undefined)[]
  /** First cause, naming the rank, when the run failed. */
  readonly error?: ErrorJSON
  /** By rank, what each survivor recorded. */
  readonly rankErrors: readonly (ErrorJSON | undefined)[]
  readonly traffic: readonly (TrafficCounters | undefined)[]
  /** Per rank: CPU seconds of its process (of its thread where the system can tell) and peak resident bytes of its process. */
  readonly usage: readonly { readonly host: string; readonly pid: number; readonly cpuSeconds: number; readonly peakRssBytes: number }[]
}

/** The one entry of every fabric. */
export type Launch = <Job, Result>(options: LaunchOptions<Job>) => Promise<LaunchResult<Result>>
