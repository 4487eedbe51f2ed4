/**
 * All ranks in one thread, on virtual clocks. A *process* is a generator with a clock: one for each rank, and one for each operation that a
 * rank has started (what a network card would do while the rank computes). The scheduler always resumes the process with the least
 * (time, rank, age), so the same program gives the same order, the same numbers and the same times in every run.
 *
 *   rank 0   ──compute──┬── start allReduce ──compute──────┬─ yield ─ …        clock moves by `advance` and by what is waited for
 *     operation         └─▷ send ─ recv ─ … ─ done at T ───┘                   resumed at max(own clock, T)
 *   rank 1   ──────compute──────┬ …
 *
 * When nobody can be resumed and somebody has not ended, it is a deadlock: an error at once, naming who waits for what.
 * @packageDocumentation
 */
import {
  CollectiveTimeoutError,
  ConfigError,
  errorFromJSON,
  errorToJSON,
  PeerLostError,
  ProtocolError,
  type TuttiError,
} from '../../errors.ts'
import type { Request } from '../communicator.ts'
import type { Engine } from '../core/channel.ts'
import type { Steps, TaskInfo, Waitable } from '../core/progress.ts'
import { spreadError } from '../launchers/spread-error.ts'

/** Something that happens at a virtual time. */
export class VirtualEvent implements Request {
  readonly label: string
  readonly missing: (() => readonly number[]) | undefined
  /** Where the virtual seconds that a rank waits for it are counted. */
  waited: ((seconds: number) => void) | undefined
  /** When it happened; undefined as long as it has not. */
  doneAt: number | undefined
  error: unknown
  readonly #world: VirtualWorld

  constructor(world: VirtualWorld, label: string, missing?: () => readonly number[]) {
    this.#world = world
    this.label = label
    this.missing = missing
  }

  complete(time: number, error?: unknown): void {
    this.doneAt = time
    this.error = error
  }

  test(): boolean {
    if (!this.#world.reached(this.doneAt)) return false
    if (this.error !== undefined) throw this.error
    return true
  }

  wait(): void {
    if (this.test()) return
    throw new ConfigError(
      `${this.label}: cannot block — expected the request to be yielded on \`virtual\`, got wait() (yield it in the rank's generator)`,
    )
  }
}

type RankSteps = Generator<unknown, unknown, unknown>

interface Process {
  readonly rank: number
  readonly age: number
  readonly steps: RankSteps
  readonly end: VirtualEvent
  readonly isRank: boolean
  clock: number
  waitingFor: unknown
  /** When it can go on; undefined while it cannot. */
  readyAt: number | undefined
  ended: boolean
  /** Cancelled while it waited. */
  interrupted: boolean
}

/** How a rank ended. */
export interface VirtualOutcome {
  readonly result?: unknown
  readonly error?: unknown
  /** It left without a word (injected crash). */
  readonly crashed?: boolean
}

/** Thrown in a rank to end it without a word: the injected crash. */
export class VirtualCrash extends Error {}

/** The scheduler. */
export class VirtualWorld implements Engine {
  readonly outcomes: (VirtualOutcome | undefined)[] = []
  /** Ranks in the order in which they ended. */
  readonly endOrder: number[] = []
  readonly #processes: Process[] = []
  readonly #ranks: Process[] = []
  #current: Process | undefined
  /** Set while a foreign request is asked: the latest time that it depends on. */
  #asking: { time: number } | undefined
  #age = 0
  #cancelled: TuttiError | undefined

  /** Rank of the process that runs now. */
  get currentRank(): number {
    return this.#current?.rank ?? 0
  }

  /** Clock of the process that runs now, in virtual seconds. */
  get now(): number {
    return this.#current?.clock ?? 0
  }

