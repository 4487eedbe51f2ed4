/**
 * The control side of one process: prepares, starts its threads, watches them, and ends them without ever blocking.
 *
 *   prepare ─▶ segment ─▶ threads ─▶ … ─▶ finish ─▶ threads leave ─▶ closed
 *                                     └▶ fail ─▶ cancel word ─▶ grace ─▶ what is left is recorded here ─▶ onPeerLost ─▶ closed
 *
 * A thread that is parked or sleeps can be terminated. One that is inside native code cannot (the process would abort): it is abandoned,
 * named in `closed`, and goes with the process.
 * @packageDocumentation
 */
import { availableParallelism } from 'node:os'
import { deserialize, serialize } from 'node:v8'
import { Worker } from 'node:worker_threads'
import { type ErrorJSON, errorToJSON } from '../../errors.ts'
import type { Handle } from '../../memory/handle.ts'
import { Segment } from '../../memory/segment.ts'
import { ControlBlock } from '../control/control-block.ts'
import { controlLayout } from '../control/control-layout.ts'
import type { Prepared, RankModule } from '../launch.ts'
import type {
  BeginMessage,
  DownMessage,
  FromThread,
  MpiComms,
  ProcessSpec,
  RankStatus,
  RunSpec,
  ToThread,
  TransportSpec,
  UpMessage,
} from './messages.ts'
import { loadRankModule, withStep } from './run-rank.ts'

/** How long ranks have to say themselves what happened, in ms. With what saving takes it must end before mpirun kills, 4 s after a death. */
const graceMs = { mpi: 400, threads: 5000 } as const
/** Longest time for `onPeerLost`, and for a rank to leave the stretch in which it writes parameters, in ms. */
const savingMs = 1000
const committingMs = 500
const statusEveryMs = 200
/** Between two statuses; beyond it this process was stopped for a while (Ctrl-Z), which is not waiting. */
const longestPauseMs = 2000
/** Between the result of a thread and its end by itself, in ms. */
const leaveMs = 2000

interface ThreadState {
  readonly worker: Worker
  readonly ranks: readonly number[]
  readonly lane: number
  readonly service: boolean
  parked: boolean
  exited: boolean
  /** Stops listening to it: it stays for another run. */
  letGo: () => void
}

/** What a host is made of beyond the specifications. */
export interface HostOptions {
  readonly run: RunSpec
  readonly process: ProcessSpec
  readonly up: (message: UpMessage) => void
  /** The process's first rank thread, which already talks MPI. */
  readonly leader?: { readonly worker: Worker; makeComms(service: boolean): Promise<MpiComms>; readonly ranksPerProcess: number }
  /** Threads stay for another run (`resident`). */
  readonly keepLeader?: boolean
}

/** Starts a worker thread of the fabric. */
export function startThread(): Worker {
  // Without the flags of this process: loaders of a development tool have no business in a rank.
  return new Worker(new URL('./rank-thread.js', import.meta.url), { execArgv: [] })
}

/** One process's share of a run. */
export class ProcessHost {
  readonly closed: Promise<void>
  readonly #options: HostOptions
  readonly #threads: ThreadState[] = []
  readonly #reported = new Set<number>()
  readonly #handles: Record<string, Handle> = {}
  readonly #waits = new Map<number, { waits: number; since: number }>()
  #module: RankModule | undefined
  #segment: Segment | undefined
  #segments: Record<string, Segment> = {}
  #control: ControlBlock | undefined
  #timer: NodeJS.Timeout | undefined
  #failure: ErrorJSON | undefined
  #statusAt = performance.now()
  #wantsStop = false
  #ending = false
  #resolveClosed: () => void = () => {}
  #changed: () => void = () => {}

  constructor(options: HostOptions) {
    this.#options = options
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
  }

