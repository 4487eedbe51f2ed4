/** A store in shared memory of which rank 1 is lost while it has the lock of a shard. */
import type { RankEnvironment, RankModule } from '../../src/fabric/launch.ts'

/** What the test passes. */
export interface LockJob {
  /** The built `train/store.js`, and the built kernels. */
  readonly store: string
  readonly kernels: string
}

const length = 64

export const rankModule: RankModule<LockJob, number> = {
  prepare: async () => ({ sharedBytes: 8192, bytesPerRank: 4096 }),
  *run(env) {
    const { PassiveStore, passiveStoreMemory } = (yield import(env.job.store)) as typeof import('../../src/train/store.ts')
    const { kernelsFor } = (yield import(env.job.kernels)) as typeof import('../../src/kernels/load.ts')
    const spec = { shards: 1, admission: { kind: 'asp' } } as const
    const layout = { length, ranges: [], buckets: [{ start: 0, end: length }] }
    const optimizer = { kind: 'sgd', learningRate: 0.1 } as never
    const memory = passiveStoreMemory(env.shared, spec, layout as never, length + 16, optimizer, env.worldSize)
    const store = new PassiveStore(env as RankEnvironment, memory, spec, layout as never, kernelsFor(env.segment), optimizer, () => 0.1)
    const control = env.segment.shared(env.segment.handleOf(memory.control))
    const lock = 1
    yield env.comm.start({ kind: 'barrier' })
    if (env.rank === 1) {
      Atomics.store(control, lock, 1)
      env.ring()
      // The fault of this rank.
      yield env.comm.start({ kind: 'barrier' })
    }
    yield env.until('the lock to be taken', () => Atomics.load(control, lock) !== 0)
    yield* store.pull(env.allocate('float32', length + 16, 'parameters'), 1)
    return 0
  },
}
