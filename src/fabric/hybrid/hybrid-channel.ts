/**
 * The `hybrid` transport: processes with several rank threads each. Inside a process ranks share memory, between processes MPI carries the data.
 *
 *   allReduce, 2 processes × 2 threads            send/recv
 *
 *   process 0     process 1                       same process: the thread mailbox
 *   0 ◀─fold─ 1   2 ◀─fold─ 3    shared memory    other process: MPI on the communicator of the pair
 *   0 ◀═════════════▶ 2          MPI              (source thread, destination thread), so that the threads of a
 *   0 ─copy─▶ 1   2 ─copy─▶ 3    shared memory    process never take each other's messages
 *
 * Only the first thread of each process calls MPI's collectives. Kinds without such a composition, and groups made by `split`, run as schedules
 * over send and recv.
 * @packageDocumentation
 */
import { TransportError } from '../../errors.ts'
import type { NumericArray } from '../../memory/dtype.ts'
import type { PlannedTraffic } from '../collectives/costs.ts'
import type { Link } from '../collectives/link.ts'
import { ringAllGather } from '../collectives/ring.ts'
import type { CollectiveKind } from '../communicator.ts'
import type { Lane } from '../control/lane.ts'
import type { Channel } from '../core/channel.ts'
import { copy, fold } from '../core/fold.ts'
import { type CollectiveOperation, disagreement, headerWords, writeAgreeHeader, writeHeader, writeSplitHeader } from '../core/header.ts'
import { tagLimit } from '../core/operation.ts'
import type { Steps, Waitable } from '../core/progress.ts'
import type { Mpi, Pointer } from '../mpi/bindings.ts'
import { startedRecv, startedSend } from '../mpi/mpi-requests.ts'
import type { Mailbox } from '../threads/mailbox.ts'
import type { Composition } from './composition.ts'

/** Tags of one context: the user's, the schedules' and the header checks'. */
const tagsPerContext = 4 * tagLimit
const checkTags = 3 * tagLimit
/** What is left of MPI's tags. */
const maxContexts = 2 ** 31 / tagsPerContext
/** Contexts of thread mailboxes that cannot be those of thread groups. */
const mailboxContexts = 2 ** 30

const composed: ReadonlySet<CollectiveKind> = new Set(['barrier', 'broadcast', 'reduce', 'allReduce'])
const none: ReadonlySet<CollectiveKind> = new Set()

/** A rank as process and thread in it. */
export interface Seat {
  readonly process: number
  readonly local: number
}

/** What the groups of one thread share. */
export interface HybridPlace {
  readonly mpi: Mpi
  readonly lane: Lane
  readonly mailbox: Mailbox
  readonly own: Seat
  /** `[source local][destination local]` → communicator. */
  readonly lanes: readonly (readonly Pointer[])[]
  /** Lane of a local rank in this process. */
  laneOf(local: number): number
  /** Next free context, agreed on at each split. */
  readonly contexts: { next: number }
}

/** A group of ranks over several processes. */
export interface HybridGroup {
  readonly seats: readonly Seat[]
  readonly worldRanks: readonly number[]
  readonly hostOf: readonly number[]
  readonly context: number
  /** Only for groups of all ranks. */
  readonly composition: Composition | undefined
  readonly agreed: boolean
}

/** One rank's end of such a group. */
export class HybridChannel implements Channel {
  readonly transport = 'hybrid'
  readonly rank: number
  readonly size: number
  readonly hostOf: readonly number[]
  readonly engine: Lane['progress']
  readonly workspace: Lane
  readonly natives: ReadonlySet<CollectiveKind>
  readonly polled = true
  readonly #place: HybridPlace
  readonly #group: HybridGroup
  #agreed: boolean

  constructor(place: HybridPlace, group: HybridGroup) {
    this.#place = place
    this.#group = group
    this.#agreed = group.agreed
    this.rank = group.seats.findIndex((seat) => seat.process === place.own.process && seat.local === place.own.local)
    this.size = group.seats.length
    this.hostOf = group.hostOf
    this.engine = place.lane.progress
    this.workspace = place.lane
    this.natives = group.composition === undefined ? none : composed
  }

  begin(): void {
    this.#place.lane.beginOperation()
  }

  worldRank(rank: number): number {
    return this.#group.worldRanks[rank] as number
  }

