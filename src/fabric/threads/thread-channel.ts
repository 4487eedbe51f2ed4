/**
 * The `threads` transport: all ranks see one segment, so a collective is two phase words and each rank's share of the work.
 *
 *   publish header and where the arrays lie, phase 1 ─▶ wait for all ─▶ compare headers ─▶ own share (collectives/direct.ts)
 *   ─▶ phase 2 ─▶ wait for those that read or wrote this rank's arrays
 *
 * Collective number i of a group uses slot i mod 16; before a slot is used again, all ranks must have published phase 2 of the last use.
 * Where a rank's array lies outside the segment, the same collective runs as a schedule through the exchange buffers (mailbox.ts).
 * @packageDocumentation
 */
import { TransportError } from '../../errors.ts'
import { bytesPerElement, type DType, dtypeOf, type NumericArray } from '../../memory/dtype.ts'
import { directShare, type Passed } from '../collectives/direct.ts'
import type { Link } from '../collectives/link.ts'
import { scheduleFor } from '../collectives/schedule-for.ts'
import { blockRange, type CollectiveKind, type Operation } from '../communicator.ts'
import { groupHead, groupHeadWords, maxGroups, slot, slotsPerGroup, slotWords } from '../control/control-layout.ts'
import type { Lane } from '../control/lane.ts'
import type { Channel } from '../core/channel.ts'
import { copy, fold } from '../core/fold.ts'
import {
  type CollectiveOperation,
  disagreement,
  headerWords,
  needsBlocks,
  sameHeader,
  writeAgreeHeader,
  writeHeader,
  writeSplitHeader,
} from '../core/header.ts'
import { tagLimit } from '../core/operation.ts'
import type { Steps } from '../core/progress.ts'
import type { Mailbox } from './mailbox.ts'

const everyKind: ReadonlySet<CollectiveKind> = new Set([
  'barrier',
  'broadcast',
  'reduce',
  'allReduce',
  'reduceScatter',
  'allGather',
  'gather',
  'scatter',
  'allToAll',
])

/** What a group of threads shares: its place in the group table, and its members as lanes. */
export interface ThreadGroup {
  readonly index: number
  readonly generation: number
  readonly members: readonly number[]
  /** World rank of each member. */
  readonly worldRanks: readonly number[]
  readonly hostOf: readonly number[]
}

/** One thread's end of a group of threads. */
export class ThreadChannel implements Channel {
  readonly transport = 'threads'
  readonly rank: number
  readonly size: number
  readonly hostOf: readonly number[]
  readonly engine: Lane['progress']
  readonly workspace: Lane
  readonly natives = everyKind
  readonly polled = false
  readonly #lane: Lane
  readonly #mailbox: Mailbox
  readonly #group: ThreadGroup
  readonly #words: Int32Array<SharedArrayBuffer>
  /** First word of the group's slots. */
  readonly #slots: number
  readonly #numLanes: number
  readonly #views = new Map<number, NumericArray>()

  constructor(lane: Lane, mailbox: Mailbox, group: ThreadGroup) {
    this.rank = group.members.indexOf(lane.index)
    this.size = group.members.length
    this.hostOf = group.hostOf
    this.engine = lane.progress
    this.workspace = lane
    this.#lane = lane
    this.#mailbox = mailbox
    this.#group = group
    this.#words = lane.control.words
    this.#slots = groupAt(lane, group.index) + groupHeadWords
    this.#numLanes = lane.control.numLanes
  }

  begin(): void {
    this.#lane.beginOperation()
  }

  worldRank(rank: number): number {
    return this.#group.worldRanks[rank] as number
  }

  send(data: NumericArray, to: number, tag: number): Steps {
    return this.#mailbox.send(data, this.#group.members[to] as number, tag, this.#context)
  }

  recv(into: NumericArray, from: number, tag: number): Steps {
    return this.#mailbox.recv(into, this.#group.members[from] as number, tag, this.#context)
  }

  check(operation: CollectiveOperation, number: number): Steps {
    return this.#meet(number, (own) => this.#publish(own, operation))
  }

