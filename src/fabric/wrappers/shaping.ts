/**
 * A slower wire: every message of this rank leaves no earlier than the limits allow.
 *
 *   leaves = max(now, last message left) + bytes / bandwidth + latency
 *
 * Collectives run as schedules (the transport's own would hide their messages), so each of their messages is held back as well.
 * @packageDocumentation
 */
import type { NumericArray } from '../../memory/dtype.ts'
import type { CollectiveKind, Operation } from '../communicator.ts'
import type { Channel } from '../core/channel.ts'
import type { CollectiveOperation } from '../core/header.ts'
import type { Steps } from '../core/progress.ts'
import type { LinkShape } from '../launch.ts'

const none: ReadonlySet<CollectiveKind> = new Set()

/** A channel whose messages leave late. */
export class ShapedChannel implements Channel {
  readonly natives = none
  readonly polled = true
  readonly #inner: Channel
  readonly #shape: LinkShape
  readonly #state: { free: number }

  constructor(inner: Channel, shape: LinkShape, state = { free: 0 }) {
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
    if (to !== this.rank) {
      const { latencyMs = 0, bandwidthBytesPerS = Number.POSITIVE_INFINITY } = this.#shape
      const now = performance.now()
      const free = Math.max(now, this.#state.free) + (1000 * data.byteLength) / bandwidthBytesPerS
      this.#state.free = free
      while (performance.now() < free + latencyMs) yield undefined
    }
    yield* this.#inner.send(data, to, tag)
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
