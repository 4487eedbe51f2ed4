/** One rank of the measurement: batches of all-reduces, and on threads batches of copies of the same bytes between them. */
import type { RankEnvironment, RankModule, RankTask } from 'tutti/fabric'

export interface AllReduceJob {
  readonly cases: readonly { readonly length: number; readonly iterations: number }[]
  readonly batches: number
  /** Measure the copies as well. */
  readonly copies: boolean
}

/** Microseconds per call, by batch. */
export interface AllReduceTimes {
  readonly length: number
  readonly allReduce: number[]
  readonly copy: number[]
  readonly copyBetweenBarriers: number[]
}

export const rankModule: RankModule<AllReduceJob, AllReduceTimes[]> = {
  prepare: async ({ cases }) => {
    const longest = Math.max(...cases.map(({ length }) => length))
    return { sharedBytes: 4096, bytesPerRank: 2 * (4 * longest + 64) + 4096 }
  },
  *run(rank): RankTask<AllReduceTimes[]> {
    const { comm, job } = rank
    const longest = Math.max(...job.cases.map(({ length }) => length))
    const data = rank.allocate('float32', longest, 'data')
    const other = rank.allocate('float32', longest, 'other')
    const barrier = job.copies ? bareBarrier(rank) : () => {}
    yield comm.agree('allreduce benchmark')
    const times: AllReduceTimes[] = []
    for (const { length, iterations } of job.cases) {
      const own = data.subarray(0, length)
      const copied = other.subarray(0, length)
      own.fill(0)
      copied.fill(1)
      const measured: AllReduceTimes = { length, allReduce: [], copy: [], copyBetweenBarriers: [] }
      const batch = (once: () => void): number => {
        comm.run({ kind: 'barrier' })
        const started = performance.now()
        for (let i = 0; i < iterations; i++) once()
        return ((performance.now() - started) / iterations) * 1000
      }
      const allReduce = () => comm.run({ kind: 'allReduce', data: own, op: 'sum' })
      const copy = () => copied.set(own)
      const copyBetweenBarriers = () => {
        barrier()
        copied.set(own)
        barrier()
      }
      batch(allReduce)
      if (job.copies) {
        batch(copy)
        batch(copyBetweenBarriers)
      }
      for (let turn = 0; turn < job.batches; turn++) {
        measured.allReduce.push(batch(allReduce))
        if (!job.copies) continue
        measured.copy.push(batch(copy))
        measured.copyBetweenBarriers.push(batch(copyBetweenBarriers))
      }
      times.push(measured)
    }
    return times
  },
}

/** The least that two threads can do to meet: one counter, no checks, no sleep. */
function bareBarrier(rank: RankEnvironment): () => void {
  const word = rank.shared('int32', 1, 'barrier')
  const words = rank.segment.shared(rank.segment.handleOf(word))
  let round = 0
  return () => {
    round += rank.worldSize
    Atomics.add(words, 0, 1)
    while (Atomics.load(words, 0) - round < 0) {}
  }
}
