/**
 * Messages between two threads of one process: the sender posts where its data lies, the receiver copies from there, and nothing else moves.
 *
 *   sender                       slot                        receiver
 *   ───────────────────────────  ──────────────────────────  ──────────────────────────────────────────
 *   array in the segment         free → posted               finds tag and context, copies, → taken
 *   sees taken, ends             → free
 *
 *   array elsewhere              free → offered              finds it, → wanted
 *   fills its exchange buffer    → chunk                     copies the chunk, → wanted (again) or taken (last)
 *
 * The exchange buffer is taken only once the receiver has asked, so a message that nobody wants yet does not keep another one back.
 * @packageDocumentation
 */
import { ProtocolError } from '../../errors.ts'
import { type DType, dtypeOf, type NumericArray } from '../../memory/dtype.ts'
import { Segment } from '../../memory/segment.ts'
import { exchangeBytes, message, messageWords, slotsPerMailbox } from '../control/control-layout.ts'
import type { Lane } from '../control/lane.ts'
import { copy } from '../core/fold.ts'
import { moved, type Steps } from '../core/progress.ts'

const state = { free: 0, posted: 1, offered: 2, wanted: 3, chunk: 4, taken: 5, refused: 6 } as const
const dtypes = ['float32', 'float64', 'int32', 'uint8'] as const satisfies readonly DType[]

/** The sending and receiving of one lane. */
export class Mailbox {
  readonly #lane: Lane
  readonly #words: Int32Array<SharedArrayBuffer>
  /** Per destination: next order number, and whose turn it is to post. */
  readonly #next = new Map<number, number>()
  readonly #turn = new Map<number, number>()
  /** One message at a time goes through the exchange buffer. */
  #staging = false
  /** Receives that are under way, by source, tag and context. */
  readonly #queues = new Map<string, { next: number; turn: number }>()

  constructor(lane: Lane) {
    this.#lane = lane
    this.#words = lane.control.words
  }

