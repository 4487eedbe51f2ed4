/**
 * The parameter server between processes: shard s of the flat parameters lives with rank s, whose service thread answers while the rank computes.
 * Every worker sends every server one message a step and gets one back, when the admission rule allows:
 *
 *   worker → server   [kind, clock, …16 floats | gradient of the shard]     tag 1
 *   server → worker   [lead, …16 floats | parameters of the shard]          tag 2
 *
 * The tail (loss, stop, save) travels in the 16 floats of the message to shard 0. A snapshot is answered with parameters, slots and clocks, tag 3.
 * @packageDocumentation
 */
import { blockRange, type Communicator, type Request } from '../fabric/communicator.ts'
import type { RankEnvironment, RankTask } from '../fabric/launch.ts'
import { kernelsFor } from '../kernels/load.ts'
import type { Allocate } from './buffers.ts'
import { wait } from './executor.ts'
import type { TrainJob } from './job.ts'
import { tailLength } from './layout.ts'
import { type RateAt, retired, type StoreClient, type StoreState } from './store.ts'
import { messageHead as head, ownerCount, tailAt } from './store-messages.ts'
import { applyRule, makeSlots } from './update-rule.ts'

type Flat = Float32Array<ArrayBuffer>

const requestTag = 1
const replyTag = 2
const snapshotTag = 3
const kinds = { push: 1, pull: 2, retire: 3, snapshot: 4, close: 5 } as const

/** One rank's shard and its message buffers. */
export interface ShardMemory {
  readonly parameters: Flat
  readonly slots: readonly Flat[]
  /** Clock of every worker, as the service thread knows it; set by the rank before it starts. */
  readonly clocks: Int32Array<ArrayBuffer>
  /** Requests of every worker, each kept until it is answered: under bsp they are the gradients that are summed in rank order. */
  readonly inbox: readonly Flat[]
  readonly outbox: readonly Flat[]
  /** Worker's side: messages to and from every server. */
  readonly toServer: readonly Flat[]
  readonly fromServer: readonly Flat[]
  readonly snapshot: Flat
}

function shardOf(job: TrainJob, server: number, worldSize: number): { start: number; end: number } {
  return blockRange(job.layout.length, serverCount(job, worldSize), server)
}

/** How many ranks hold a shard. */
function serverCount(job: TrainJob, worldSize: number): number {
  return ownerCount((job.program.store as { shards: number }).shards, worldSize)
}

/** Lays out the memory of one rank: as a server, and as a worker of all servers. */
export function shardMemory(job: TrainJob, rank: number, worldSize: number, allocate: Allocate): ShardMemory {
  const servers = serverCount(job, worldSize)
  const { start, end } = rank < servers ? shardOf(job, rank, worldSize) : { start: 0, end: 0 }
  const length = end - start
  const messages = (count: number, size: (n: number) => number, label: string) =>
    Array.from({ length: count }, (_, n) => allocate('float32', head + size(n), `${label} ${n}`))
  const sizeOf = (server: number) => shardOf(job, server, worldSize).end - shardOf(job, server, worldSize).start
  const parameters = allocate('float32', length, 'shard parameters')
  const slots = makeSlots(job.optimizer, (name) => allocate('float32', length, `shard ${name}`))
  return {
    parameters,
    slots,
    clocks: allocate('int32', worldSize, 'shard clocks'),
    inbox: messages(worldSize, () => length, 'request of worker'),
    outbox: messages(worldSize, () => length, 'reply to worker'),
    toServer: messages(servers, sizeOf, 'request to server'),
    fromServer: messages(servers, sizeOf, 'reply of server'),
    snapshot: allocate('float32', worldSize + length * (1 + slots.length), 'shard snapshot'),
  }
}

/** The worker's side. */
export class ServedStore implements StoreClient {
  readonly #job: TrainJob
  readonly #rank: RankEnvironment
  readonly #memory: ShardMemory
  readonly #mailbox: Communicator
  #replies: Request[] = []
  lead = 0

