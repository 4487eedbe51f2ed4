import type { WorkloadOptions } from '../api/workloads/run.ts'
import { metricOfWorkload, type Workload } from '../api/workloads/workload.ts'
import { ConfigError } from '../errors.ts'
import { requireReachable } from '../nn/metrics.ts'
import { schedule } from '../nn/schedule.ts'
import type { OptimizerSpec } from '../nn/optimizer-spec.ts'
import { flagOf } from './output.ts'
import { type RunSettings, type TrainingSettings, trainingNames } from './run-options.ts'

/** Settings of `tutti run` → options of `runWorkload`. @throws {ConfigError} for an option that the workload does not have. */
export function workloadOptions(settings: RunSettings, workload: Workload): WorkloadOptions {
  const { fabric, workers, threadsPerProcess, hosts, mpirunArg, reproducible, timeoutMs, network, fault, seed, rows, set } = settings
  return present({
    fabric,
    workers,
    threadsPerProcess,
    hosts,
    mpirunArgs: mpirunArg,
    reproducible,
    timeoutMs,
    network,
    faults: fault,
    seed,
    rows,
    systemOptions: set && Object.fromEntries(set),
    until: untilOf(settings, workload),
    train: trainOverrides(settings, workload),
  })
}

/** When to end, or undefined for the recipe's budget. */
export function untilOf({ epochs, steps, until }: TrainingSettings, workload: Workload): WorkloadOptions['until'] {
  if (workload.kind === 'statistic') {
    refuseWhere({ epochs, until }, `${workload.id} takes learning steps: give --steps`)
  } else if (until !== undefined) {
    const metric = metricOfWorkload(workload)
    const names = [metric, `test${metric.charAt(0).toUpperCase()}${metric.slice(1)}`]
    if (!names.includes(until.metric))
      throw new ConfigError(`--until: ${workload.id} has no metric ${until.metric} — expected ${metric}, such as ${metric}=${until.value}`)
    requireReachable(metric, until.value)
  }
  const chosen = present({ epochs, steps, metric: until?.value })
  return Object.keys(chosen).length === 0 ? undefined : chosen
}

/** Options of `train` over the recipe of a workload, or undefined when none was given. */
export function trainOverrides(settings: TrainingSettings, workload: Workload): WorkloadOptions['train'] {
  const given = Object.fromEntries(trainingNames.flatMap((name) => (settings[name] === undefined ? [] : [[name, settings[name]]])))
  if (Object.keys(given).length === 0) return undefined
  if (workload.kind === 'statistic') return refuseWhere(given, `${workload.id} is no network`)
  const { learningRate, momentum, weightDecay, schedule: shape, warmup, patience, ...direct } = settings
  const { epochs: _, steps: __, until: ___, ...own } = direct
  const changes = present({ learningRate, momentum, weightDecay })
  const base = shape ?? workload.recipe.schedule
  return present({
    ...pick(own),
    optimizer: Object.keys(changes).length === 0 ? undefined : changedOptimizer(workload.recipe.optimizer, changes),
    schedule: warmup === undefined ? shape : schedule.warmup(warmup, base),
    earlyStopping: patience === undefined ? undefined : { patience },
  })
}

/** Those of the training options that `train` knows by the same name. */
function pick(settings: TrainingSettings): NonNullable<WorkloadOptions['train']> {
  const {
    globalBatchSize,
    microBatches,
    lastBatch,
    partition,
    gradClipNorm,
    gradClipValue,
    validation,
    evaluateEvery,
    keepBest,
    checkpointEverySeconds,
    intraOpThreads,
    driver,
  } = settings
  const all = {
    globalBatchSize,
    microBatches,
    lastBatch,
    partition,
    gradClipNorm,
    gradClipValue,
    validation,
    evaluateEvery,
    keepBest,
    checkpointEverySeconds,
    intraOpThreads,
    driver,
  }
  return present(all)
}

function changedOptimizer(optimizer: OptimizerSpec, changes: Readonly<Record<string, number>>): OptimizerSpec {
  const unknown = Object.keys(changes).filter((name) => !(name in optimizer))
  if (unknown.length > 0) throw new ConfigError(`${flagOf(unknown[0]!)}: ${optimizer.kind} has no such option`)
  return { ...optimizer, ...changes }
}

function refuseWhere(values: Readonly<Record<string, unknown>>, why: string): undefined {
  const names = Object.keys(values).filter((name) => values[name] !== undefined)
  if (names.length > 0) throw new ConfigError(`${names.map(flagOf).join(', ')}: does not apply — ${why}`)
  return undefined
}

/** An object without its undefined fields, as `exactOptionalPropertyTypes` wants it. */
export function present<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }
}
