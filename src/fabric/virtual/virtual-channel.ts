/**
 * The `virtual` transport: messages and collectives between processes of one {@link VirtualWorld}.
 *
 * A message of n bytes posted at time s arrives when both ports have had the time for it (α latency, β seconds a byte):
 *
 *   leaves   = max(s, sender's port free);   sender's port is busy until leaves + nβ
 *   arrives  = max(leaves + α, receiver's port free) + nβ
 *
 * and send and receive end at max(arrives, time of the receive). Collectives of the transport's own take what their formula says
 * (collectives/costs.ts), from the moment at which the last rank has come; the sum is made in rank order, as on `threads`.
 * @packageDocumentation
 */
import { ProtocolError } from '../../errors.ts'
import { dtypeOf, type NumericArray } from '../../memory/dtype.ts'
import { plannedTraffic } from '../collectives/costs.ts'
import { directShare } from '../collectives/direct.ts'
import { part } from '../collectives/link.ts'
import type { CollectiveKind } from '../communicator.ts'
import type { Channel, Workspace } from '../core/channel.ts'
import { copy } from '../core/fold.ts'
import { type CollectiveOperation, disagreement, headerWords, writeAgreeHeader, writeHeader, writeSplitHeader } from '../core/header.ts'
import type { Steps } from '../core/progress.ts'
import type { Transfer } from '../launch.ts'
import { VirtualEvent, type VirtualWorld } from './virtual-world.ts'

/** What a message costs. */
export interface VirtualCosts {
  readonly latencySeconds: number
  readonly secondsPerByte: number
}

/** Shared memory of one machine, roughly: 1 µs and 10 GB/s. */
export const defaultCosts: VirtualCosts = { latencySeconds: 1e-6, secondsPerByte: 1e-10 }

interface Posted {
  readonly data: NumericArray
  readonly time: number
  readonly event: VirtualEvent
}

interface Meeting {
  readonly event: VirtualEvent
  readonly headers: Int32Array
  readonly operations: (CollectiveOperation | undefined)[]
  readonly values: unknown[]
  readonly arrived: Set<number>
  latest: number
}

/** What all ends of a group share. */
export class VirtualGroup {
  readonly world: VirtualWorld
  readonly worldRanks: readonly number[]
  readonly hostOf: readonly number[]
  readonly costs: VirtualCosts
  readonly ports: VirtualPorts
  readonly sends = new Map<string, Posted[]>()
  readonly recvs = new Map<string, Posted[]>()
  readonly meetings = new Map<number, Meeting>()
  readonly children = new Map<string, VirtualGroup>()

  constructor(
    world: VirtualWorld,
    worldRanks: readonly number[],
    hostOf: readonly number[],
    costs: VirtualCosts,
    ports = new VirtualPorts(),
  ) {
    this.world = world
    this.worldRanks = worldRanks
    this.hostOf = hostOf
    this.costs = costs
    this.ports = ports
  }

  /** Messages that leave now, without their data; what a rank sends itself takes no time. Happens when the last one arrives. */
  carry(transfers: readonly Transfer[], label: string): VirtualEvent {
    const { now } = this.world
    const leaving = transfers.filter(({ from, to }) => from !== to)
    const event = new VirtualEvent(this.world, label)
    event.complete(Math.max(now, ...leaving.map(({ from, to, bytes }) => this.ports.carry(from, to, bytes, now, this.costs))))
    return event
  }
}

/** When each rank's way out and way in are free again. */
export class VirtualPorts {
  readonly out = new Map<number, number>()
  readonly in = new Map<number, number>()

  /** Books a message; returns when it arrives. */
  carry(from: number, to: number, bytes: number, posted: number, costs: VirtualCosts): number {
    const seconds = bytes * costs.secondsPerByte
    const leaves = Math.max(posted, this.out.get(from) ?? 0)
    this.out.set(from, leaves + seconds)
    const arrives = Math.max(leaves + costs.latencySeconds, this.in.get(to) ?? 0) + seconds
    this.in.set(to, arrives)
    return arrives
  }
}