  send(data: NumericArray, to: number, tag: number): Steps {
    const { mpi, own, lanes, mailbox, laneOf } = this.#place
    const seat = this.#group.seats[to] as Seat
    if (seat.process === own.process) return mailbox.send(data, laneOf(seat.local), tag, mailboxContexts + this.#group.context)
    return startedSend(mpi, lanes[own.local]?.[seat.local] as Pointer, data, seat.process, this.#group.context * tagsPerContext + tag)
  }

  recv(into: NumericArray, from: number, tag: number): Steps {
    const { mpi, own, lanes, mailbox, laneOf } = this.#place
    const seat = this.#group.seats[from] as Seat
    if (seat.process === own.process) return mailbox.recv(into, laneOf(seat.local), tag, mailboxContexts + this.#group.context)
    return startedRecv(mpi, lanes[seat.local]?.[own.local] as Pointer, into, seat.process, this.#group.context * tagsPerContext + tag)
  }

  check(operation: CollectiveOperation, number: number): Steps | undefined {
    return this.#agreed ? undefined : this.#compare(number, (words) => writeHeader(operation, words))
  }

  collective(operation: CollectiveOperation, number: number): { steps: Steps } {
    return { steps: (this.#group.composition as Composition).start(operation, this.check(operation, number)) }
  }

  planned(operation: CollectiveOperation): PlannedTraffic {
    return (this.#group.composition as Composition).planned(operation)
  }

  agree(fingerprint: string, number: number): Steps {
    return this.#agree(fingerprint, number)
  }

  *#agree(fingerprint: string, number: number): Steps {
    yield* this.#compare(number, (words) => writeAgreeHeader(fingerprint, words))
    this.#agreed = true
  }

  /** All headers reach all ranks by a ring of small messages. */
  *#compare(number: number, write: (words: Int32Array) => void): Steps {
    const headers = yield* this.#gatherWords(number, headerWords, write)
    const error = disagreement(headers, this.size, headerWords, number)
    if (error !== undefined) throw error
  }

  *#gatherWords(number: number, words: number, write: (words: Int32Array) => void): Generator<Waitable | undefined, Int32Array, void> {
    const own = new Int32Array(words)
    const every = new Int32Array(words * this.size)
    write(own)
    yield* ringAllGather(this.#link(checkTags + (number % tagLimit)), own, every)
    return every
  }

  split(color: number, key: number, number: number): { steps: Steps; channel: () => Channel } {
    let group: HybridGroup | undefined
    const steps = this.#split(color, key, number, (made) => {
      group = made
    })
    return { steps, channel: () => new HybridChannel(this.#place, group as HybridGroup) }
  }

  *#split(color: number, key: number, number: number, made: (group: HybridGroup) => void): Steps {
    const { contexts } = this.#place
    yield* this.#compare(number, (words) => writeSplitHeader(words))
    const width = 3
    const asked = yield* this.#gatherWords(number, width, (words) => words.set([color, key, contexts.next]))
    const of = (rank: number, word: number): number => asked[rank * width + word] as number
    const ranks = Array.from({ length: this.size }, (_, rank) => rank)
    const colors = [...new Set(ranks.map((rank) => of(rank, 0)))].sort((a, b) => a - b)
    // The same on all ranks: beyond what any of them has used, one context a colour.
    const first = Math.max(...ranks.map((rank) => of(rank, 2)))
    contexts.next = first + colors.length
    const context = first + colors.indexOf(color)
    if (contexts.next > maxContexts)
      throw new TransportError(
        `split: no tags left — expected at most ${maxContexts} groups in a run, got ${contexts.next} (reuse communicators)`,
      )
    const members = ranks.filter((rank) => of(rank, 0) === color).sort((a, b) => of(a, 1) - of(b, 1) || a - b)
    made({
      seats: members.map((rank) => this.#group.seats[rank] as Seat),
      worldRanks: members.map((rank) => this.worldRank(rank)),
      hostOf: members.map((rank) => this.hostOf[rank] as number),
      context,
      composition: undefined,
      agreed: this.#agreed,
    })
  }

  close(): void {}

  #link(tag: number): Link {
    const start = (steps: Steps, label: string) => this.engine.spawn(steps, { label, polled: true })
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
