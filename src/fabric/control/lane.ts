import { CollectiveTimeoutError, PeerLostError, type TuttiError } from '../../errors.ts'
import type { NumericArray } from '../../memory/dtype.ts'
import type { Workspace } from '../core/channel.ts'
import { type Parker, Progress, timeoutError, type WaitSubject } from '../core/progress.ts'
import type { ControlBlock } from './control-block.ts'
import { lane as word, laneState, numPieces, pieceBytes } from './control-layout.ts'

/** How a process's lanes are numbered in the world. */
export interface LanePlacement {
  /** World rank of each lane's rank: lane l and its service lane share it. */
  readonly rankOf: readonly number[]
  /** Lanes that are rank threads come first. */
  readonly localRanks: number
}

/** One thread's place in the control block: how it waits, what it shows, and its scratch memory. */
export class Lane implements Parker, Workspace {
  readonly index: number
  readonly control: ControlBlock
  readonly progress: Progress
  readonly spins: number
  readonly pieceBytes = pieceBytes
  readonly #placement: LanePlacement
  readonly #words: Int32Array<SharedArrayBuffer>
  readonly #at: number
  /** Whether a time-out is decided in this thread, which sees who is missing, or by the driver's watchdog. */
  readonly #decides: boolean
  readonly #free: number[] = Array.from({ length: numPieces }, (_, index) => index)
  readonly #taken = new Map<number, number>()

  constructor(
    control: ControlBlock,
    index: number,
    placement: LanePlacement,
    options: { timeoutMs: number; spins: number; decides: boolean },
  ) {
    this.control = control
    this.index = index
    this.#placement = placement
    this.#words = control.words
    this.#at = control.layout.lane(index) / 4
    this.#decides = options.decides
    this.spins = options.spins
    this.progress = new Progress(this, options.timeoutMs)
  }

  /** World rank of a lane of this process. */
  worldRank(lane: number): number {
    return this.#placement.rankOf[lane] as number
  }

  /** Counts an operation; throws what the run was cancelled with. */
  beginOperation(): void {
    const at = this.#at + word.operations
    this.#words[at] = (this.#words[at] as number) + 1
    this.check()
  }

  ticket(): number {
    return Atomics.load(this.#words, this.#at + word.doorbell)
  }

  sleep(ticket: number, ms: number): void {
    const words = this.#words
    Atomics.store(words, this.#at + word.sleeping, 1)
    Atomics.wait(words, this.#at + word.doorbell, ticket, ms)
    Atomics.store(words, this.#at + word.sleeping, 0)
  }

  check(): void {
    if (this.control.cancelled) throw this.control.reason
  }

  begin(subject: WaitSubject, timeoutMs: number): void {
    this.control.showWait(this.index, subject, timeoutMs)
  }

  end(): void {
    Atomics.store(this.#words, this.#at + word.state, laneState.running)
  }

  timedOut(subject: WaitSubject, timeoutMs: number): TuttiError | undefined {
    const missing = subject.missing?.() ?? []
    // A wait on shared memory cannot say for whom: the watchdog sees all ranks at one moment.
    if (!this.#decides || missing.length === 0) return undefined
    const error = timeoutError(subject, timeoutMs, this.#culprits(missing))
    return new CollectiveTimeoutError(error.message, { ...error.details, step: this.control.stepOf(this.index) })
  }

  /** A rank that has ended its program will never arrive. */
  lost(subject: WaitSubject): TuttiError | undefined {
    const ended = (subject.missing?.() ?? []).filter((rank) => {
      const lane = this.#placement.rankOf.indexOf(rank)
      return lane >= 0 && this.index < this.#placement.localRanks && this.control.stateOf(lane) === laneState.ended
    })
    if (ended.length === 0) return undefined
    // What it did last may have become visible after it was looked at: only a second look counts.
    const still = new Set(subject.missing?.() ?? [])
    const ranks = ended.filter((rank) => still.has(rank))
    if (ranks.length === 0) return undefined
    return new PeerLostError(
      `${subject.label}: rank${ranks.length > 1 ? 's' : ''} ${ranks.join(', ')} ended before — expected all ranks to take part, got the end of their program`,
      { ranks, waitingFor: subject.label, step: this.control.stepOf(this.index) },
    )
  }

  /** Follows the chain of waits: a rank that itself waits for another is not the one to blame. */
  #culprits(missing: readonly number[]): readonly number[] {
    const seen = new Set<number>()
    let blamed = [...missing]
    for (;;) {
      const next = new Set<number>()
      for (const rank of blamed) {
        const lane = this.#placement.rankOf.indexOf(rank)
        const status = lane < 0 ? undefined : this.control.status(lane)
        if (status === undefined || status.state !== 'waiting' || status.missing.length === 0 || seen.has(rank)) next.add(rank)
        else for (const other of status.missing) next.add(other)
        seen.add(rank)
      }
      const own = this.worldRank(this.index)
      const followed = [...next].filter((rank) => rank !== own).sort((a, b) => a - b)
      if (followed.length === 0) return missing
      if (followed.length === blamed.length && followed.every((rank, index) => rank === blamed[index])) return followed
      blamed = followed
      if (seen.size > 4 * this.#placement.rankOf.length) return blamed
    }
  }

  take<A extends NumericArray>(like: A, length: number): A {
    const Constructor = like.constructor as new (buffer: ArrayBuffer | number, byteOffset?: number, length?: number) => A
    const piece = length * like.BYTES_PER_ELEMENT <= pieceBytes ? this.#free.pop() : undefined
    if (piece === undefined) return new Constructor(length)
    const { control } = this
    const byteOffset = control.byteOffset + control.layout.scratch(this.index) + piece * pieceBytes
    this.#taken.set(byteOffset, piece)
    return new Constructor(control.segment.buffer, byteOffset, length)
  }

  giveBack(array: NumericArray): void {
    const piece = array.buffer === this.control.segment.buffer ? this.#taken.get(array.byteOffset) : undefined
    if (piece === undefined) return
    this.#taken.delete(array.byteOffset)
    this.#free.push(piece)
  }
}
