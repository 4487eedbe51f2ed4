/**
 * The declared store of a parameter server (Li et al., "Scaling Distributed Machine Learning with the Parameter Server", OSDI 2014): the flat
 * parameters in contiguous shards, the update rule at the store, and an admission rule that says when a pull is answered. Ranks that share memory
 * use it as passive memory: whoever pushes runs its lock and its kernel (`PassiveStore`). Ranks that do not are answered by a service thread
 * (train/served-store.ts); both keep the same state, `StoreShard`.
 * @packageDocumentation
 */
import { blockRange } from '../fabric/communicator.ts'
import type { RankEnvironment, RankTask, Transfer } from '../fabric/launch.ts'
import type { Kernels } from '../kernels/kernels.ts'
import type { OptimizerSpec } from '../nn/optimizer-spec.ts'
import { exchangedPart, type ParameterLayout } from './layout.ts'
import type { StoreSpec } from './program.ts'
import { messageBytes, ownerCount } from './store-messages.ts'
import { applyRule, makeSlots } from './update-rule.ts'

/** What a rank does with a store. `clock` counts the pushes of a rank, from 1. */
export interface StoreClient {
  /** Hands the gradient over. It must not change before the next pull of this rank has completed. */
  push(gradient: Float32Array<ArrayBuffer>, clock: number): RankTask
  /** Fills `into` when the admission rule lets a rank at `clock` go on; `staleness` then says how many updates of others it may miss. */
  pull(into: Float32Array<ArrayBuffer>, clock: number): RankTask
  /** This rank pushes no more. */
  retire(): RankTask
  /** Sets the store to a start: initial parameters at step 0, or what a checkpoint held. Every rank calls it before a barrier. */
  adopt(state: Omit<StoreState, 'clocks'>, step: number): void
  /** How far this rank was ahead of the slowest at its last pull. */
  readonly lead: number
  /** Reads parameters, slots and clocks for a checkpoint. */
  snapshot(into: StoreState): RankTask
  /** Lets whoever serves the store end. */
  close(): RankTask
}

/** The whole state of a store. */
export interface StoreState {
  readonly parameters: Float32Array<ArrayBuffer>
  readonly slots: readonly Float32Array<ArrayBuffer>[]
  readonly clocks: Int32Array<ArrayBuffer>
}

/** Learning rate for the n-th update of the store. */
export type RateAt = (update: number) => number

/** Words of the store's control block, before the clocks: how many clocks have been applied; then one lock a shard. */
const appliedWord = 0
const firstLock = 1
/** States of a lock. Whoever lets go of a contended one rings. */
const free = 0
const held = 1
const contended = 2
/** A clock that holds nobody back. */
export const retired = 0x7fffffff

/** Memory of a passive store, laid out alike by every rank of the process. */
export interface PassiveStoreMemory {
  readonly state: StoreState
  /** One gradient buffer a rank: pushes hand over what lies there. */
  readonly gradients: readonly Float32Array<ArrayBuffer>[]
  readonly sum: Float32Array<ArrayBuffer>
  /** `[applied, lock of shard 0, …]` */
  readonly control: Int32Array<ArrayBuffer>
}

/** The same memory for every rank: `allocate` is the shared region, or a counter that only adds up. */
export function passiveStoreMemory(
  allocate: Pick<RankEnvironment, 'shared'>['shared'],
  spec: StoreSpec,
  layout: ParameterLayout,
  length: number,
  optimizer: OptimizerSpec,
  worldSize: number,
): PassiveStoreMemory {
  return {
    state: {
      parameters: allocate('float32', length, 'store parameters'),
      slots: makeSlots(optimizer, (name) => allocate('float32', layout.length, `store ${name}`)),
      clocks: allocate('int32', worldSize, 'store clocks'),
    },
    gradients: Array.from({ length: worldSize }, (_, rank) => allocate('float32', length, `gradient of rank ${rank}`)),
    sum: allocate('float32', length, 'store sum'),
    control: allocate('int32', firstLock + spec.shards, 'store control'),
  }
}

/**
 * A store as memory that every rank of the process sees. Nothing is sent; what ranks with shards of their own would have sent is counted, and takes
 * its time where links have one: a push has arrived before it is applied, a pull is read before it sets out.
 */
export class PassiveStore implements StoreClient {
  readonly #rank: RankEnvironment
  readonly #memory: PassiveStoreMemory
  readonly #spec: StoreSpec
  readonly #layout: ParameterLayout
  readonly #kernels: Kernels
  readonly #optimizer: OptimizerSpec
  readonly #rateAt: RateAt
  /** Atomics work on the shared buffer, not on its alias. */
  readonly #control: Int32Array<SharedArrayBuffer>
  readonly #clocks: Int32Array<SharedArrayBuffer>
  readonly #requests: readonly Transfer[]
  readonly #replies: readonly Transfer[]
  /** Whether this rank has said anything that a reply answers. */
  #asked = false
  lead = 0

  constructor(
    rank: RankEnvironment,
    memory: PassiveStoreMemory,
    spec: StoreSpec,
    layout: ParameterLayout,
    kernels: Kernels,
    optimizer: OptimizerSpec,
    rateAt: RateAt,
  ) {
    this.#rank = rank
    this.#memory = memory
    this.#spec = spec
    this.#layout = layout
    this.#kernels = kernels
    this.#optimizer = optimizer
    this.#rateAt = rateAt
    this.#control = rank.segment.shared(rank.segment.handleOf(memory.control))
    this.#clocks = rank.segment.shared(rank.segment.handleOf(memory.state.clocks))
    const own = rank.rank
    const bytes = messageBytes(layout.length, ownerCount(spec.shards, rank.worldSize))
    this.#requests = bytes.map((size, owner) => ({ from: own, to: owner, bytes: size }))
    this.#replies = bytes.map((size, owner) => ({ from: owner, to: own, bytes: size }))
  }

