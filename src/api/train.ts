import { availableParallelism } from 'node:os'
import { countBytes, evaluationBatchSize, rankBatchSize, trainBuffers } from '../train/buffers.ts'
import { expectedBytesPerStep } from '../train/expected-bytes.ts'
import { metricOf } from '../nn/metrics.ts'
import type { TrainJob } from '../train/job.ts'
import type { RunRecord } from '../records/record.ts'
import { MemoryError } from '../errors.ts'
import { formatBytes } from '../memory/machine.ts'
import { maximumSegmentBytes } from '../memory/segment.ts'
import { expectedSeconds } from './expected-time.ts'
import { checkTrainSpec } from './check-train-spec.ts'
import { type Described, runJob } from './run-job.ts'
import type { RunOptions, TrainSpec } from './spec.ts'
import { planTraining, type TrainPlan, withChosenDriver } from './train-plan.ts'
import { TrainedModel } from './trained-model.ts'

/** The last score. */
export interface FinalScore {
  readonly step: number
  readonly epoch: number
  readonly loss?: number
  /** The metric on the test rows and on the validation rows, where there are some: `testAccuracy`, `validationRmse`, `testPerplexity`. */
  readonly [metric: `test${string}` | `validation${string}`]: number
}

/** A finished training run: its record, and the model. */
export interface TrainRun extends RunRecord {
  readonly final: FinalScore
  readonly samplesPerSecond: number
  readonly model: TrainedModel
  /** The model with the best score of the run, where `keepBest` asked for it. */
  readonly best?: { readonly step: number; readonly metric: number; readonly model: TrainedModel }
  /** Folder of the record, where one was asked for. */
  readonly dir?: string
}

/**
 * Trains a model with a system on a fabric. The calling script runs once: workers are the package’s own files and get graphs, Programs and numbers.
 *
 * @throws {ConfigError} for options that cannot be, before anything starts
 * @throws {PeerLostError} {@link CollectiveTimeoutError} when a rank was lost; `error.record` is the record, its summary names the checkpoint
 * @example
 * ```ts
 * const run = await train({ model, data: await data.load('mnist'), optimizer: optim.sgd({ learningRate: 0.05 }), system: 'bsp', workers: 2, until: { epochs: 1 } })
 * ```
 */
export async function train(spec: TrainSpec, options: RunOptions = {}): Promise<TrainRun> {
  const { plan, described: planned } = describeTraining(spec, options)
  const { model, spread } = plan
  const job = await withChosenDriver(spec, plan.job, spread.workers)
  const described = { ...planned, options: { ...planned.options, driver: job.driverPlan.driver } }
  const { record, results } = await runJob(job, described, spec, options)
  const withValues = (flat: Float32Array): TrainedModel => {
    const values = job.layout.ranges.map(({ name, offset, length }) => [name, flat.slice(offset, offset + length)])
    return new TrainedModel(model, Object.fromEntries(values))
  }
  const trained = withValues(results[0]?.parameters as Float32Array)
  const kept = results[0]?.best
  const best = kept && { step: kept.step, metric: kept.metric, model: withValues(kept.parameters) }
  if (spec.out !== undefined) {
    trained.save(`${spec.out}/model.onnx`)
    best?.model.save(`${spec.out}/best.onnx`)
  }
  return {
    ...record,
    final: finalScore(record),
    samplesPerSecond: record.summary.samplesPerSecond,
    model: trained,
    ...(best ? { best } : {}),
    ...(spec.out === undefined ? {} : { dir: spec.out }),
  }
}

/** Checks a spec, plans the job and says what it is, without starting anything. @throws as {@link train} before anything starts. */
export function describeTraining(spec: TrainSpec, options: RunOptions = {}): { readonly plan: TrainPlan; readonly described: Described } {
  checkTrainSpec(spec)
  const plan = planTraining(spec)
  const { job, model, spread, data } = plan
  return {
    plan,
    described: {
      system: plan.system.id,
      workload: options.workload ?? `${model.name}/${data.name}`,
      systemOptions: plan.options,
      spread,
      rows: data.rows,
      samplesPerStep: job.globalBatchSize,
      globalBatchSize: job.globalBatchSize,
      metric: { name: job.metric, better: metricOf(job.metric).better },
      steps: job.steps,
      expectedSeconds: expectedSeconds(job.steps, 3 * model.flopsPerSample * job.globalBatchSize, spread, availableParallelism()),
      bytesPerStep: expectedBytesPerStep(job, spread.workers),
      memoryBytes: memoryBytes(plan),
      options: recordedOptions(spec, job),
    },
  }
}

function finalScore({ metrics, config, summary }: RunRecord): FinalScore {
  const title = config.metric.name.charAt(0).toUpperCase() + config.metric.name.slice(1)
  const names = { test: `test${title}`, validation: `validation${title}` }
  const scores: Record<string, number> = {}
  for (const row of metrics) if (row.kind === 'evaluation' && row.split !== 'train') scores[names[row.split]] = row.metric
  return { step: summary.steps, epoch: summary.epochs, ...(summary.finalLoss === undefined ? {} : { loss: summary.finalLoss }), ...scores }
}

/**
 * Bytes of rows, staging and flat buffers on this machine; the native runtime's own memory comes on top.
 * @throws {MemoryError} when the buffers of a process's ranks are more than one segment holds
 */
function memoryBytes({ job, spread, data, model }: TrainPlan): number {
  const rows = data.features.values.byteLength + (data.test?.features.values.byteLength ?? 0)
  const width = data.features.values.length / data.rows
  const staged = 2 * rankBatchSize(job.globalBatchSize, spread.workers, 0) + evaluationBatchSize(job, data.test?.rows ?? 2, spread.workers)
  const own = countBytes((allocate) => trainBuffers(job, allocate))
  const perProcess = own * spread.threadsPerProcess
  if (perProcess > maximumSegmentBytes) {
    const ranks = spread.threadsPerProcess === 1 ? 'a rank' : `${spread.threadsPerProcess} ranks in one process`
    throw new MemoryError(
      `memory: ${ranks} of ${model.name} cannot be trained — expected at most ${formatBytes(maximumSegmentBytes)} of parameters, gradients and slots, got ${formatBytes(perProcess)} (use a smaller model${spread.threadsPerProcess === 1 ? '' : ', or fewer ranks in a process'})`,
      { askedBytes: perProcess, freeBytes: maximumSegmentBytes },
    )
  }
  return rows * spread.processes + spread.workers * (4 * staged * width + own)
}

/** What a record keeps beside the system's own options: what was asked for, with the defaults that took its place. */
function recordedOptions(spec: TrainSpec, job: TrainJob): Record<string, unknown> {
  const { optimizer, until, reproducible, network, faults, gradClipNorm, gradClipValue } = spec
  const { schedule, loss, microBatches, lastBatch, partition, evaluateEvery } = job
  const asked = { optimizer, until, reproducible, network, faults, gradClipNorm, gradClipValue }
  const settled = { schedule, loss, microBatches, lastBatch, partition, evaluateEvery }
  return Object.fromEntries(Object.entries({ ...asked, ...settled }).filter(([, value]) => value !== undefined))
}