  /** Prepares and starts the threads. What fails is reported as the failure of the process's first rank. */
  async start(): Promise<void> {
    this.#timer = setInterval(() => this.#status(), statusEveryMs)
    try {
      await this.#begin()
    } catch (error) {
      const rank = this.#options.process.ranks[0] as number
      this.#report(rank, withStep(errorToJSON(error, rank), rank, 0))
    }
  }

  command(message: DownMessage): void {
    if (message.type === 'alive') return
    if (message.type === 'stop') {
      this.#wantsStop = true
      this.#control?.requestStop()
    } else if (message.type === 'fail') this.#fail(message.error).catch(() => this.#close([]))
    else this.#finish().catch(() => this.#close([]))
  }

  async #begin(): Promise<void> {
    const { run, process: own, leader } = this.#options
    const { moduleUrl, ranks, host, ranksOnHost } = own
    this.#module = await loadRankModule(moduleUrl)
    const job: unknown = deserialize(run.job)
    const emit = (event: unknown): void => this.#options.up({ type: 'event', rank: ranks[0] as number, bytes: serialize(event) })
    const info = { worldSize: run.worldSize, ranks, host, ranksOnHost, emit }
    const prepared: Prepared = (await this.#module.prepare?.(job, info)) ?? { sharedBytes: 0, bytesPerRank: 0 }
    const service = prepared.service === true && own.transport !== 'virtual'
    this.#options.up({ type: 'prepared' })
    const comms = await leader?.makeComms(service)
    if (this.#failure !== undefined) return

    const numLanes = ranks.length * (service ? 2 : 1)
    const layout = controlLayout(numLanes)
    const sharedBytes = aligned(prepared.sharedBytes)
    const bytesPerRank = aligned(prepared.bytesPerRank)
    const segment = Segment.create(layout.sizeBytes + sharedBytes + ranks.length * bytesPerRank, 'model')
    const controlOffset = segment.allocate('uint8', layout.sizeBytes, 'control').byteOffset
    const sharedOffset = segment.allocate('uint8', sharedBytes, 'shared region').byteOffset
    const ownOffset = segment.allocate('uint8', ranks.length * bytesPerRank, 'regions of ranks').byteOffset
    this.#segment = segment
    this.#control = new ControlBlock(segment, controlOffset, numLanes)
    if (this.#wantsStop) this.#control.requestStop()
    const refs = prepared.segments ?? {}
    this.#segments = Object.fromEntries(Object.entries(refs).map(([label, ref]) => [label, Segment.attach(ref)]))

    const begin = {
      type: 'begin' as const,
      run,
      process: own,
      service,
      info: serialize(prepared.info),
      segment: segment.ref,
      segments: refs,
      controlOffset,
      numLanes,
      sharedOffset,
      sharedBytes,
      ownOffset,
      bytesPerRank,
      spins: spinsFor(ranksOnHost * (service ? 2 : 1)),
      transport: this.#transport(comms),
    }
    if (own.transport === 'virtual') this.#startThread({ ...begin, role: 'virtual', localRank: 0 }, ranks, 0, undefined)
    else {
      for (const [localRank, rank] of ranks.entries()) {
        this.#startThread({ ...begin, role: 'rank', localRank }, [rank], localRank, localRank === 0 ? leader?.worker : undefined)
      }
      for (const [localRank, rank] of ranks.entries()) {
        if (service) this.#startThread({ ...begin, role: 'service', localRank }, [rank], ranks.length + localRank, undefined)
      }
    }
  }

  #transport(comms: MpiComms | undefined): TransportSpec {
    const { transport } = this.#options.process
    if (transport === 'virtual' || transport === 'threads') return { kind: transport }
    return { kind: transport, comms: comms as MpiComms, ranksPerProcess: this.#options.leader?.ranksPerProcess ?? 1 }
  }

  #startThread(begin: BeginMessage, ranks: readonly number[], lane: number, existing: Worker | undefined): void {
    const worker = existing ?? startThread()
    const state: ThreadState = { worker, ranks, lane, service: begin.role === 'service', parked: false, exited: false, letGo: () => {} }
    this.#threads.push(state)
    const onMessage = (message: FromThread): void => this.#receive(state, message)
    const onError = (error: Error): void => this.#threadFailed(state, error)
    const onExit = (code: number): void => this.#threadExited(state, `its thread ended with code ${code}`)
    worker.on('message', onMessage).on('error', onError).on('exit', onExit)
    state.letGo = () => worker.off('message', onMessage).off('error', onError).off('exit', onExit)
    worker.postMessage(begin satisfies ToThread)
  }

  #receive(thread: ThreadState, message: FromThread): void {
    switch (message.type) {
      case 'event':
      case 'served':
      case 'lost':
        this.#options.up(message)
        return
      case 'done':
        this.#reported.add(message.rank)
        this.#options.up(message)
        return
      case 'failed':
        this.#report(message.rank, message.error, message)
        return
      case 'allocated':
        this.#handles[message.shared ? `shared/${message.label}` : `${message.rank}/${message.label}`] = message.handle
        return
      case 'parked':
        thread.parked = true
        this.#changed()
        return
      case 'broken':
        this.#report(thread.ranks[0] as number, message.error)
        return
      default:
        return
    }
  }

