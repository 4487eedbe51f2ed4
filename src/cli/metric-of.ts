import type { Workload } from '../api/workloads.ts'
import { registry } from '../data/registry.ts'
import type { AnySystem } from '../systems/define.ts'

/** Name of what a run's evaluations measure, before it starts. */
export function metricOf(workload: Workload, system: AnySystem): string {
  if (system.kind === 'statistic') return system.learner.metric.name
  return registry[workload.data].task === 'classification' ? 'accuracy' : 'rmse'
}
