import { availableParallelism } from 'node:os'
import { batchesPerEpoch } from '../data/batches.ts'
import type { Dataset } from '../data/dataset.ts'
import { partition } from '../data/partition.ts'
import { requireFinite } from '../data/require-finite.ts'
import { split } from '../data/split.ts'
import { ConfigError } from '../errors.ts'
import { backwardOrder } from '../graph/transforms/bucket.ts'
import { sparseRows } from '../graph/transforms/sparse-rows.ts'
import { inputType, modelFromJSON } from '../nn/model.ts'
import type { Model } from '../nn/model.ts'
import { needsWholeParameters } from '../nn/optimizer-spec.ts'
import { parameterLength } from '../nn/parameter.ts'
import { requireLoss } from '../nn/losses.ts'
import { defaultMetric, requireMetric, requireReachable } from '../nn/metrics.ts'
import { usesBatchStatistics } from '../nn/batch-norm-form.ts'
import { trainingGraph } from '../nn/training-graph.ts'
import { choosePlan } from '../runtime/choice/choose-plan.ts'
import { type DriverPlan, isDriverPlan } from '../runtime/choice/driver-plan.ts'
import { findLibrary, hasLibrary } from '../runtime/drivers/onednn/library.ts'
import { findSystem } from '../systems/index.ts'
import type { DeepSystem } from '../systems/define.ts'
import { resolveOptions } from '../systems/define.ts'
import { referenceTo } from '../train/data-reference.ts'
import type { AugmentationSpec } from '../train/augmentation.ts'
import type { TrainJob } from '../train/job.ts'
import { rankBatchSize } from '../train/buffers.ts'
import { readManifest } from '../train/checkpoint.ts'
import { layoutParameters } from '../train/layout.ts'
import { programHash } from '../train/program.ts'
import { buildProgram } from './build-program.ts'
import { checkCombination } from './check-combination.ts'
import { checkRows } from './check-rows.ts'
import { checkpointSpec } from './checkpoint-spec.ts'
import type { TrainSpec } from './spec.ts'
import { type Spread, spreadOf } from './spread.ts'
import { TrainedModel } from './trained-model.ts'
import { shown } from '../option-checks.ts'
import { packageVersion } from '../records/versions.ts'

/** Floating-point operations a second of a rank on `virtual`: its clock, not a claim. */
const virtualFlopsPerSecond = 2e10

/** Everything that is decided before ranks start. */
export interface TrainPlan {
  readonly job: TrainJob
  readonly system: DeepSystem
  readonly options: Readonly<Record<string, unknown>>
  readonly spread: Spread
  readonly model: Model
  readonly data: Dataset
}