  *push(_gradient: Float32Array<ArrayBuffer>, clock: number): RankTask {
    yield* this.#ask()
    const { rank, worldSize } = this.#rank
    if (this.#spec.admission.kind === 'bsp') {
      Atomics.store(this.#clocks, rank, clock)
      // The last to arrive adds in rank order and updates: nobody else touches the store before the version moves.
      if (Atomics.add(this.#control, firstLock, 1) === clock * worldSize - 1) {
        this.#sumInRankOrder()
        this.#update(this.#memory.sum, 0, this.#layout.length, clock)
        Atomics.store(this.#control, appliedWord, clock)
      }
    } else {
      const gradient = this.#memory.gradients[rank] as Float32Array<ArrayBuffer>
      const update = Atomics.add(this.#control, appliedWord, 1) + 1
      for (let shard = 0; shard < this.#spec.shards; shard++) {
        // Starting at the own shard spreads ranks that push together.
        const turn = (shard + rank) % this.#spec.shards
        const { start, end } = blockRange(this.#layout.length, this.#spec.shards, turn)
        yield* this.#locked(turn, () => this.#update(gradient, start, end, update))
      }
      Atomics.store(this.#clocks, rank, clock)
    }
    this.#rank.ring()
  }

  *pull(into: Float32Array<ArrayBuffer>, clock: number): RankTask {
    const { admission } = this.#spec
    if (!this.#asked) yield* this.#ask()
    this.#asked = false
    yield this.#rank.until(`pull at clock ${clock}`, () => {
      if (admission.kind === 'bsp') return Atomics.load(this.#control, appliedWord) >= clock
      // A stop must not leave a rank behind that waits for clocks which will not come.
      return admission.kind === 'asp' || clock - this.#slowest() <= admission.staleness || this.#rank.stopRequested()
    })
    this.lead = Math.max(0, clock - this.#slowest())
    const { parameters } = this.#memory.state
    if (admission.kind === 'bsp') this.#kernels.copy(parameters, exchangedPart(this.#layout, into))
    else {
      for (let shard = 0; shard < this.#spec.shards; shard++) {
        const { start, end } = blockRange(this.#layout.length, this.#spec.shards, shard)
        yield* this.#locked(shard, () => this.#kernels.copy(parameters.subarray(start, end), into.subarray(start, end)))
      }
    }
    yield this.#rank.transfer(this.#replies, 'pull')
  }

  *retire(): RankTask {
    Atomics.store(this.#clocks, this.#rank.rank, retired)
    this.#rank.ring()
  }

  adopt({ parameters, slots }: Omit<StoreState, 'clocks'>, step: number): void {
    const { state } = this.#memory
    const { rank, worldSize } = this.#rank
    Atomics.store(this.#clocks, rank, step)
    if (rank !== 0) return
    state.parameters.set(parameters.subarray(0, state.parameters.length))
    for (const [index, slot] of slots.entries()) state.slots[index]?.set(slot)
    const bsp = this.#spec.admission.kind === 'bsp'
    Atomics.store(this.#control, appliedWord, bsp ? step : step * worldSize)
    // Under bsp the word of shard 0 counts pushes; otherwise it is a lock.
    Atomics.store(this.#control, firstLock, bsp ? step * worldSize : 0)
  }

  *close(): RankTask {}

  *snapshot(into: StoreState): RankTask {
    const { parameters, slots, clocks } = this.#memory.state
    for (let shard = 0; shard < this.#spec.shards; shard++) {
      const { start, end } = blockRange(this.#layout.length, this.#spec.shards, shard)
      yield* this.#locked(shard, () => {
        into.parameters.set(parameters.subarray(start, end), start)
        for (const [index, slot] of slots.entries()) into.slots[index]?.set(slot.subarray(start, end), start)
      })
    }
    into.clocks.set(clocks)
  }

  *#ask(): RankTask {
    this.#asked = true
    yield this.#rank.transfer(this.#requests, 'push')
  }

  #slowest(): number {
    let slowest = retired
    for (let rank = 0; rank < this.#clocks.length; rank++) slowest = Math.min(slowest, Atomics.load(this.#clocks, rank))
    return slowest
  }

  #sumInRankOrder(): void {
    const { gradients, sum, state } = this.#memory
    this.#kernels.copy(gradients[0] as Float32Array<ArrayBuffer>, sum)
    for (const gradient of gradients.slice(1)) this.#kernels.reduce('sum', sum, gradient, sum)
    // The tail (loss, stop, save) travels back with the parameters.
    this.#kernels.copy(sum.subarray(this.#layout.length), state.parameters.subarray(this.#layout.length))
  }

  #update(gradient: Float32Array<ArrayBuffer>, start: number, end: number, update: number): void {
    const { parameters, slots } = this.#memory.state
    applyRule(this.#kernels, this.#optimizer, this.#layout, parameters, gradient, slots, this.#rateAt(update), update, start, end)
  }

  /** Waits for the lock of a shard as for anything else: a rank that is gone inside it ends the wait of the others. */
  *#locked(shard: number, critical: () => void): RankTask {
    // Under bsp only the last rank to push writes, while all others wait: no lock (its word counts the pushes).
    if (this.#spec.admission.kind === 'bsp') return critical()
    const word = firstLock + shard
    if (Atomics.compareExchange(this.#control, word, free, held) !== free)
      yield this.#rank.until(`shard ${shard} of the store`, () => Atomics.exchange(this.#control, word, contended) === free)
    try {
      critical()
    } finally {
      if (Atomics.exchange(this.#control, word, free) === contended) this.#rank.ring()
    }
  }
}