  advance(seconds: number): void {
    if (this.#current !== undefined) this.#current.clock += seconds
  }

  /** Every rank gets `error` thrown where it waits, or at its next operation. The first one stands. */
  cancel(error: TuttiError): void {
    this.#cancelled ??= error
  }

  check(): void {
    if (this.#cancelled !== undefined) throw this.#cancelled
  }

  /** Whether `time` has come for whoever asks. */
  reached(time: number | undefined): boolean {
    if (time === undefined) return false
    if (this.#asking !== undefined) {
      this.#asking.time = Math.max(this.#asking.time, time)
      return true
    }
    return this.#current === undefined || time <= this.#current.clock
  }

  /** An event that happens as soon as `test` is true: looked at after every step of every process. */
  until(label: string, test: () => boolean): VirtualEvent {
    const condition: Waitable & { label: string } = { label, test }
    return this.spawn(
      (function* (): Steps {
        yield condition
      })(),
      { label },
    )
  }

  spawn(steps: Steps, info: TaskInfo): VirtualEvent {
    const end = new VirtualEvent(this, info.label, info.missing === undefined ? undefined : () => info.missing?.() ?? [])
    end.waited = info.waited
    const process = this.#add(steps as RankSteps, this.currentRank, this.now, end, false)
    const outer = this.#current
    do this.#step(process)
    while (!process.ended && process.readyAt !== undefined && process.readyAt <= process.clock)
    this.#current = outer
    return end
  }

  /** Runs one generator per rank to the end. */
  async run(ranks: readonly RankSteps[]): Promise<readonly VirtualOutcome[]> {
    for (const [rank, steps] of ranks.entries()) this.#ranks.push(this.#add(steps, rank, 0, new VirtualEvent(this, `rank ${rank}`), true))
    while (this.#ranks.some((process) => !process.ended)) {
      const next = this.#next()
      if (next === undefined) {
        // What has completed is delivered first, as on the other fabrics; only waits that can never end are cut short.
        this.cancel(this.#cancelled ?? this.#deadlock())
        this.#interrupt()
      } else {
        if (next.waitingFor instanceof Promise) await this.#settle(next, next.waitingFor)
        this.#step(next)
        this.#current = undefined
      }
      this.#wake(next?.clock ?? 0)
    }
    return this.outcomes as VirtualOutcome[]
  }

  #add(steps: RankSteps, rank: number, clock: number, end: VirtualEvent, isRank: boolean): Process {
    const process: Process = {
      rank,
      age: this.#age++,
      steps,
      end,
      isRank,
      clock,
      waitingFor: undefined,
      readyAt: clock,
      ended: false,
      interrupted: false,
    }
    this.#processes.push(process)
    return process
  }

  #next(): Process | undefined {
    let best: Process | undefined
    for (const process of this.#processes) {
      if (process.readyAt === undefined) continue
      if (best === undefined || earlier(process, best)) best = process
    }
    return best
  }

  /** The world stands still while a rank awaits a promise: what happens outside takes no virtual time. */
  async #settle(process: Process, promise: Promise<unknown>): Promise<void> {
    process.waitingFor = await promise.then(
      (value) => new Settled(value, undefined),
      (error: unknown) => new Settled(undefined, error ?? new Error('rejected')),
    )
  }

  /** Resumes a process once. */
  #step(process: Process): void {
    this.#current = process
    const resumed = Math.max(process.clock, process.readyAt ?? process.clock)
    const waited = process.waitingFor
    if (process.isRank && waited instanceof VirtualEvent) waited.waited?.(resumed - process.clock)
    process.clock = resumed
    process.readyAt = undefined
    process.waitingFor = undefined
    try {
      const next = this.#resume(process, waited)
      if (next.done === true) this.#end(process, { result: next.value })
      else {
        process.waitingFor = next.value
        this.#look(process)
      }
    } catch (error) {
      this.#end(process, error instanceof VirtualCrash ? { crashed: true } : { error })
    }
  }

  #resume(process: Process, waited: unknown): IteratorResult<unknown, unknown> {
    if (process.interrupted) {
      process.interrupted = false
      return process.steps.throw(this.#cancelled)
    }
    if (waited instanceof Settled) return waited.error === undefined ? process.steps.next(waited.value) : process.steps.throw(waited.error)
    if (waited instanceof VirtualEvent && waited.error !== undefined) return process.steps.throw(waited.error)
    if (waited instanceof Failed) return process.steps.throw(waited.error)
    return process.steps.next(undefined)
  }

