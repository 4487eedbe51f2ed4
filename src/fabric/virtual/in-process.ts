import type { Communicator } from '../communicator.ts'
import { GroupCommunicator } from '../core/group-communicator.ts'
import type { RankTask } from '../launch.ts'
import { TrafficCounter } from '../wrappers/counting.ts'
import { defaultCosts, VirtualChannel, type VirtualCosts, VirtualGroup } from './virtual-channel.ts'
import { type VirtualOutcome, VirtualWorld } from './virtual-world.ts'

/** Options of {@link runInProcess}. */
export interface InProcessOptions {
  /** Default: 1 µs and 10 GB/s. */
  readonly costs?: VirtualCosts
  /** Rank → host (default: all on one). */
  readonly hostOf?: readonly number[]
}

/** What {@link runInProcess} gives back: how each rank ended, its counters, and when it ended in virtual seconds. */
export interface InProcessResult {
  readonly outcomes: readonly VirtualOutcome[]
  readonly traffic: readonly TrafficCounter[]
  readonly endedAt: readonly number[]
}

/** Runs one generator per rank in the calling thread, on virtual clocks: schedules and simulations without a worker thread. */
export async function runInProcess(
  size: number,
  rank: (comm: Communicator, world: VirtualWorld) => RankTask<unknown>,
  { costs = defaultCosts, hostOf = new Array<number>(size).fill(0) }: InProcessOptions = {},
): Promise<InProcessResult> {
  const world = new VirtualWorld()
  const ranks = Array.from({ length: size }, (_, index) => index)
  const group = new VirtualGroup(world, ranks, hostOf, costs)
  const traffic = ranks.map(() => new TrafficCounter())
  const endedAt = ranks.map(() => Number.NaN)
  const timed = function* (index: number): RankTask<unknown> {
    const comm = new GroupCommunicator(new VirtualChannel(group, index), traffic[index] as TrafficCounter, 1000)
    const result = yield* rank(comm, world)
    endedAt[index] = world.now
    return result
  }
  const outcomes = await world.run(ranks.map(timed))
  return { outcomes, traffic, endedAt }
}
