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
  readonly #stopIn: Loop | undefined
  readonly #name: string
  /** The `repeat`s around what is simulated now, outermost first. */
  readonly #around: Loop[] = []
  /** The rank has decided to stop: as in the executor it finishes its passes and enters no other. */
  #stopping = false
  waiting: Wait | undefined
  ended = false
  /** Pushes so far; infinite once retired. */
  clock = 0
  #summed = false
  #overlapped = 0

  constructor(program: Program, rank: number, stopIn: Loop | undefined, name: string) {
    this.rank = rank
    this.#program = program
    this.#stopIn = stopIn
    this.#name = name
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

  *#body(body: readonly Instruction[], pass: number): Generator<Wait, void> {
    for (const instruction of body) {
      if (!('loop' in instruction)) yield* this.#perform(instruction, pass)
      else if (instruction.loop === 'repeat') yield* this.#repeat(instruction)
      else if (instruction.loop === 'unlessInterrupted' || pass % Math.min(instruction.period, 2) === 0)
        yield* this.#body(instruction.body, pass)
    }
  }

  *#repeat(loop: Loop & { loop: 'repeat' }): Generator<Wait, void> {
    this.#around.push(loop)
    for (let pass = 1; pass <= Math.min(passes, loop.times) && !this.#stopping; pass++) yield* this.#body(loop.body, pass)
    this.#around.pop()
  }

  *#perform(instruction: Exclude<Instruction, Loop>, pass: number): Generator<Wait, void> {
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
        if (this.#overlapped > 0) throw this.#refuse('update', 'an overlapped all-reduce that was not joined', 'put join before update')
        break
      case 'broadcast':
      case 'barrier':
        yield { on: 'all', what: instruction.do }
        break
      case 'push':
        this.clock++
        this.#summed = this.#program.store?.admission.kind === 'bsp'
        if (this.#program.store === undefined) throw this.#refuse('push', 'no declared store', 'declare one with the Program')
        break
      case 'pull':
        if (this.#program.store === undefined) throw this.#refuse('pull', 'no declared store', 'declare one with the Program')
        yield { on: 'pull', clock: this.clock }
        break
      case 'retire':
        this.clock = Number.POSITIVE_INFINITY
        break
      case 'agree':
        if (instruction.by === 'exchange') yield { on: 'all', what: 'agree' }
        if (instruction.by === 'tail' && !this.#summed)
          throw this.#refuse('agree', 'nothing was summed whose tail could be read', 'sum first, or agree by exchange')
        if (this.#around.at(-1) === this.#stopIn && this.#stopIn !== undefined && pass >= 2 + (instruction.by === 'alone' ? this.rank : 0))
          this.#stopping = true
        break
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
  }

  #refuse(where: string, got: string, mend: string): ProtocolError {
    return new ProtocolError(`${this.#name}: ${where} — got ${got} (${mend})`)
  }
}

/**
 * Simulates a run in which nobody stops, and one for each loop in which ranks stop.
 * @param name - of the system, for the message
 * @throws {ProtocolError} naming what each rank would wait for.
 */
export function checkProgram(program: Program, worldSize: number, name = 'program'): void {
  const loops = [...repeatsOf([...program.setup, ...program.body, ...program.drain])]
  for (const stopIn of [undefined, ...loops]) simulate(program, worldSize, stopIn, name)
}

/** Every `repeat` of a Program: ranks may agree to stop in any of them. */
function* repeatsOf(body: readonly Instruction[]): Generator<Loop> {
  for (const instruction of body) {
    if (!('loop' in instruction)) continue
    if (instruction.loop === 'repeat') yield instruction
    yield* repeatsOf(instruction.body)
  }
}

function simulate(program: Program, worldSize: number, stopIn: Loop | undefined, name: string): void {
  const ranks = Array.from({ length: Math.min(worldSize, 3) }, (_, rank) => new SimulatedRank(program, rank, stopIn, name))
  for (const rank of ranks) rank.advance()
  while (ranks.some((rank) => !rank.ended)) {
    const ready = ranks.filter((rank) => rank.waiting !== undefined && canGoOn(rank, ranks, program))
    if (ready.length === 0) {
      const waits = ranks.map(({ rank, waiting, ended }) => `rank ${rank} ${ended ? 'has ended' : `waits for ${describe(waiting)}`}`)
      throw new ProtocolError(`${name}: can hang — expected ranks to meet in the same exchanges, got ${waits.join(', ')}`, { waits })
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
