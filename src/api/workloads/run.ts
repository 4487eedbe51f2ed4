/**
 * Runs of workloads: `runWorkload` is what the command line and `compare` call.
 * @packageDocumentation
 */
import type { Dataset } from '../../data/dataset.ts'
import { linearCoefficients } from '../../data/generators/linear.ts'
import { load, type LoadArguments } from '../../data/load.ts'
import { checkLaunch } from '../../fabric/launchers/index.ts'
import type { RunConfig, RunRecord } from '../../records/record.ts'
import { RunFolder } from '../../records/run-folder.ts'
import { installedVersions } from '../../records/versions.ts'
import type { AnySystem } from '../../systems/define.ts'
import { findSystem } from '../../systems/index.ts'
import { fit, type FitSpec, planFit, stateArray } from '../fit.ts'
import { runConfig } from '../run-job.ts'
import type { RunOptions, SpreadOptions, TrainSpec } from '../spec.ts'
import { describeTraining, train } from '../train.ts'
import { findWorkload } from './index.ts'
import type { DeepWorkload, StatisticWorkload, Workload } from './workload.ts'

/** Options of {@link runWorkload} beside how work is spread. */
export interface WorkloadOptions extends SpreadOptions {
  /** Only the first so many rows. */
  readonly rows?: number
  /** Instead of the recipe's budget. */
  readonly until?: Partial<TrainSpec['until']>
  /** Any option of `train`, over the recipe's. */
  readonly train?: Partial<Omit<TrainSpec, keyof SpreadOptions | 'model' | 'data' | 'until'>>
}

/** The rows of a workload. @throws {DataError} when they are nowhere to be had. */
export function workloadData(workload: Workload, rows: number | undefined, loading: LoadArguments = {}): Promise<Dataset> {
  return load(workload.data, { ...workload.dataOptions, ...(rows === undefined ? {} : { rows }), ...loading })
}

/** Runs a workload with a system on a fabric, by the recipe unless options say otherwise. `data` saves loading it again. */
export async function runWorkload(id: string, options: WorkloadOptions = {}, run: RunOptions = {}, data?: Dataset): Promise<RunRecord> {
  const workload = findWorkload(id)
  const dataset = data ?? (await workloadData(workload, options.rows, run.signal ? { signal: run.signal } : {}))
  const named = { ...run, workload: id }
  if (workload.kind === 'deep') {
    const { model: _, ...record } = await train(trainSpec(workload, options, dataset), named)
    return record
  }
  const { state, ofRows: _, ...record } = await fit(fitSpec(workload, options, dataset), named)
  if (workload.data !== 'linear' || state.coef?.values.length !== dataset.features.values.length / dataset.rows) return record
  const complete = withRelativeError(record, stateArray({ ...record, state, ofRows: {} }, 'coef') as Float64Array)
  if (options.out !== undefined) new RunFolder(options.out).finish(complete)
  return complete
}

/**
 * Checks everything of {@link runWorkload} that can be refused before ranks start.
 * @returns the configuration that the record of such a run begins with
 * @throws {ConfigError} with one line for what cannot be
 */
export async function planWorkload(id: string, options: WorkloadOptions, data: Dataset): Promise<RunConfig> {
  const workload = findWorkload(id)
  const named = { workload: id }
  const { job, described } = await (async () => {
    if (workload.kind === 'statistic') return planFit(fitSpec(workload, options, data), named)
    const { plan, described } = describeTraining(trainSpec(workload, options, data), named)
    return { job: plan.job, described }
  })()
  const { fabric, workers, threadsPerProcess } = described.spread
  checkLaunch({ ...options, fabric, workers, threadsPerProcess })
  return runConfig(job, described, new Date(), installedVersions())
}

/** System that a workload is run with when none is named. */
export function systemOf(workload: Workload, { system, workers }: WorkloadOptions): string | AnySystem {
  return system ?? workload.defaultSystems[(workers ?? 1) > 1 ? 1 : 0]
}

function trainSpec(workload: DeepWorkload, options: WorkloadOptions, data: Dataset): TrainSpec {
  const { rows: _, until, train: overrides, ...spread } = options
  const { model, recipe, epochs } = workload
  const budget = until?.epochs === undefined && until?.steps === undefined ? { epochs, ...until } : until
  const batch = overrides?.globalBatchSize ?? recipe.globalBatchSize
  const stepsPerEpoch = Math.max(1, Math.floor(data.rows / batch))
  const steps = budget?.steps ?? (budget?.epochs ?? epochs) * stepsPerEpoch
  // Snapshots enough for a curve: forty of a full budget, ten of a short one. What takes less than an epoch by steps is scored at its end,
  // because an evaluation may take longer than all of it; but for what ends, or keeps, by its scores.
  const needsScores = budget?.metric !== undefined || overrides?.earlyStopping !== undefined || overrides?.keepBest === true
  const isShort = until?.steps !== undefined && steps < stepsPerEpoch && !needsScores
  const scores = isShort ? 1 : Math.min(40, Math.max(10, (4 * steps) / stepsPerEpoch))
  const evaluateEvery = Math.max(1, Math.ceil(steps / scores))
  return { ...spread, ...recipe, evaluateEvery, ...overrides, system: systemOf(workload, options), model: model(data), data, until: budget }
}

function fitSpec(workload: StatisticWorkload, options: WorkloadOptions, data: Dataset): FitSpec {
  const { rows: _, until, train: __, ...spread } = options
  const system = systemOf(workload, options)
  const systemOptions = { ...recipeOptions(workload, system), ...spread.systemOptions }
  return { ...spread, system, systemOptions, data, maxSteps: until?.steps ?? workload.maxSteps }
}

/** What the recipe sets of the options that the system has: a system of another author has others. */
function recipeOptions({ systemOptions }: StatisticWorkload, system: string | AnySystem): Record<string, unknown> {
  const { options } = typeof system === 'string' ? findSystem(system) : system
  return Object.fromEntries(Object.entries(systemOptions).filter(([name]) => name in options))
}

/** Generated least squares knows its true coefficients: ‖w − b‖ / ‖b‖ beside the residual. */
function withRelativeError(record: RunRecord, coefficients: Float64Array): RunRecord {
  const truth = linearCoefficients(1, coefficients.length)
  let off = 0
  let norm = 0
  for (const [j, b] of truth.entries()) {
    off += ((coefficients[j] as number) - b) ** 2
    norm += b * b
  }
  return { ...record, config: { ...record.config, options: { ...record.config.options, relativeError: Math.sqrt(off / norm) } } }
}
