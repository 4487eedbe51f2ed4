import { metricOfWorkload, type Workload } from '../api/workloads/workload.ts'
import type { AnySystem } from '../systems/define.ts'

/** Name of what a run's evaluations measure, before it starts. */
export function metricOf(workload: Workload, system: AnySystem): string {
  if (system.kind === 'statistic') return system.learner.metric.name
  return workload.kind === 'deep' ? metricOfWorkload(workload) : 'metric'
}

/** Name of what a learning step reports: networks a loss, statistics their own score. */
export function scoreOfStep(system: AnySystem): string {
  return system.kind === 'statistic' ? system.learner.metric.name : 'loss'
}