  constructor(rank: RankEnvironment, job: TrainJob, memory: ShardMemory) {
    this.#job = job
    this.#rank = rank
    this.#memory = memory
    this.#mailbox = rank.mailbox as Communicator
  }

  adopt({ parameters, slots }: Omit<StoreState, 'clocks'>, step: number): void {
    const { start, end } = this.#shard(this.#rank.rank)
    this.#memory.parameters.set(parameters.subarray(start, end).subarray(0, this.#memory.parameters.length))
    for (const [index, slot] of slots.entries())
      this.#memory.slots[index]?.set(slot.subarray(start, end).subarray(0, this.#memory.parameters.length))
    this.#memory.clocks.fill(step)
  }

  *push(gradient: Flat, clock: number): RankTask {
    this.#expectReplies()
    yield* this.#send(kinds.push, clock, gradient)
  }

  *pull(into: Flat, clock: number): RankTask {
    if (this.#replies.length === 0) {
      // Nothing was pushed before: ask.
      this.#expectReplies()
      yield* this.#send(kinds.pull, clock)
    }
    for (const reply of this.#replies.splice(0)) yield reply
    for (const [server, message] of this.#memory.fromServer.entries()) {
      into.set(message.subarray(head), this.#shard(server).start)
      if (server === 0) into.set(message.subarray(tailAt, tailAt + tailLength), this.#job.layout.length)
    }
    this.lead = this.#memory.fromServer[0]?.[0] ?? 0
  }

  *retire(): RankTask {
    yield* this.#send(kinds.retire, 0)
  }

  *close(): RankTask {
    yield* this.#send(kinds.close, 0)
  }

  *snapshot(into: StoreState): RankTask {
    const { worldSize } = this.#rank
    const answers = this.#memory.toServer.map((_, server) => {
      const { start, end } = this.#shard(server)
      return { start, length: end - start, values: new Float32Array(worldSize + (end - start) * (1 + into.slots.length)) }
    })
    const received = answers.map(({ values }, from) =>
      this.#mailbox.start({ kind: 'recv', into: values, from, tag: snapshotTag }, { phase: 'checkpoint' }),
    )
    yield* this.#send(kinds.snapshot, 0)
    for (const request of received) yield request
    for (const { start, length, values } of answers) {
      for (let rank = 0; rank < worldSize; rank++) into.clocks[rank] = values[rank] as number
      into.parameters.set(values.subarray(worldSize, worldSize + length), start)
      for (const [index, slot] of into.slots.entries()) {
        const at = worldSize + (1 + index) * length
        slot.set(values.subarray(at, at + length), start)
      }
    }
  }

  #shard(server: number): { start: number; end: number } {
    return shardOf(this.#job, server, this.#rank.worldSize)
  }

  #expectReplies(): void {
    this.#replies = this.#memory.fromServer.map((into, from) =>
      this.#mailbox.start({ kind: 'recv', into, from, tag: replyTag }, { phase: 'pull' }),
    )
  }

  *#send(kind: number, clock: number, gradient?: Flat): RankTask {
    const { length } = this.#job.layout
    const phase = kind === kinds.push || kind === kinds.pull ? 'push' : 'store'
    const sent = this.#memory.toServer.map((data, to) => {
      data[0] = kind
      data[1] = clock
      if (gradient) {
        const { start, end } = this.#shard(to)
        data.set(gradient.subarray(length, length + tailLength), tailAt)
        data.set(gradient.subarray(start, end), head)
      }
      return this.#mailbox.start({ kind: 'send', data, to, tag: requestTag }, { phase })
    })
    for (const request of sent) yield request
  }
}