  collective(operation: CollectiveOperation, number: number): { steps: Steps; missing: () => readonly number[] } {
    return {
      steps: this.#collective(operation, number),
      missing: () => this.behind(number),
    }
  }

  behind(number: number): readonly number[] {
    return this.#behind(number).map((rank) => this.worldRank(rank))
  }

  *#collective(operation: CollectiveOperation, number: number): Steps {
    const base = 2 * Math.floor(number / slotsPerGroup)
    while (!this.#allAt(number, base)) yield undefined
    this.#arrive(operation, number, base)
    yield* this.#afterArrival(operation, number, base)
  }

  #arrive(operation: CollectiveOperation, number: number, base: number): void {
    const own = this.#slotOf(number, this.rank)
    this.#publish(own, operation)
    this.#reach(own, base + 1)
  }

  *#afterArrival(operation: CollectiveOperation, number: number, base: number): Steps {
    while (!this.#allAt(number, base + 1)) yield undefined
    try {
      this.#compare(number)
      if (this.#anyExternal(number)) yield* scheduleFor(operation, this.#link(number))
      else directShare(operation, this.rank, this.size, this.#passed(number, operation))
    } finally {
      this.#reach(this.#slotOf(number, this.rank), base + 2)
    }
    yield* this.#departure(operation, number, base)
  }

  *#departure(operation: CollectiveOperation, number: number, base: number): Steps {
    while (!this.#othersDone(operation, number, base + 2)) yield undefined
  }

  /** The same without a task, as long as the others are quick: what takes longer goes on as one. */
  runAtOnce(operation: Operation, number: number): boolean {
    if (operation.kind === 'send' || operation.kind === 'recv' || this.engine.active > 0) return false
    const base = 2 * Math.floor(number / slotsPerGroup)
    if (!this.#allAt(number, base)) return false
    this.#arrive(operation, number, base)
    let spins = this.#lane.spins
    while (spins > 0 && !this.#allAt(number, base + 1)) spins--
    if (spins === 0 || this.#anyExternal(number)) {
      this.#goOn(operation, number, this.#afterArrival(operation, number, base))
      return true
    }
    try {
      this.#compare(number)
      directShare(operation, this.rank, this.size, this.#passed(number, operation))
    } finally {
      this.#reach(this.#slotOf(number, this.rank), base + 2)
    }
    spins = this.#lane.spins
    while (!this.#othersDone(operation, number, base + 2)) {
      if (--spins > 0) continue
      this.#goOn(operation, number, this.#departure(operation, number, base))
      break
    }
    return true
  }

  #goOn(operation: CollectiveOperation, number: number, steps: Steps): void {
    const missing = (): number[] => this.#behind(number).map((rank) => this.worldRank(rank))
    this.engine.spawn(steps, { label: `${operation.kind} #${number}`, missing }).wait()
  }

  /** Two phases around a look at what the others published. */
  *#meet(number: number, publish: (own: number) => void): Steps {
    const base = 2 * Math.floor(number / slotsPerGroup)
    const own = this.#slotOf(number, this.rank)
    while (!this.#allAt(number, base)) yield undefined
    publish(own)
    this.#reach(own, base + 1)
    while (!this.#allAt(number, base + 1)) yield undefined
    try {
      this.#compare(number)
    } finally {
      this.#reach(own, base + 2)
    }
  }

  agree(fingerprint: string, number: number): Steps {
    return this.#meet(number, (own) => writeAgreeHeader(fingerprint, this.#words, own + slot.header))
  }

  split(color: number, key: number, number: number): { steps: Steps; channel: () => Channel } {
    let group: ThreadGroup | undefined
    return {
      steps: this.#split(color, key, number, (made) => {
        group = made
      }),
      channel: () => new ThreadChannel(this.#lane, this.#mailbox, group as ThreadGroup),
    }
  }

  *#split(color: number, key: number, number: number, made: (group: ThreadGroup) => void): Steps {
    const words = this.#words
    const base = 2 * Math.floor(number / slotsPerGroup)
    const own = this.#slotOf(number, this.rank)
    while (!this.#allAt(number, base)) yield undefined
    writeSplitHeader(words, own + slot.header)
    words[own + slot.color] = color
    words[own + slot.key] = key
    this.#reach(own, base + 1)
    while (!this.#allAt(number, base + 1)) yield undefined
    try {
      this.#compare(number)
      const ranks = Array.from({ length: this.size }, (_, rank) => rank)
        .filter((rank) => words[this.#slotOf(number, rank) + slot.color] === color)
        .sort(
          (a, b) => (words[this.#slotOf(number, a) + slot.key] as number) - (words[this.#slotOf(number, b) + slot.key] as number) || a - b,
        )
      const leader = ranks[0] as number
      const leading = this.#slotOf(number, leader)
      if (leader === this.rank) {
        words[own + slot.result] = takeGroup(this.#lane, ranks.length)
        this.#reach(own, base + 2)
      }
      while (Atomics.load(words, leading + slot.phase) - (base + 2) < 0) yield undefined
      const index = words[leading + slot.result] as number
      if (index < 0)
        throw new TransportError(`split: no room for another group — expected at most ${maxGroups} open at once (close communicators)`)
      made({
        index,
        generation: words[groupAt(this.#lane, index) + groupHead.generation] as number,
        members: ranks.map((rank) => this.#group.members[rank] as number),
        worldRanks: ranks.map((rank) => this.#group.worldRanks[rank] as number),
        hostOf: ranks.map((rank) => this.hostOf[rank] as number),
      })
    } finally {
      this.#reach(own, base + 2)
    }
  }

  close(): void {
    if (this.#group.index < firstSplitGroup) return
    const at = groupAt(this.#lane, this.#group.index)
    if (Atomics.sub(this.#words, at + groupHead.open, 1) === 1) Atomics.store(this.#words, at + groupHead.inUse, 0)
  }

  get #context(): number {
    return this.#group.generation * maxGroups + this.#group.index
  }

  #publish(own: number, operation: CollectiveOperation): void {
    const words = this.#words
    const { buffer } = this.#lane.control.segment
    writeHeader(operation, words, own + slot.header)
    const data = 'data' in operation ? operation.data : undefined
    words[own + slot.dataOffset] = data?.byteOffset ?? 0
    words[own + slot.external] = data !== undefined && data.buffer !== buffer ? 1 : 0
  }

  #compare(number: number): void {
    const words = this.#words
    const first = this.#slotOf(number, 0) + slot.header
    const stride = slotWords
    let same = true
    for (let rank = 1; rank < this.size && same; rank++) same = sameHeader(words, first, first + rank * stride)
    if (same && !needsBlocks(words, first)) return
    const copied = words.slice(first, first + (this.size - 1) * stride + headerWords)
    const error = disagreement(copied, this.size, stride, number)
    if (error !== undefined) throw error
  }

  #anyExternal(number: number): boolean {
    for (let rank = 0; rank < this.size; rank++) if (this.#words[this.#slotOf(number, rank) + slot.external] !== 0) return true
    return false
  }

  #passed(number: number, operation: CollectiveOperation): Passed {
    const dtype = dtypeOf(operation.kind === 'scatter' ? operation.into : ((operation as { data: NumericArray }).data ?? nothing))
    const offset = (rank: number): number => (this.#words[this.#slotOf(number, rank) + slot.dataOffset] as number) >>> 0
    return {
      data: (rank) => this.#view(dtype, offset(rank), this.#lengthOf(operation, rank, number)),
      part: (rank, start, end) => this.#view(dtype, offset(rank) + start * bytesPerElement(dtype), end - start),
    }
  }

  #lengthOf(operation: CollectiveOperation, rank: number, number: number): number {
    if (operation.kind === 'allGather' || operation.kind === 'gather') {
      const { start, end } = blockRange((operation.into as NumericArray).length, this.size, rank)
      return end - start
    }
    if (operation.kind === 'scatter') return this.#words[this.#slotOf(number, rank) + slot.header + 5] as number
    return operation.kind === 'barrier' ? 0 : operation.data.length
  }

  /** Views of peers' arrays are kept: a training step passes the same ones each time. */
  #view(dtype: DType, byteOffset: number, length: number): NumericArray {
    const known = this.#views.get(byteOffset)
    if (known !== undefined && known.length === length && dtypeOf(known) === dtype) return known
    if (this.#views.size > 1024) this.#views.clear()
    const { segment } = this.#lane.control
    const view = segment.view({ segment: segment.id, byteOffset, length, dtype })
    this.#views.set(byteOffset, view)
    return view
  }

  #slotOf(number: number, rank: number): number {
    return this.#slots + ((number % slotsPerGroup) * this.#numLanes + rank) * slotWords
  }

  #allAt(number: number, phase: number): boolean {
    const words = this.#words
    const first = this.#slotOf(number, 0)
    for (let rank = 0; rank < this.size; rank++) if (Atomics.load(words, first + rank * slotWords) - phase < 0) return false
    return true
  }

  /** Whether all that touch this rank's arrays have finished. */
  #othersDone(operation: CollectiveOperation, number: number, phase: number): boolean {
    const at = (rank: number) => Atomics.load(this.#words, this.#slotOf(number, rank)) - phase >= 0
    if (operation.kind === 'barrier') return true
    if (operation.kind === 'gather') return this.rank === operation.root || at(operation.root)
    if ((operation.kind === 'broadcast' || operation.kind === 'scatter') && this.rank !== operation.root) return true
    return this.#allAt(number, phase)
  }

  /** Ranks that the current phase still lacks. */
  #behind(number: number): number[] {
    const base = 2 * Math.floor(number / slotsPerGroup)
    const phases = Array.from({ length: this.size }, (_, rank) => Atomics.load(this.#words, this.#slotOf(number, rank)))
    const lowest = Math.min(base + 2, Math.min(...phases) + 1)
    return phases.flatMap((phase, rank) => (phase < lowest && rank !== this.rank ? [rank] : []))
  }

  /** Publishes a phase and wakes the others. */
  #reach(own: number, phase: number): void {
    if (Atomics.load(this.#words, own + slot.phase) - phase >= 0) return
    Atomics.store(this.#words, own + slot.phase, phase)
    const { control, index } = this.#lane
    for (const member of this.#group.members) if (member !== index) control.ring(member)
  }

  /** Sends and receives for the schedule of a collective whose arrays do not all lie in the segment. */
  #link(number: number): Link {
    const tag = 2 * tagLimit + (number % tagLimit)
    const start = (steps: Steps, label: string) => this.engine.spawn(steps, { label })
    return {
      rank: this.rank,
      size: this.size,
      hostOf: this.hostOf,
      pieceBytes: this.workspace.pieceBytes,
      send: (data, to) => start(this.send(data, to, tag), 'send'),
      recv: (into, from) => start(this.recv(into, from, tag), 'recv'),
      take: (like, length) => this.workspace.take(like, length),
      giveBack: (array) => this.workspace.giveBack(array),
      reduce: fold,
      copy,
    }
  }
}

const nothing = new Uint8Array(0)
/** The groups of the rank threads and of the service threads come first and are never given back. */
export const firstSplitGroup = 2

function groupAt(lane: Lane, index: number): number {
  return lane.control.layout.group(index) / 4
}

/** Takes an entry of the group table for `size` members; -1 when all are in use. */
function takeGroup(lane: Lane, size: number): number {
  const { words, layout } = lane.control
  for (let index = firstSplitGroup; index < maxGroups; index++) {
    const at = groupAt(lane, index)
    if (Atomics.compareExchange(words, at + groupHead.inUse, 0, 1) !== 0) continue
    words.fill(0, at + groupHeadWords, at + layout.groupBytes / 4)
    words[at + groupHead.generation] = (words[at + groupHead.generation] as number) + 1
    Atomics.store(words, at + groupHead.open, size)
    return index
  }
  return -1
}
