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
import type { Steps } from '../core/progress.ts'

const state = { free: 0, posted: 1, offered: 2, matched: 3, wanted: 4, chunk: 5, taken: 6, refused: 7 } as const
const dtypes = ['float32', 'float64', 'int32', 'uint8'] as const satisfies readonly DType[]

/** The sending and receiving of one lane. */
export class Mailbox {
  readonly #lane: Lane
  readonly #words: Int32Array<SharedArrayBuffer>
  /** Per destination: next order number, and whose turn it is to post. */
  readonly #next = new Map<number, number>()
  readonly #turn = new Map<number, number>()
  #staging = false

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
    let at = this.#free(to)
    while (at < 0) {
      yield undefined
      at = this.#free(to)
    }
    this.#turn.set(to, order + 1)
    const words = this.#words
    const inside = Segment.of(data) === this.#lane.control.segment
    words[at + message.context] = context
    words[at + message.tag] = tag
    words[at + message.order] = order
    words[at + message.dtype] = (dtypes as readonly string[]).indexOf(dtypeOf(data))
    words[at + message.length] = data.length
    words[at + message.offset] = data.byteOffset
    this.#set(at, inside ? state.posted : state.offered, to)
    if (!inside) yield* this.#stage(data, at, to)
    while (Atomics.load(words, at) < state.taken) yield undefined
    const refused = Atomics.load(words, at) === state.refused
    const wanted = words[at + message.length] as number
    Atomics.store(words, at, state.free)
    if (refused) throw mismatch(this.#lane.worldRank(this.#lane.index), this.#lane.worldRank(to), tag, describe(data), `an array of ${wanted} elements of the receiver's kind`)
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
    }
  }

  /** Receives from lane `from`; ends when `into` is filled. */
  *recv(into: NumericArray, from: number, tag: number, context: number): Steps {
    const words = this.#words
    let at = this.#match(from, tag, context)
    while (at < 0) {
      yield undefined
      at = this.#match(from, tag, context)
    }
    const offered = Atomics.load(words, at) === state.offered
    const dtype = dtypes[words[at + message.dtype] as number] as DType
    const length = words[at + message.length] as number
    if (length !== into.length || dtype !== dtypeOf(into)) {
      words[at + message.length] = into.length
      this.#set(at, state.refused, from)
      throw mismatch(this.#lane.worldRank(from), this.#lane.worldRank(this.#lane.index), tag, `${dtype}[${length}]`, describe(into))
    }
    if (offered) yield* this.#unstage(into, at, from)
    else {
      // Marked first: a second receive of the same tag must not take it as well.
      Atomics.store(words, at, state.matched)
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
    let best = -1
    for (let slot = 0; slot < slotsPerMailbox; slot++) {
      const at = this.#slot(from, this.#lane.index, slot)
      const now = Atomics.load(words, at)
      if (now !== state.posted && now !== state.offered) continue
      if (words[at + message.tag] !== tag || words[at + message.context] !== context) continue
      if (best < 0 || (((words[at + message.order] as number) - (words[best + message.order] as number)) | 0) < 0) best = at
    }
    return best
  }

  #free(to: number): number {
    for (let slot = 0; slot < slotsPerMailbox; slot++) {
      const at = this.#slot(this.#lane.index, to, slot)
      if (Atomics.load(this.#words, at) === state.free) return at
    }
    return -1
  }

  #slot(source: number, destination: number, slot: number): number {
    return this.#lane.control.layout.mailbox(source, destination) / 4 + slot * messageWords
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
