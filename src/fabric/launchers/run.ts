/**
 * The driver's view of one run: who has ended how, what the first cause of a failure was, who waits for whom. It tells the processes to stop,
 * fail or finish, and resolves when all of them are gone.
 * @packageDocumentation
 */
import { deserialize } from 'node:v8'
import { type ErrorJSON, errorToJSON } from '../../errors.ts'
import type { TrafficCounters } from '../communicator.ts'
import type { LaunchOptions, LaunchResult } from '../launch.ts'
import { mergeTraffic } from '../wrappers/counting.ts'
import type { DownMessage, RankStatus, RankUsage, UpMessage } from './messages.ts'
import { causeError, spreadError } from './spread-error.ts'
import { Watchdog } from './watchdog.ts'

/** A process of the run, as the driver reaches it. */
export interface ProcessLink {
  readonly ranks: readonly number[]
  send(message: DownMessage): void
}

/** How long a loss that names nobody waits for the word that does, in ms. */
const unnamedMs = 250

/** The state of a run. */
export class Run<Result> {
  /** Resolves when all processes have closed or are gone. */
  readonly ended: Promise<void>
  /** Resolves when the run has failed. */
  readonly failed: Promise<void>
  readonly #worldSize: number
  readonly #options: LaunchOptions<unknown>
  readonly #results: (Result | undefined)[]
  readonly #rankErrors: (ErrorJSON | undefined)[]
  readonly #traffic: (TrafficCounters | undefined)[]
  readonly #usage: (RankUsage | undefined)[]
  /** CPU of service threads, by rank. */
  readonly #serviceSeconds: number[] = []
  readonly #links = new Map<ProcessLink, 'open' | 'closed'>()
  readonly #done = new Set<number>()
  readonly #prepared = new Set<number>()
  /** Ranks whose connection broke. */
  readonly #vanished: number[] = []
  readonly #watchdog: Watchdog
  #spread: ErrorJSON | undefined
  #error: ErrorJSON | undefined
  /** A loss that names nobody. */
  #unnamed: { readonly error: ErrorJSON; readonly timer: NodeJS.Timeout } | undefined
  #abandoned: number[] = []
  #stopping = false
  #expected: number
  #resolve: () => void = () => {}
  #resolveFailed: () => void = () => {}

