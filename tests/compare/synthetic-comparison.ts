/** Sets of synthetic records: what the default comparison writes, and one with very many runs. */
import type { RunRecord } from '../../src/records/record.ts'
import { type SyntheticOptions, syntheticRecord } from './synthetic-record.ts'

const kmeans: SyntheticOptions = {
  workload: 'kmeans/mnist',
  epochs: 20,
  globalBatchSize: 60_000,
  stepSeconds: 0.071,
  gradientBytes: 31_440,
  metric: { name: 'inertia', better: 'lower' },
  finalMetric: 2.35e9,
  firstMetric: 3.4e9,
  evaluations: 20,
}
const ols = (rows: number, stepSeconds: number): SyntheticOptions => ({
  workload: 'ols/linear',
  rows,
  epochs: 1,
  globalBatchSize: rows,
  stepSeconds,
  gradientBytes: 10_200,
  metric: { name: 'relativeError', better: 'lower' },
  finalMetric: 3.1e-7,
  evaluations: 1,
  communicateSeconds: 0.0007,
})

/** LeNet-5, k-means and least squares at two sizes; solo, parallel, distributed and, on four cores, hybrid; a killed rank each. */
export function defaultComparison({ repeats = 1, cores = 2 }: { repeats?: number; cores?: number } = {}): RunRecord[] {
  const bases: { base: SyntheticOptions; system: string; solo: string }[] = [
    { base: {}, system: 'bsp', solo: 'solo' },
    { base: kmeans, system: 'km-lloyd', solo: 'km-lloyd' },
    { base: ols(10_000, 0.0009), system: 'lin-ols', solo: 'lin-ols' },
    { base: ols(1_000_000, 0.084), system: 'lin-ols', solo: 'lin-ols' },
  ]
  const paradigms = ['solo', 'parallel', 'distributed', ...(cores >= 4 ? (['hybrid'] as const) : [])] as const
  const seeds = Array.from({ length: repeats }, (_, i) => i + 1)
  const runs = bases.flatMap(({ base, system, solo }) =>
    seeds.flatMap((seed) =>
      paradigms.map((paradigm) => syntheticRecord({ ...base, cores, seed, paradigm, system: paradigm === 'solo' ? solo : system })),
    ),
  )
  const lost = (paradigm: 'parallel' | 'distributed') =>
    syntheticRecord({
      id: `lost-${paradigm}`,
      paradigm,
      cores,
      status: 'failed',
      error: { code: 'PEER_LOST', message: `${paradigm}: rank 1 ended in step 561 — expected 2 ranks, got 1`, details: { ranks: [1] } },
      checkpoint: `runs/lost-${paradigm}/checkpoint`,
      options: { faults: [{ rank: 1, kind: 'crash', afterOperations: 560 }] },
    })
  return [...runs, lost('parallel'), lost('distributed')]
}

/** Fifty runs of one workload: five systems, two fabrics, five worker counts, on eight cores. */
export function manyRuns(): RunRecord[] {
  const systems = ['bsp', 'ssp', 'asp', 'local', 'hvd']
  const solo = [1, 2].map((seed) => syntheticRecord({ seed, cores: 8 }))
  const spread = systems.flatMap((system, s) =>
    (['parallel', 'distributed'] as const).flatMap((paradigm) =>
      [2, 3, 4, 6, 8].map((workers) =>
        syntheticRecord({
          system,
          paradigm,
          cores: 8,
          seed: 1 + s,
          processes: paradigm === 'parallel' ? 1 : workers,
          threadsPerProcess: paradigm === 'parallel' ? workers : 1,
          communicateSeconds: (paradigm === 'parallel' ? 0.0002 : 0.0006) * (1 + 0.3 * s) * Math.log2(workers),
          finalMetric: 0.985 - 0.002 * s,
          asynchronous: system === 'asp' || system === 'ssp',
          evaluations: 12,
        }),
      ),
    ),
  )
  return [...solo, ...spread]
}