/** Arrays are all in one thread: scratch is any memory, and no message needs to be cut. */
const heap: Workspace = {
  pieceBytes: Number.POSITIVE_INFINITY,
  take: (like, length) => new (like.constructor as new (length: number) => typeof like)(length),
  giveBack: () => {},
}

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

/** One rank's end of a group. */
export class VirtualChannel implements Channel {
  readonly transport = 'virtual'
  readonly rank: number
  readonly size: number
  readonly hostOf: readonly number[]
  readonly engine: VirtualWorld
  readonly workspace = heap
  readonly natives: ReadonlySet<CollectiveKind>
  readonly polled = false
  readonly #group: VirtualGroup

  /** @param native - False when every message is to be seen (shaped links): collectives are then schedules. */
  constructor(group: VirtualGroup, rank: number, native = true) {
    this.#group = group
    this.rank = rank
    this.size = group.worldRanks.length
    this.hostOf = group.hostOf
    this.engine = group.world
    this.natives = native ? everyKind : new Set()
  }

  begin(): void {
    this.engine.check()
  }

  worldRank(rank: number): number {
    return this.#group.worldRanks[rank] as number
  }

  *send(data: NumericArray, to: number, tag: number): Steps {
    const key = `${this.rank} ${to} ${tag}`
    const other = shift(this.#group.recvs, key)
    const posted = { data, time: this.engine.now, event: this.#event('send', to) }
    if (other === undefined) push(this.#group.sends, key, posted)
    else this.#deliver(posted, other, this.rank, to, tag)
    yield posted.event
  }

  *recv(into: NumericArray, from: number, tag: number): Steps {
    const key = `${from} ${this.rank} ${tag}`
    const other = shift(this.#group.sends, key)
    const posted = { data: into, time: this.engine.now, event: this.#event('recv', from) }
    if (other === undefined) push(this.#group.recvs, key, posted)
    else this.#deliver(other, posted, from, this.rank, tag)
    yield posted.event
  }

  #event(what: string, peer: number): VirtualEvent {
    return new VirtualEvent(this.engine, what, () => [this.worldRank(peer)])
  }

  #deliver(sent: Posted, wanted: Posted, from: number, to: number, tag: number): void {
    const { ports, costs } = this.#group
    const described = [sent.data, wanted.data].map((array) => `${dtypeOf(array)}[${array.length}]`)
    const same = described[0] === described[1]
    if (same) copy(sent.data, wanted.data)
    const error = same
      ? undefined
      : new ProtocolError(
          `send/recv: rank ${this.worldRank(from)} sends ${described[0]} with tag ${tag} to rank ${this.worldRank(to)} — expected ${described[1]} ` +
            '(both sides must pass the same kind and length)',
          { ranks: [this.worldRank(from), this.worldRank(to)], tag },
        )
    const arrives = Math.max(ports.carry(this.worldRank(from), this.worldRank(to), sent.data.byteLength, sent.time, costs), wanted.time)
    sent.event.complete(arrives, error)
    wanted.event.complete(arrives, error)
  }

  behind(number: number): readonly number[] {
    return this.#absent(number)
  }

  collective(operation: CollectiveOperation, number: number): { steps: Steps; missing: () => readonly number[] } {
    const { event } = this.#meet(
      number,
      (words) => writeHeader(operation, words, this.rank * headerWords),
      operation,
      undefined,
      (meeting) => {
        const operations = meeting.operations as CollectiveOperation[]
        const data = (rank: number): NumericArray => (operations[rank] as { data: NumericArray }).data
        const passed = { data, part: (rank: number, start: number, end: number) => part(data(rank), start, end) }
        for (let rank = 0; rank < this.size; rank++) directShare(operations[rank] as CollectiveOperation, rank, this.size, passed)
        return meeting.latest + this.#seconds(operations)
      },
    )
    return { steps: wait(event), missing: () => this.#absent(number) }
  }

  check(operation: CollectiveOperation, number: number): Steps {
    return wait(
      this.#meet(
        number,
        (words) => writeHeader(operation, words, this.rank * headerWords),
        operation,
        undefined,
        () => 0,
      ).event,
    )
  }

  agree(fingerprint: string, number: number): Steps {
    return wait(
      this.#meet(
        number,
        (words) => writeAgreeHeader(fingerprint, words, this.rank * headerWords),
        undefined,
        undefined,
        () => 0,
      ).event,
    )
  }

  split(color: number, key: number, number: number): { steps: Steps; channel: () => Channel } {
    const meeting = this.#meet(
      number,
      (words) => writeSplitHeader(words, this.rank * headerWords),
      undefined,
      { color, key },
      () => 0,
    )
    const native = this.natives.size > 0
    return {
      steps: wait(meeting.event),
      channel: () => {
        const values = meeting.values as { color: number; key: number }[]
        const ranks = values
          .flatMap((value, rank) => (value.color === color ? [rank] : []))
          .sort((a, b) => (values[a] as { key: number }).key - (values[b] as { key: number }).key || a - b)
        const { world, hostOf, costs, ports, children } = this.#group
        const id = `${number}:${color}`
        const child =
          children.get(id) ??
          new VirtualGroup(
            world,
            ranks.map((rank) => this.worldRank(rank)),
            ranks.map((rank) => hostOf[rank] as number),
            costs,
            ports,
          )
        children.set(id, child)
        return new VirtualChannel(child, ranks.indexOf(this.rank), native)
      },
    }
  }

  close(): void {}

  /** Ranks come together; the last one does the work and says when it is done. Time 0 means: as if nobody had waited. */
  #meet(
    number: number,
    write: (words: Int32Array) => void,
    operation: CollectiveOperation | undefined,
    value: unknown,
    work: (meeting: Meeting) => number,
  ): Meeting {
    const { meetings } = this.#group
    const meeting = meetings.get(number) ?? {
      event: new VirtualEvent(this.engine, `collective #${number}`, () => this.#absent(number)),
      headers: new Int32Array(this.size * headerWords),
      operations: [],
      values: [],
      arrived: new Set<number>(),
      latest: 0,
    }
    meetings.set(number, meeting)
    write(meeting.headers)
    meeting.operations[this.rank] = operation
    meeting.values[this.rank] = value
    meeting.arrived.add(this.rank)
    meeting.latest = Math.max(meeting.latest, this.engine.now)
    if (meeting.arrived.size === this.size) {
      meetings.delete(number)
      const error = disagreement(meeting.headers, this.size, headerWords, number)
      meeting.event.complete(error === undefined ? work(meeting) : meeting.latest, error)
    }
    return meeting
  }

  #absent(number: number): readonly number[] {
    const meeting = this.#group.meetings.get(number)
    if (meeting === undefined) return []
    return this.#group.worldRanks.filter((_, rank) => !meeting.arrived.has(rank))
  }

  #seconds(operations: readonly CollectiveOperation[]): number {
    const { latencySeconds, secondsPerByte } = this.#group.costs
    let seconds = 0
    for (const [rank, operation] of operations.entries()) {
      const { rounds, sends } = plannedTraffic(operation, rank, this.size, this.hostOf)
      const bytes = sends.reduce((sum, send) => sum + send.bytes, 0)
      seconds = Math.max(seconds, rounds * latencySeconds + bytes * secondsPerByte)
    }
    return seconds
  }
}

function* wait(event: VirtualEvent): Steps {
  yield event
}

function push(map: Map<string, Posted[]>, key: string, posted: Posted): void {
  const queue = map.get(key)
  if (queue === undefined) map.set(key, [posted])
  else queue.push(posted)
}

function shift(map: Map<string, Posted[]>, key: string): Posted | undefined {
  const queue = map.get(key)
  const posted = queue?.shift()
  if (queue?.length === 0) map.delete(key)
  return posted
}
