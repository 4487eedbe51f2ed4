/** A rank that sums in a loop, says which process it is, and lets the control thread save when a peer is lost. */
import type { RankModule } from '../../src/fabric/launch.ts'

/** What the test passes. */
export interface FaultJob {
  readonly steps: number
  /** Stop when asked to, as a Program does. */
  readonly stoppable?: boolean
  readonly pauseMs?: number
  /** Fails on this rank before the first step. */
  readonly badPrepare?: number
  /** Never gets through prepare on this rank. */
  readonly endlessPrepare?: number
  /** Never comes back on this rank. */
  readonly endless?: number
  /** Ranks meet in shared memory instead of in a collective. */
  readonly meet?: boolean
}

export const rankModule: RankModule<FaultJob, number> = {
  prepare: async (job, process) => {
    if (job.badPrepare !== undefined && process.ranks.includes(job.badPrepare)) throw new Error('no data here')
    if (job.endlessPrepare !== undefined && process.ranks.includes(job.endlessPrepare)) await new Promise(() => {})
    return { sharedBytes: 4096, bytesPerRank: 65536 }
  },
  *run(env) {
    env.emit({ pid: process.pid, rank: env.rank })
    const data = env.allocate('float32', 1000, 'sum')
    const wishes = env.allocate('int32', 1, 'wishes')
    const arrived = env.segment.shared(env.segment.handleOf(env.shared('int32', 1, 'arrived')))
    let step = 0
    for (; step < env.job.steps; step++) {
      data.fill(1)
      while (env.rank === env.job.endless && step === 3) data.fill(2)
      env.status(`step ${step + 1}`, step)
      if (env.job.meet === true) {
        Atomics.add(arrived, 0, 1)
        env.ring()
        yield env.until('all ranks', () => Atomics.load(arrived, 0) >= (step + 1) * env.worldSize)
      } else yield env.comm.start({ kind: 'allReduce', data, op: 'sum' }, { waitsAtOnce: true })
      env.committing(true)
      env.committing(false)
      if (env.job.stoppable !== true) continue
      wishes[0] = env.stopRequested() ? 1 : 0
      yield env.comm.start({ kind: 'allReduce', data: wishes, op: 'max' }, { waitsAtOnce: true })
      if (wishes[0] === 1) break
      if (env.rank === 0 && step === 0) env.emit({ stepping: true })
      if (env.job.pauseMs !== undefined) yield new Promise((resolve) => setTimeout(resolve, env.job.pauseMs))
    }
    return step
  },
  onPeerLost: async (_job, process, error) => {
    process.emit({ saved: process.ranks, lost: error.details['ranks'], steps: process.steps, handles: Object.keys(process.handles) })
  },
}