  #report(rank: number, error: ErrorJSON, usage: Partial<Extract<UpMessage, { type: 'failed' }>> = {}): void {
    this.#reported.add(rank)
    this.#options.up({ ...usage, type: 'failed', rank, error })
    this.#changed()
  }

  #threadFailed(thread: ThreadState, error: Error): void {
    thread.parked = true
    const rank = thread.ranks[0] as number
    this.#report(rank, withStep(errorToJSON(error, rank), rank, this.#control?.stepOf(thread.lane) ?? 0))
  }

  #threadExited(thread: ThreadState, reason: string): void {
    thread.exited = true
    thread.parked = true
    this.#changed()
    if (this.#ending) return
    for (const rank of thread.ranks) if (!this.#reported.has(rank)) this.#options.up({ type: 'lost', rank, reason })
  }

  /** The state of all threads, with how long each wait has lasted. */
  #status(): void {
    const control = this.#control
    if (control === undefined) {
      // Still preparing: only a sign of life.
      this.#options.up({ type: 'status', ranks: [] })
      return
    }
    const { ranks } = this.#options.process
    const now = performance.now()
    const paused = now - this.#statusAt > longestPauseMs ? now - this.#statusAt : 0
    this.#statusAt = now
    const statuses = Array.from({ length: control.numLanes }, (_, lane): RankStatus => {
      const status = control.status(lane)
      const known = this.#waits.get(lane)
      const since = known !== undefined && known.waits === status.waits ? known.since + paused : now
      this.#waits.set(lane, { waits: status.waits, since })
      const waitingMs = status.state === 'waiting' ? now - since : 0
      return { ...status, rank: ranks[lane % ranks.length] as number, service: lane >= ranks.length, waitingMs }
    })
    this.#options.up({ type: 'status', ranks: statuses })
  }

  async #finish(): Promise<void> {
    if (this.#ending) return
    this.#ending = true
    await this.#until(() => this.#threads.every((thread) => thread.parked), leaveMs)
    const abandoned = await this.#endThreads()
    this.#close(abandoned)
  }

  async #fail(error: ErrorJSON): Promise<void> {
    if (this.#failure !== undefined) return
    this.#failure = error
    this.#ending = true
    this.#control?.cancel(error)
    const isMpi = this.#options.leader !== undefined
    const hanging = (thread: ThreadState) => this.#control?.status(thread.lane).state === 'hanging'
    await this.#until(() => this.#threads.every((thread) => thread.parked || hanging(thread)), isMpi ? graceMs.mpi : graceMs.threads)
    for (const [localRank, rank] of this.#options.process.ranks.entries()) {
      const step = this.#control?.stepOf(localRank) ?? 0
      const gone = this.#threads[localRank]?.exited === true && this.#options.process.transport !== 'virtual'
      if (!this.#reported.has(rank) && !gone) this.#report(rank, withStep(error, rank, step))
    }
    await this.#save(error)
    this.#close(isMpi ? [] : await this.#endThreads())
  }

  /** Gives the module its chance to save, unless nothing can be saved or nobody lost anything. */
  async #save(error: ErrorJSON): Promise<void> {
    const control = this.#control
    const segment = this.#segment
    if (this.#module?.onPeerLost === undefined || control === undefined || segment === undefined) return
    if (error.code !== 'PEER_LOST' && error.code !== 'COLLECTIVE_TIMEOUT') return
    const { run, process: own } = this.#options
    const lanes = own.ranks.map((_, index) => index)
    await this.#until(() => lanes.every((lane) => !control.status(lane).committing), committingMs)
    const whole = lanes.filter((lane) => !control.status(lane).committing)
    const ranks = whole.map((lane) => own.ranks[lane] as number)
    if (ranks.length === 0) return
    const emit = (event: unknown): void => this.#options.up({ type: 'event', rank: ranks[0] as number, bytes: serialize(event) })
    const steps = Object.fromEntries(whole.map((lane) => [own.ranks[lane] as number, control.stepOf(lane)]))
    const segments = { ...this.#segments, model: segment }
    const state = {
      worldSize: run.worldSize,
      ranks,
      host: own.host,
      ranksOnHost: own.ranksOnHost,
      emit,
      segments,
      handles: this.#handles,
      steps,
    }
    let timer: NodeJS.Timeout | undefined
    const tooLong = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, savingMs)
    })
    try {
      await Promise.race([this.#module.onPeerLost(deserialize(run.job), state, error), tooLong])
    } catch (failed) {
      emit({ type: 'peerLostFailed', error: errorToJSON(failed) })
    }
    clearTimeout(timer)
  }

  /** Ends the threads; returns the ranks of those that cannot be ended. */
  async #endThreads(): Promise<readonly number[]> {
    const abandoned: number[] = []
    const leaving: Promise<unknown>[] = []
    for (const thread of this.#threads) {
      if (thread.exited) continue
      const keep = this.#options.keepLeader === true && thread.lane === 0
      if (keep && thread.parked) {
        thread.letGo()
        continue
      }
      const state = this.#control?.status(thread.lane).state
      if (thread.parked) {
        thread.worker.postMessage({ type: 'exit' } satisfies ToThread)
        leaving.push(this.#left(thread))
      } else if (state === 'hanging' || state === 'waiting') leaving.push(thread.worker.terminate())
      else {
        abandoned.push(...thread.ranks)
        thread.worker.unref()
      }
    }
    await Promise.all(leaving)
    return abandoned
  }

  /** A parked thread leaves by itself; if something keeps it, it can be terminated safely. */
  async #left(thread: ThreadState): Promise<void> {
    await this.#until(() => thread.exited, leaveMs)
    if (!thread.exited) await thread.worker.terminate()
  }

  #close(abandoned: readonly number[]): void {
    clearInterval(this.#timer)
    this.#segment?.close()
    this.#options.up({ type: 'closed', abandoned })
    this.#resolveClosed()
  }

  /** Waits until `test` holds or `ms` have passed; looked at whenever a thread reports, and every few milliseconds. */
  async #until(test: () => boolean, ms: number): Promise<void> {
    const end = performance.now() + ms
    while (!test() && performance.now() < end) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 10)
        this.#changed = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / 64) * 64
}

/** Polls before a thread goes to sleep: many while every thread has a core, few where they must give way to each other. */
function spinsFor(threadsOnHost: number): number {
  return threadsOnHost <= availableParallelism() ? 2000 : 20
}
