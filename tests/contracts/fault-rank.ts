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
  /** Never comes back on this rank. */
  readonly endless?: number
}

export const rankModule: RankModule<FaultJob, number> = {
  prepare: async (job, process) => {
    if (job.badPrepare !== undefined && process.ranks.includes(job.badPrepare)) throw new Error('no data here')
    return { sharedBytes: 0, bytesPerRank: 65536 }
  },
  *run(env) {
    env.emit({ pid: process.pid, rank: env.rank })
    const data = env.allocate('float32', 1000, 'sum')
    const wishes = env.allocate('int32', 1, 'wishes')
    let step = 0
    for (; step < env.job.steps; step++) {
      data.fill(1)
      while (env.rank === env.job.endless && step === 3) data.fill(2)
      env.status(`step ${step + 1}`, step)
      yield env.comm.start({ kind: 'allReduce', data, op: 'sum' }, { waitsAtOnce: true })
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