  /** Sends to lane `to`; ends when the receiver has copied. */
  *send(data: NumericArray, to: number, tag: number, context: number): Steps {
    const order = this.#next.get(to) ?? 0
    this.#next.set(to, order + 1)
    // Posted strictly in order, because a receiver takes the first message that fits.
    while ((this.#turn.get(to) ?? 0) !== order) yield undefined
    let at = this.#free()
    while (at < 0) {
      yield undefined
      at = this.#free()
    }
    this.#turn.set(to, order + 1)
    if (order + 1 !== this.#next.get(to)) yield moved
    const words = this.#words
    const inside = Segment.of(data) === this.#lane.control.segment
    words[at + message.context] = context
    words[at + message.tag] = tag
    words[at + message.order] = order
    words[at + message.dtype] = (dtypes as readonly string[]).indexOf(dtypeOf(data))
    words[at + message.length] = data.length
    words[at + message.offset] = data.byteOffset
    words[at + message.destination] = to
    // Counted before it can be seen: a receiver that saw it uncounted would end its search before an earlier message in a later slot.
    Atomics.add(words, this.#waiting(this.#lane.index, to), 1)
    Atomics.store(words, at, inside ? state.posted : state.offered)
    this.#lane.control.ring(to)
    if (!inside) yield* this.#stage(data, at, to)
    while (Atomics.load(words, at) < state.taken) yield undefined
    const refused = Atomics.load(words, at) === state.refused
    const wanted = words[at + message.length] as number
    Atomics.store(words, at, state.free)
    if (refused)
      throw mismatch(
        this.#lane.worldRank(this.#lane.index),
        this.#lane.worldRank(to),
        tag,
        describe(data),
        `an array of ${wanted} elements of the receiver's kind`,
      )
  }

  *#stage(data: NumericArray, at: number, to: number): Steps {
    const { control, index } = this.#lane
    const words = this.#words
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    const exchange = new Uint8Array(control.segment.buffer, control.byteOffset + control.layout.exchange(index), exchangeBytes)
    for (let start = 0; ; ) {
      while (Atomics.load(words, at) !== state.wanted) {
        if (Atomics.load(words, at) >= state.taken) return
        yield undefined
      }
      while (this.#staging) yield undefined
      this.#staging = true
      const length = Math.min(exchangeBytes, bytes.length - start)
      exchange.set(bytes.subarray(start, start + length))
      words[at + message.chunkBytes] = length
      this.#set(at, state.chunk, to)
      while (Atomics.load(words, at) === state.chunk) yield undefined
      this.#staging = false
      start += length
      yield moved
    }
  }

  /** Receives from lane `from`; ends when `into` is filled. */
  *recv(into: NumericArray, from: number, tag: number, context: number): Steps {
    const words = this.#words
    const key = `${from} ${tag} ${context}`
    const queue = this.#queues.get(key) ?? { next: 0, turn: 0 }
    this.#queues.set(key, queue)
    const turn = queue.next++
    let at = -1
    // Receives of the same messages take them in the order in which they were started.
    for (;;) {
      if (queue.turn === turn) at = this.#match(from, tag, context)
      if (at >= 0) break
      yield undefined
    }
    queue.turn++
    if (queue.turn === queue.next) this.#queues.delete(key)
    Atomics.sub(words, this.#waiting(from, this.#lane.index), 1)
    const offered = Atomics.load(words, at) === state.offered
    const dtype = dtypes[words[at + message.dtype] as number] as DType
    const length = words[at + message.length] as number
    if (length !== into.length || dtype !== dtypeOf(into)) {
      words[at + message.length] = into.length
      this.#set(at, state.refused, from)
      throw mismatch(this.#lane.worldRank(from), this.#lane.worldRank(this.#lane.index), tag, `${dtype}[${length}]`, describe(into))
    }
    if (offered) {
      yield moved
      yield* this.#unstage(into, at, from)
    } else {
      const { segment } = this.#lane.control
      copy(segment.view({ segment: segment.id, byteOffset: (words[at + message.offset] as number) >>> 0, length, dtype }), into)
    }
    this.#set(at, state.taken, from)
  }

  *#unstage(into: NumericArray, at: number, from: number): Steps {
    const { control } = this.#lane
    const words = this.#words
    const bytes = new Uint8Array(into.buffer, into.byteOffset, into.byteLength)
    const exchange = new Uint8Array(control.segment.buffer, control.byteOffset + control.layout.exchange(from), exchangeBytes)
    for (let start = 0; start < bytes.length; ) {
      this.#set(at, state.wanted, from)
      while (Atomics.load(words, at) !== state.chunk) yield undefined
      const length = words[at + message.chunkBytes] as number
      bytes.set(exchange.subarray(0, length), start)
      start += length
    }
  }

  /** The first posted message that fits. */
  #match(from: number, tag: number, context: number): number {
    const words = this.#words
    const waiting = Atomics.load(words, this.#waiting(from, this.#lane.index))
    let best = -1
    for (let slot = 0, seen = 0; seen < waiting && slot < slotsPerMailbox; slot++) {
      const at = this.#slot(from, slot)
      const now = Atomics.load(words, at)
      if ((now !== state.posted && now !== state.offered) || words[at + message.destination] !== this.#lane.index) continue
      seen++
      if (words[at + message.tag] !== tag || words[at + message.context] !== context) continue
      if (best < 0 || (((words[at + message.order] as number) - (words[best + message.order] as number)) | 0) < 0) best = at
    }
    return best
  }

  /** The first free slot, so that receivers need not look far. */
  #free(): number {
    for (let slot = 0; slot < slotsPerMailbox; slot++) {
      const at = this.#slot(this.#lane.index, slot)
      if (Atomics.load(this.#words, at) === state.free) return at
    }
    return -1
  }

  #slot(source: number, slot: number): number {
    return this.#lane.control.layout.mailbox(source) / 4 + slot * messageWords
  }

  #waiting(source: number, destination: number): number {
    return this.#lane.control.layout.waiting(source, destination) / 4
  }

  #set(at: number, value: number, other: number): void {
    Atomics.store(this.#words, at, value)
    this.#lane.control.ring(other)
  }
}

function describe(array: NumericArray): string {
  return `${dtypeOf(array)}[${array.length}]`
}

function mismatch(from: number, to: number, tag: number, sent: string, expected: string): ProtocolError {
  return new ProtocolError(
    `send/recv: rank ${from} sends ${sent} with tag ${tag} to rank ${to} — expected ${expected} (both sides must pass the same kind and length)`,
    { ranks: [from, to], tag },
  )
}