  /** @param numProcesses - How many links will be attached. */
  constructor(options: LaunchOptions<unknown>, worldSize: number, numProcesses: number) {
    this.#options = options
    this.#worldSize = worldSize
    this.#expected = numProcesses
    this.#results = new Array<Result | undefined>(worldSize).fill(undefined)
    this.#rankErrors = new Array<ErrorJSON | undefined>(worldSize).fill(undefined)
    this.#traffic = new Array<TrafficCounters | undefined>(worldSize).fill(undefined)
    this.#usage = new Array<RankUsage | undefined>(worldSize).fill(undefined)
    this.#watchdog = new Watchdog(worldSize, options.onStall)
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve
    })
    this.failed = new Promise((resolve) => {
      this.#resolveFailed = resolve
    })
  }

  /** The first cause, once there is one. */
  get error(): ErrorJSON | undefined {
    return this.#error
  }

  /** All ranks have ended well. */
  get complete(): boolean {
    return this.#done.size === this.#worldSize && this.#error === undefined
  }

  /** World ranks of processes that have not been attached. */
  get unattached(): number[] {
    const there = new Set([...this.#links.keys()].flatMap((link) => link.ranks))
    return Array.from({ length: this.#worldSize }, (_, rank) => rank).filter((rank) => !there.has(rank))
  }

  attach(link: ProcessLink): void {
    this.#links.set(link, 'open')
    if (this.#stopping) link.send({ type: 'stop' })
    if (this.#spread !== undefined) link.send({ type: 'fail', error: this.#spread })
  }

  /** Asks all ranks to stop at their next agreement. */
  stop(): void {
    this.#stopping = true
    for (const link of this.#links.keys()) link.send({ type: 'stop' })
  }

  receive(link: ProcessLink, message: UpMessage): void {
    switch (message.type) {
      case 'event':
        this.#tell(deserialize(message.bytes), message.rank)
        return
      case 'prepared':
        for (const rank of link.ranks) this.#prepared.add(rank)
        return
      case 'served':
        this.#served(message)
        return
      case 'done':
        this.#results[message.rank] = deserialize(message.bytes) as Result
        this.#traffic[message.rank] = mergeTraffic(message.traffic, this.#traffic[message.rank])
        this.#usage[message.rank] = message.usage
        this.#done.add(message.rank)
        if (this.complete) for (const each of this.#links.keys()) each.send({ type: 'finish' })
        return
      case 'failed':
        this.#rankErrors[message.rank] ??= message.error
        if (message.traffic !== undefined) this.#traffic[message.rank] = mergeTraffic(message.traffic, this.#traffic[message.rank])
        if (message.usage !== undefined) this.#usage[message.rank] = message.usage
        this.#failed(message.error, message.rank)
        return
      case 'lost':
        this.lost([message.rank], message.reason)
        return
      case 'status':
        this.#watch(message.ranks)
        return
      case 'closed':
        this.#abandoned.push(...message.abandoned)
        this.gone(link, '')
        return
      case 'hello':
        return
    }
  }

  /** Ranks are gone without having said why. */
  lost(ranks: readonly number[], reason: string): void {
    const plural = ranks.length > 1 ? 's' : ''
    const error: ErrorJSON = {
      code: 'PEER_LOST',
      message: `rank${plural} ${ranks.join(', ')} lost — expected all ranks to run to the end, got: ${reason} (resume from the last checkpoint)`,
      details: { ranks },
    }
    this.fail(error, error)
  }

  /** A process has closed, or its connection has broken. */
  gone(link: ProcessLink, reason: string): void {
    if (this.#links.get(link) !== 'open') return
    this.#links.set(link, 'closed')
    const unheard = link.ranks.filter((rank) => !this.#done.has(rank) && this.#rankErrors[rank] === undefined)
    if (reason !== '') this.#vanished.push(...link.ranks)
    if (reason !== '' && unheard.length > 0) this.lost(link.ranks, reason)
    this.#expected--
    if (this.#expected > 0) return
    this.#failUnnamed()
    this.#resolve()
  }

  /** The first failure stands; all processes are told `spread`. */
  fail(error: ErrorJSON, spread: ErrorJSON = error): void {
    if (this.#error !== undefined) return
    this.#error = error
    this.#spread = spread
    this.#resolveFailed()
    for (const link of this.#links.keys()) link.send({ type: 'fail', error: spread })
  }

  /** Waits until all processes are gone, but not longer; says whether they are. */
  async endsWithin(ms: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), ms)
    })
    const ended = await Promise.race([this.ended.then(() => true), late])
    clearTimeout(timer)
    return ended
  }

  /** Nothing more will come: what has not attached never will. */
  giveUp(): void {
    this.#failUnnamed()
    this.#resolve()
  }

  result(): LaunchResult<Result> {
    const unknown: RankUsage = { host: '', pid: 0, cpuSeconds: 0, peakRssBytes: 0 }
    let error = this.#error
    if (error !== undefined && this.#abandoned.length > 0) {
      const ranks = this.#abandoned.join(', ')
      error = {
        ...error,
        message: `${error.message}; the thread of rank ${ranks} is inside native code and stays until the process ends`,
        details: { ...error.details, abandoned: this.#abandoned },
      }
    }
    return {
      results: this.#results,
      rankErrors: this.#rankErrors.map((each) => (each !== undefined && namesNobody(each) ? withRanks(each, error) : each)),
      traffic: this.#traffic,
      usage: this.#usage.map((usage, rank) => {
        const { cpuSeconds, ...rest } = usage ?? unknown
        return { ...rest, cpuSeconds: cpuSeconds + (this.#serviceSeconds[rank] ?? 0) }
      }),
      ...(error === undefined ? {} : { error }),
    }
  }

  /** A listener that throws is the driver's failure: it must not look like a lost rank. */
  #tell(event: unknown, rank: number): void {
    try {
      this.#options.onEvent?.(event, rank)
    } catch (error) {
      this.fail(errorToJSON(error), { code: 'ABORT', message: 'the driver failed', details: {} })
    }
  }

  #served({ rank, traffic, cpuSeconds }: Extract<UpMessage, { type: 'served' }>): void {
    this.#traffic[rank] = mergeTraffic(traffic, this.#traffic[rank])
    this.#serviceSeconds[rank] = cpuSeconds
  }

  #failed(error: ErrorJSON, rank: number): void {
    if (error.code === 'COLLECTIVE_TIMEOUT' && error.details['ranks'] === undefined) {
      const ranks = Array.from(this.#results.keys()).filter((each) => !this.#prepared.has(each))
      const who = ranks.length === 0 ? '' : `: rank${ranks.length > 1 ? 's' : ''} ${ranks.join(', ')} did not get ready`
      const named = { ...error, message: `${error.message}${who}`, details: { ...error.details, ranks } }
      this.fail(named, spreadError(named, rank))
    } else if (error.code === 'PEER_LOST' && namesNobody(error)) {
      // mpirun's warning came before the driver had noticed which connection broke: that word is on its way.
      this.#unnamed ??= { error, timer: setTimeout(() => this.#failUnnamed(), unnamedMs) }
    } else this.fail(causeError(error, rank), spreadError(error, rank))
  }

  #failUnnamed(): void {
    if (this.#unnamed === undefined) return
    clearTimeout(this.#unnamed.timer)
    this.fail({ ...this.#unnamed.error, details: { ...this.#unnamed.error.details, ranks: this.#vanished } })
  }

  #watch(statuses: readonly RankStatus[]): void {
    if (this.#error !== undefined) return
    const verdict = this.#watchdog.look(statuses)
    if (verdict !== undefined) this.fail(verdict)
  }
}

/** Recorded by a rank that could not know who was lost. */
function namesNobody({ code, details }: ErrorJSON): boolean {
  const ranks = details['ranks'] as readonly number[] | undefined
  return (code === 'PEER_LOST' || code === 'COLLECTIVE_TIMEOUT') && (ranks === undefined || ranks.length === 0)
}

function withRanks(error: ErrorJSON, cause: ErrorJSON | undefined): ErrorJSON {
  return { ...error, details: { ...error.details, ranks: cause?.details['ranks'] ?? [] } }
}