/** The server's side, on the service thread of a rank that holds a shard: returns when every worker has closed. */
export function* serveStore(rank: RankEnvironment, job: TrainJob, memory: ShardMemory, rateAt: RateAt): RankTask {
  const { worldSize } = rank
  if (rank.rank >= serverCount(job, worldSize)) return
  const mailbox = rank.mailbox as Communicator
  const kernels = kernelsFor(rank.segment)
  const { start } = shardOf(job, rank.rank, worldSize)
  const layout = shardLayout(job, start, memory.parameters.length)
  const { admission } = (job.program.store ?? { admission: { kind: 'asp' } }) as { admission: { kind: string; staleness?: number } }
  const bsp = admission.kind === 'bsp'
  const receive = (worker: number) =>
    mailbox.start({ kind: 'recv', into: memory.inbox[worker] as Flat, from: worker, tag: requestTag }, { phase: 'push' })
  const requests = Array.from({ length: worldSize }, (_, worker): Request | undefined => receive(worker))
  /** Workers that wait for a reply, with the clock that they are at. */
  const waiting = new Map<number, number>()
  const first = (memory.clocks[0] as number) * (bsp ? 1 : worldSize)
  let applied = first
  let pushed = 0
  const tailSum = new Float32Array(tailLength)
  let open = worldSize

  while (open > 0) {
    let worker = -1
    yield* wait(
      rank.until('requests of workers', () => {
        worker = requests.findIndex((request) => request?.test() === true)
        return worker >= 0
      }),
    )
    yield* take(worker)
    yield* answer()
  }

  function* take(worker: number): RankTask {
    const message = memory.inbox[worker] as Flat
    const kind = message[0] as number
    const clock = message[1] as number
    requests[worker] = undefined
    if (kind === kinds.push) {
      memory.clocks[worker] = clock
      if (bsp) pushed++
      else update(message.subarray(head), ++applied)
      waiting.set(worker, clock)
      if (bsp && pushed === worldSize) {
        const sum = memory.inbox[0] as Flat
        for (const other of memory.inbox.slice(1)) kernels.reduce('sum', sum.subarray(tailAt), other.subarray(tailAt), sum.subarray(tailAt))
        update(sum.subarray(head), ++applied)
        tailSum.set(sum.subarray(tailAt, tailAt + tailLength))
        pushed = 0
      }
    } else if (kind === kinds.pull) waiting.set(worker, clock)
    else if (kind === kinds.retire) {
      memory.clocks[worker] = retired
      requests[worker] = receive(worker)
    } else if (kind === kinds.close) open--
    else yield* snapshot(worker)
  }

  function* snapshot(worker: number): RankTask {
    const { snapshot: into, clocks, parameters, slots } = memory
    into.set(clocks)
    into.set(parameters, worldSize)
    for (const [index, slot] of slots.entries()) into.set(slot, worldSize + (1 + index) * parameters.length)
    yield* wait(mailbox.start({ kind: 'send', data: into, to: worker, tag: snapshotTag }, { phase: 'checkpoint' }))
    requests[worker] = receive(worker)
  }

  /** Replies to every worker that the admission rule lets go on. */
  function* answer(): RankTask {
    const slowest = memory.clocks.reduce((least, clock) => Math.min(least, clock), retired)
    for (const [worker, clock] of waiting) {
      const admitted =
        admission.kind === 'asp' || (bsp ? pushed === 0 : clock - slowest <= (admission.staleness ?? 0)) || rank.stopRequested()
      if (!admitted) continue
      waiting.delete(worker)
      const reply = memory.outbox[worker] as Flat
      reply[0] = Math.max(0, clock - Math.min(clock, slowest))
      if (bsp) reply.set(tailSum, tailAt)
      reply.set(memory.parameters, head)
      yield* wait(mailbox.start({ kind: 'send', data: reply, to: worker, tag: replyTag }, { phase: 'pull' }))
      requests[worker] = receive(worker)
    }
  }

  function update(gradient: Flat, n: number): void {
    applyRule(kernels, job.optimizer, layout, memory.parameters, gradient, memory.slots, rateAt(n), n, 0, memory.parameters.length)
  }
}

/** The table of ranges as one shard sees it. */
function shardLayout(job: TrainJob, start: number, length: number) {
  const ranges = job.layout.ranges.flatMap((range) => {
    const from = Math.max(range.offset, start)
    const to = Math.min(range.offset + range.length, start + length)
    return from < to ? [{ ...range, offset: from - start, length: to - from }] : []
  })
  return { ranges, length, wholeLength: length, buckets: [{ start: 0, end: length }] }
}
