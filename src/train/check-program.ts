/**
 * Finds out before the start whether a Program can hang. Ranks are simulated on a few passes of every loop, in the worst order: a rank that decides
 * alone to stop does so on another pass than its neighbours. Exchanges must then meet in the same order on all ranks, pulls must be answered by pushes
 * that can still come, and what overlaps must be joined.
 * @packageDocumentation
 */
import { ProtocolError } from '../errors.ts'
import type { Instruction, Loop, Program } from './program.ts'

/** Passes of a `repeat` that are simulated, at most; a rank that decides alone leaves after 2 + its number. */
const passes = 5

/** What one rank waits for. */
type Wait = { readonly on: 'all'; readonly what: string } | { readonly on: 'pull'; readonly clock: number }

/** One simulated rank. */
class SimulatedRank {
  readonly rank: number
  readonly #program: Program
  readonly #walk: Generator<Wait, void>
  waiting: Wait | undefined
  ended = false
  /** Pushes so far; infinite once retired. */
  clock = 0
  #summed = false
  #overlapped = 0

  constructor(program: Program, rank: number) {
    this.rank = rank
    this.#program = program
    this.#walk = this.#run()
  }

  /** Runs on to the next wait. */
  advance(): void {
    const next = this.#walk.next()
    this.ended = next.done === true
    this.waiting = next.done ? undefined : next.value
  }

  *#run(): Generator<Wait, void> {
    yield { on: 'all', what: 'start' }
    yield* this.#body(this.#program.setup, 0)
    yield* this.#body(this.#program.body, 0)
    yield* this.#body(this.#program.drain, 0)
  }

  *#body(body: readonly Instruction[], pass: number): Generator<Wait, boolean> {
    let stop = false
    for (const instruction of body) {
      if (!('loop' in instruction)) stop = (yield* this.#perform(instruction, pass)) || stop
      else if (instruction.loop === 'repeat') yield* this.#repeat(instruction)
      else if (instruction.loop === 'unlessInterrupted' || pass % Math.min(instruction.period, 2) === 0)
        stop = (yield* this.#body(instruction.body, pass)) || stop
    }
    return stop
  }

  *#repeat(loop: Loop & { loop: 'repeat' }): Generator<Wait, void> {
    for (let pass = 1; pass <= Math.min(passes, loop.times); pass++) if (yield* this.#body(loop.body, pass)) return
  }

  /** True when the rank decided to leave the loop. */
  *#perform(instruction: Exclude<Instruction, Loop>, pass: number): Generator<Wait, boolean> {
    switch (instruction.do) {
      case 'allReduce':
        this.#summed = true
        if (instruction.overlap) this.#overlapped++
        yield {
          on: 'all',
          what: `allReduce of ${instruction.buffer}${instruction.bucket === undefined ? '' : ` bucket ${instruction.bucket}`}`,
        }
        break
      case 'join':
        this.#overlapped = 0
        break
      case 'update':
        if (this.#overlapped > 0) throw refuse('update', 'an overlapped all-reduce that was not joined', 'put join before update')
        break
      case 'broadcast':
      case 'barrier':
        yield { on: 'all', what: instruction.do }
        break
      case 'push':
        this.clock++
        this.#summed = this.#program.store?.admission.kind === 'bsp'
        if (this.#program.store === undefined) throw refuse('push', 'no declared store', 'declare one with the Program')
        break
      case 'pull':
        if (this.#program.store === undefined) throw refuse('pull', 'no declared store', 'declare one with the Program')
        yield { on: 'pull', clock: this.clock }
        break
      case 'retire':
        this.clock = Number.POSITIVE_INFINITY
        break
      case 'agree':
        if (instruction.by === 'exchange') yield { on: 'all', what: 'agree' }
        if (instruction.by === 'tail' && !this.#summed)
          throw refuse('agree', 'nothing was summed whose tail could be read', 'sum first, or agree by exchange')
        return pass >= 2 + (instruction.by === 'alone' ? this.rank : 0)
      case 'evaluate':
        if (instruction.of === 'replica' || instruction.of === 'average' || instruction.of === 'snapshots')
          yield { on: 'all', what: `evaluate ${instruction.of}` }
        break
      case 'checkpoint':
        if (this.#program.replicasDiffer) yield { on: 'all', what: 'checkpoint' }
        break
      case 'batch':
      case 'gradients':
      case 'weigh':
      case 'call':
      case 'report':
        break
    }
    return false
  }
}

function refuse(where: string, got: string, mend: string): ProtocolError {
  return new ProtocolError(`program: ${where} — got ${got} (${mend})`)
}

/** @throws {ProtocolError} naming what each rank would wait for. */
export function checkProgram(program: Program, worldSize: number): void {
  const ranks = Array.from({ length: Math.min(worldSize, 3) }, (_, rank) => new SimulatedRank(program, rank))
  for (const rank of ranks) rank.advance()
  while (ranks.some((rank) => !rank.ended)) {
    const ready = ranks.filter((rank) => rank.waiting !== undefined && canGoOn(rank, ranks, program))
    if (ready.length === 0) {
      const waits = ranks.map(({ rank, waiting, ended }) => `rank ${rank} ${ended ? 'has ended' : `waits for ${describe(waiting)}`}`)
      throw new ProtocolError(`program: can hang — expected ranks to meet in the same exchanges, got ${waits.join(', ')}`, { waits })
    }
    for (const rank of ready) rank.advance()
  }
}

function canGoOn({ waiting }: SimulatedRank, ranks: readonly SimulatedRank[], program: Program): boolean {
  if (waiting === undefined) return false
  if (waiting.on === 'all') return ranks.every((other) => other.waiting?.on === 'all' && other.waiting.what === waiting.what)
  const admission = program.store?.admission
  const slowest = Math.min(...ranks.map(({ clock }) => clock))
  if (admission?.kind === 'bsp') return slowest >= waiting.clock
  return admission?.kind !== 'ssp' || waiting.clock - slowest <= admission.staleness || waiting.clock === Number.POSITIVE_INFINITY
}

function describe(waiting: Wait | undefined): string {
  return waiting === undefined ? 'nothing' : waiting.on === 'all' ? waiting.what : `a pull at clock ${waiting.clock}`
}
