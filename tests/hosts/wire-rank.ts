/** All-reduces over the wire between two hosts. */
import type { RankModule } from '../../src/fabric/launch.ts'

export interface WireJob {
  readonly length: number
  readonly algorithm: 'native' | 'ring' | 'hierarchical'
  readonly times: number
}

export interface WireResult {
  readonly seconds: number
  readonly sum: number
  readonly hostOf: readonly number[]
}

export const rankModule: RankModule<WireJob, WireResult> = {
  prepare: async (job) => ({ sharedBytes: 0, bytesPerRank: 4 * job.length + 4096 }),
  *run(env) {
    const { comm, job } = env
    const data = env.allocate('float32', job.length, 'data').fill(0)
    yield comm.start({ kind: 'barrier' }, { waitsAtOnce: true })
    const started = env.now()
    for (let turn = 0; turn < job.times; turn++) {
      data.fill(env.rank + 1)
      yield comm.start({ kind: 'allReduce', data, op: 'sum', algorithm: job.algorithm }, { waitsAtOnce: true })
    }
    return { seconds: env.now() - started, sum: data[job.length - 1] as number, hostOf: comm.hostOf }
  },
}