/** Checks a spec, fills in defaults and builds the job. @throws {ConfigError} with one line for everything that cannot be. */
export function planTraining(spec: TrainSpec): TrainPlan {
  const system = typeof spec.system === 'object' ? spec.system : findSystem(spec.system ?? ((spec.workers ?? 1) > 1 ? 'bsp' : 'solo'))
  if (system.kind !== 'deep')
    throw new ConfigError(`train: ${system.id} is a classical system — expected one for networks (use an estimator’s fit)`)
  const spread = spreadOf(spec, system)
  if (system.id === 'solo' && spread.workers > 1)
    throw new ConfigError(`solo: one worker by definition — got ${spread.workers} (choose --system bsp)`)
  const options = resolveOptions(system, spec.systemOptions ?? {})
  const model = spec.model instanceof TrainedModel ? spec.model.model : spec.model
  const loss = requireLoss(spec.loss ?? (spec.data.classes ? 'cross-entropy' : 'mean-squared-error'))
  const metric = requireMetric(spec.metric ?? defaultMetric(loss), loss)
  if (spec.until.metric !== undefined) requireReachable(metric, spec.until.metric)
  const [data, validation] = evaluationRows(spec)
  requireFinite(data)
  if ((spec.keepBest || spec.earlyStopping || spec.until.metric !== undefined) && validation === undefined && data.test === undefined) {
    throw new ConfigError(
      `train: keepBest, earlyStopping and until.metric need rows to score on — ${data.name} has no test rows (give validation: 0.2, or a data set)`,
    )
  }
  for (const rows of [data, data.test, validation]) if (rows !== undefined) checkRows(model, rows, loss)
  const seed = spec.seed ?? 1
  const globalBatchSize = wholeNumber('globalBatchSize', spec.globalBatchSize ?? 64, 1)
  if (globalBatchSize > data.rows) {
    throw new ConfigError(
      `train: globalBatchSize ${globalBatchSize} is larger than the data — expected at most ${data.rows} rows (choose a smaller one)`,
    )
  }
  if (globalBatchSize < spread.workers) {
    throw new ConfigError(
      `train: globalBatchSize ${globalBatchSize} leaves ranks without rows — expected at least ${spread.workers}, one for each worker`,
    )
  }
  const lastBatch = spec.lastBatch ?? 'drop'
  if (lastBatch === 'pad' && usesBatchStatistics(model)) {
    throw new ConfigError(
      `train: lastBatch pad fills a batch up with rows that are none, and ${model.name} normalises by statistics of its batches — expected lastBatch drop`,
    )
  }
  const partitionSpec = spec.partition ?? { kind: 'shared' }
  const dealt =
    partitionSpec.kind === 'shared'
      ? [data.rows]
      : partition(data, spread.workers, { ...partitionSpec, seed }).rows.map((rows) => rows.length)
  const stepsPerEpoch = Math.max(1, batchesPerEpoch(dealt, globalBatchSize, lastBatch))
  const steps = stepsOf(spec, stepsPerEpoch)
  const evaluateEvery = wholeNumber('evaluateEvery', spec.evaluateEvery ?? Math.min(stepsPerEpoch, steps), 1)
  const graph = trainingGraph(model, loss)
  const order = backwardOrder(graph)
  const parameterSizes = new Map(model.parameters.map((parameter) => [parameter.name, parameterLength(parameter)]))
  const program = buildProgram(
    system,
    { worldSize: spread.workers, steps, evaluateEvery, backwardOrder: order, parameterSizes, reproducible: spec.reproducible ?? false },
    options,
  )
  const asynchronous = program.store !== undefined && program.store.admission.kind !== 'bsp'
  if (asynchronous && (spec.until.metric !== undefined || spec.earlyStopping)) {
    throw new ConfigError(
      `${system.id}: scores its snapshots after the run — until.metric and earlyStopping need a synchronous system (bsp, hvd, local)`,
    )
  }
  if (program.store && needsWholeParameters(spec.optimizer)) {
    throw new ConfigError(
      `${system.id}: a parameter server holds parts of parameters, ${spec.optimizer.kind} looks at whole ones — expected another optimiser, or bsp with an all-reduce`,
    )
  }
  const microBatches = wholeNumber('microBatches', spec.microBatches ?? 1, 1)
  if (program.buckets && microBatches > 1)
    throw new ConfigError(`${system.id}: a model cut into buckets takes microBatches 1 — got ${microBatches}`)
  if (microBatches > Math.floor(globalBatchSize / spread.workers)) {
    throw new ConfigError(
      `train: microBatches ${microBatches} are more than a rank has rows — expected at most ${Math.floor(globalBatchSize / spread.workers)}`,
    )
  }
  const leastRows = Math.floor(Math.floor(globalBatchSize / spread.workers) / microBatches)
  checkCombination({ spec, system: system.id, program, model, data, globalBatchSize, leastRows })
  const sameProcess = spread.fabric === 'threads'
  const job: TrainJob = {
    kind: 'train',
    version: packageVersion(),
    seed,
    data: referenceTo(data, sameProcess),
    ...(validation ? { validation: referenceTo(validation, sameProcess) } : {}),
    program,
    programHash: programHash(program),
    virtualSecondsPerRow: (3 * model.flopsPerSample) / virtualFlopsPerSecond,
    model: model.toJSON(),
    loss,
    metric,
    optimizer: spec.optimizer,
    schedule: spec.schedule ?? { kind: 'constant' },
    layout: layoutParameters(model.parameters, program.buckets ?? [order]),
    ...(spec.gradClipNorm === undefined ? {} : { gradClipNorm: spec.gradClipNorm }),
    ...(spec.gradClipValue === undefined ? {} : { gradClipValue: spec.gradClipValue }),
    ...(spec.augmentation === undefined ? {} : { augmentation: checkedAugmentation(spec.augmentation, model) }),
    globalBatchSize,
    lastBatch,
    partition: partitionSpec,
    microBatches,
    steps,
    stepsPerEpoch,
    evaluateEvery,
    scoresTest: validation !== undefined && spec.data.test !== undefined,
    warmUpSteps: wholeNumber('warmUpSteps', spec.warmUpSteps ?? 2, 0),
    ...(spec.until.metric === undefined ? {} : { stopAt: { metric: spec.until.metric } }),
    ...(spec.earlyStopping ? { patience: wholeNumber('earlyStopping.patience', spec.earlyStopping.patience, 1) } : {}),
    keepBest: spec.keepBest ?? false,
    intraOpThreads: threadsOf(spec.intraOpThreads, spread.workers),
    driverPlan: { driver: checkedDriver(spec.driver) },
    ...(spec.model instanceof TrainedModel ? { initial: { ...spec.model.values } } : {}),
    ...checkpointSpec(spec),
  }
  return { job, system, options, spread, model, data }
}

