import { availableParallelism } from 'node:os'
import type { Skipped } from '../compare/verdict/missing.ts'
import type { CompareCase } from './compare.ts'
import type { WorkloadOptions } from './workloads/run.ts'
import { findWorkload } from './workloads/index.ts'

/** The cases of `npm start`: solo, parallel, distributed and, where the cores allow it, hybrid, on a network, a clustering and a regression. */
export function defaultCases(available: { readonly mpi: boolean; readonly mnist: boolean }): { cases: CompareCase[]; skipped: Skipped[] } {
  const cores = availableParallelism()
  const hasHybrid = available.mpi && cores >= 4
  const budgets: readonly { workload: string; until?: WorkloadOptions['until'] }[] = [
    { workload: available.mnist ? 'lenet-5/mnist' : 'mlp/waveform', until: { epochs: 2 } },
    { workload: available.mnist ? 'kmeans/mnist' : 'kmeans/blobs' },
    { workload: 'ols/linear-small' },
    { workload: 'ols/linear' },
  ]
  const cases: CompareCase[] = []
  const skipped: Skipped[] = []
  for (const { workload, until } of budgets) {
    const [alone, many] = findWorkload(workload).defaultSystems
    const budget = until ? { until } : {}
    cases.push({ workload, system: alone, fabric: 'threads', workers: 1, ...budget })
    cases.push({ workload, system: many, fabric: 'threads', workers: 2, ...budget })
    if (available.mpi) cases.push({ workload, system: many, fabric: 'mpi', workers: 2, ...budget })
    else skipped.push({ workload, paradigm: 'distributed', reason: 'there is no MPI on this machine (`tutti doctor` says how to get it)' })
    if (hasHybrid) cases.push({ workload, system: many, fabric: 'hybrid', workers: 4, threadsPerProcess: 2, ...budget })
    else {
      const reason = available.mpi
        ? `needs 4 cores (two processes of two threads), this machine has ${cores}`
        : 'there is no MPI on this machine'
      skipped.push({ workload, paradigm: 'hybrid', reason })
    }
  }
  // What a lost worker means is seen by losing one, on the smallest of the workloads.
  const workload = budgets[0]?.workload as string
  for (const fabric of ['threads', 'mpi'] as const) {
    if (fabric === 'mpi' && !available.mpi) continue
    cases.push({
      workload,
      system: 'bsp',
      fabric,
      workers: 2,
      until: { steps: 120 },
      faults: [{ rank: 1, kind: 'crash', afterOperations: 60 }],
    })
  }
  return { cases, skipped }
}