  #end(process: Process, outcome: VirtualOutcome): void {
    process.ended = true
    process.end.complete(process.clock, outcome.error)
    this.#processes.splice(this.#processes.indexOf(process), 1)
    if (!process.isRank) return
    this.outcomes[process.rank] = outcome
    this.endOrder.push(process.rank)
    const { rank } = process
    if (outcome.crashed === true)
      this.cancel(
        new PeerLostError(`rank ${rank} is lost — expected all ranks to run to the end, got the end of rank ${rank}`, { ranks: [rank] }),
      )
    else if (outcome.error !== undefined) this.cancel(errorFromJSON(spreadError(errorToJSON(outcome.error, rank), rank)))
  }

  /** Whether a process can go on, and when. */
  #look(process: Process, since = process.clock): void {
    const { waitingFor } = process
    if (waitingFor instanceof Promise || waitingFor === undefined) process.readyAt = process.clock
    else if (waitingFor instanceof VirtualEvent) {
      if (waitingFor.doneAt !== undefined) process.readyAt = Math.max(process.clock, waitingFor.doneAt)
    } else this.#ask(process, waitingFor as Waitable, since)
  }

  /** A request that is not ours (a condition, or a wrapper around one of ours) can only be asked; it became true at `since` or with what it depends on. */
  #ask(process: Process, request: Waitable, since: number): void {
    const outer = this.#current
    this.#current = process
    this.#asking = { time: Math.max(process.clock, since) }
    try {
      if (request.test()) process.readyAt = this.#asking.time
    } catch (error) {
      process.waitingFor = new Failed(error)
      process.readyAt = process.clock
    } finally {
      this.#asking = undefined
      this.#current = outer
    }
  }

  /** After a step: who can go on now? */
  #wake(since: number): void {
    for (const process of [...this.#processes]) {
      if (process.ended || process.readyAt !== undefined) continue
      this.#look(process, since)
    }
  }

  #interrupt(): void {
    for (const process of this.#processes) {
      process.readyAt = process.clock
      process.interrupted = true
    }
  }

  #deadlock(): TuttiError {
    const waiting = this.#ranks.filter((process) => !process.ended)
    const lines = waiting.map(
      (process) => `rank ${process.rank} waits for ${(process.waitingFor as Request | undefined)?.label ?? 'nothing known'}`,
    )
    const missing = new Set(
      waiting.flatMap((process) => (process.waitingFor instanceof VirtualEvent ? (process.waitingFor.missing?.() ?? []) : [])),
    )
    const gone = [...missing].filter((rank) => this.#ranks[rank]?.ended === true).sort((a, b) => a - b)
    const hanging = waiting
      .filter((process) => (process.waitingFor as Request | undefined)?.label === hangLabel)
      .map((process) => process.rank)
    const text = lines.join(', ')
    if (gone.length > 0)
      return new PeerLostError(`rank ${gone.join(', ')} ended before the others — expected all ranks to take part, got: ${text}`, {
        ranks: gone,
      })
    if (hanging.length > 0)
      return new CollectiveTimeoutError(`rank ${hanging.join(', ')} hangs — expected an answer, got: ${text}`, { ranks: hanging })
    return new ProtocolError(`deadlock: no rank can go on — expected matching operations, got: ${text}`, {
      ranks: waiting.map((process) => process.rank),
    })
  }
}

/** Label of the request that an injected hang waits for. */
export const hangLabel = 'hang (injected)'

class Settled {
  readonly value: unknown
  readonly error: unknown
  constructor(value: unknown, error: unknown) {
    this.value = value
    this.error = error
  }
}

class Failed {
  readonly error: unknown
  constructor(error: unknown) {
    this.error = error
  }
}

function earlier(a: Process, b: Process): boolean {
  const at = (a.readyAt as number) - (b.readyAt as number)
  return at < 0 || (at === 0 && (a.rank < b.rank || (a.rank === b.rank && a.age < b.age)))
}
