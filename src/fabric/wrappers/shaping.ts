/**
 * A slower wire: every message of this communicator (and of the groups made from it) leaves its rank no earlier than the limits allow.
 *
 *   leaves = max(now, last message left) + bytes / bandwidth + latency
 *
 * A rank's other communicators (its service thread's, its mailbox) have the same limits each, and nothing holds back what arrives.
 * Collectives run as schedules (the transport's own would hide their messages), so each of their messages is held back as well.
 * @packageDocumentation
 */
import type { NumericArray } from '../../memory/dtype.ts'
import type { CollectiveKind, Operation } from '../communicator.ts'
import type { Channel } from '../core/channel.ts'
import type { CollectiveOperation } from '../core/header.ts'
import { moved, type Steps } from '../core/progress.ts'
import type { LinkShape } from '../launch.ts'

const none: ReadonlySet<CollectiveKind> = new Set()

/** A channel whose messages leave late. */
export class ShapedChannel implements Channel {
  readonly natives = none
  readonly polled = true
  readonly #inner: Channel
  readonly #shape: LinkShape
  readonly #state: { free: number; posted: number; left: number }

  constructor(inner: Channel, shape: LinkShape, state = { free: 0, posted: 0, left: 0 }) {
    this.#inner = inner
    this.#shape = shape
    this.#state = state
  }

  get transport() {
    return this.#inner.transport
  }
  get rank() {
    return this.#inner.rank
  }
  get size() {
    return this.#inner.size
  }
  get hostOf() {
    return this.#inner.hostOf
  }
  get engine() {
    return this.#inner.engine
  }
  get workspace() {
    return this.#inner.workspace
  }

  begin(): void {
    this.#inner.begin()
  }

  worldRank(rank: number): number {
    return this.#inner.worldRank(rank)
  }

  *send(data: NumericArray, to: number, tag: number): Steps {
    const sending = this.#inner.send(data, to, tag)
    if (to !== this.rank) {
      const { latencyMs = 0, bandwidthBytesPerS = Number.POSITIVE_INFINITY } = this.#shape
      const state = this.#state
      const free = Math.max(performance.now(), state.free) + (1000 * data.byteLength) / bandwidthBytesPerS
      state.free = free
      // In the order in which they were posted, even where two become due between two looks.
      const order = state.posted++
      while (state.left !== order || performance.now() < free + latencyMs) yield undefined
      const left = sending.next()
      state.left++
      yield moved
      if (left.done === true) return
    }
    yield* sending
  }

  recv(into: NumericArray, from: number, tag: number): Steps {
    return this.#inner.recv(into, from, tag)
  }

  check(operation: CollectiveOperation, number: number): Steps | undefined {
    return this.#inner.check(operation, number)
  }

  collective(operation: CollectiveOperation, number: number): { readonly steps: Steps } {
    return this.#inner.collective(operation, number)
  }

  runAtOnce(_operation: Operation, _number: number): boolean {
    return false
  }

  agree(fingerprint: string, number: number): Steps {
    return this.#inner.agree(fingerprint, number)
  }

  split(color: number, key: number, number: number): { readonly steps: Steps; readonly channel: () => Channel } {
    const { steps, channel } = this.#inner.split(color, key, number)
    return { steps, channel: () => new ShapedChannel(channel(), this.#shape, this.#state) }
  }

  close(): void {
    this.#inner.close()
  }
}