function evaluationRows({ data, validation, seed }: TrainSpec): [Dataset, Dataset | undefined] {
  if (typeof validation !== 'number') return [data, validation]
  return split(data, { test: validation, stratify: data.classes !== undefined, seed: seed ?? 1 })
}

function stepsOf({ until }: TrainSpec, stepsPerEpoch: number): number {
  const { epochs, steps } = until
  if (steps !== undefined) return wholeNumber('until.steps', steps, 1)
  if (epochs !== undefined) {
    if (!(epochs > 0)) throw new ConfigError(`train: until.epochs — expected more than 0, got ${shown(epochs)}`)
    return Math.max(1, Math.round(epochs * stepsPerEpoch))
  }
  throw new ConfigError('train: when to end is not said — expected until: { epochs } or { steps } (a metric alone might never be reached)')
}

function threadsOf(threads: TrainSpec['intraOpThreads'] = 1, workers: number): number {
  return threads === 'auto' ? Math.max(1, Math.floor(availableParallelism() / workers)) : wholeNumber('intraOpThreads', threads, 1)
}

/** The driver that was asked for; `auto` begins as ONNX Runtime, until it has been measured. */
function checkedDriver(driver: TrainSpec['driver'] = 'auto'): DriverPlan['driver'] {
  if (driver === 'auto') return 'onnxruntime'
  if (driver === 'onednn') {
    const library = findLibrary()
    if ('problem' in library)
      throw new ConfigError(`driver onednn: ${library.problem} (tutti doctor says how to install it, or take driver auto)`)
  }
  if (driver === 'onnxruntime' || driver === 'onednn') return driver
  throw new ConfigError(`train: there is no driver ${JSON.stringify(driver)} — expected auto, onnxruntime or onednn`)
}

/**
 * The job with the driver that is fastest for its training graph, where the spec leaves the choice; a resumed run keeps the one that it began with,
 * for the same bits. One process chooses for all ranks.
 */
export async function withChosenDriver(spec: TrainSpec, job: TrainJob, workers: number): Promise<TrainJob> {
  if ((spec.driver ?? 'auto') !== 'auto') return job
  const resume = job.checkpoint?.resume
  const kept = resume === undefined ? undefined : readManifest(resume).state.driverPlan
  if (isDriverPlan(kept) && (kept.driver !== 'onednn' || hasLibrary())) return { ...job, driverPlan: kept }
  const batchSize = Math.max(1, Math.floor(rankBatchSize(job.globalBatchSize, workers, 0) / job.microBatches))
  const { graph } = sparseRows(trainingGraph(modelFromJSON(job.model), job.loss), batchSize)
  return { ...job, driverPlan: await choosePlan(graph, { batchSize, intraOpThreads: job.intraOpThreads }) }
}

function checkedAugmentation(spec: AugmentationSpec, model: Model): AugmentationSpec {
  const [input] = Object.values(model.inputs)
  const { shape = [], dtype } = input === undefined ? {} : inputType(input)
  if (shape.length !== 3 || dtype !== 'float32') {
    throw new ConfigError(
      `augmentation: only images can be mirrored and moved — expected a model of [channels, height, width], got [${shape.join(', ')}]`,
    )
  }
  wholeNumber('augmentation.shift', spec.shift ?? 0, 0)
  return spec
}

/** A whole number not below `least`. @throws {ConfigError} naming the option. */
export function wholeNumber(name: string, value: number, least: number): number {
  if (!Number.isInteger(value) || value < least)
    throw new ConfigError(`${name}: expected a whole number ≥ ${least}, got ${shown(value)}`, { option: name })
  return value
}
