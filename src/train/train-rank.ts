/**
 * A training job on the ranks of a fabric: what each process prepares, what each rank does, what is saved when a peer is lost.
 *
 *   data segment    rows | evaluation rows | staging of rank 0 | staging of rank 1 | …
 *   model segment   store (where ranks share memory) | rank 0: parameters, gradients, slots, … | rank 1: …
 * @packageDocumentation
 */
import { Batches } from '../data/batches.ts'
import type { Dataset } from '../data/dataset.ts'
import { partition } from '../data/partition.ts'
import { attachDataset, type PlacedDataset, placedBytes, placeInto } from '../data/place.ts'
import { ConfigError } from '../errors.ts'
import type { Prepared, ProcessInfo, RankEnvironment, RankTask } from '../fabric/launch.ts'
import { outputNamed } from '../graph/graph.ts'
import { kernelsFor } from '../kernels/load.ts'
import type { Handle } from '../memory/handle.ts'
import { requireMemory } from '../memory/machine.ts'
import { Region } from '../memory/region.ts'
import { Segment } from '../memory/segment.ts'
import { initialise } from '../nn/initialise.ts'
import { positionsPerSample } from '../nn/losses.ts'
import { inputType } from '../nn/model.ts'
import { learningRateAt } from '../nn/schedule.ts'
import type { RankResult } from './rank-result.ts'
import { BatchSource, placedRows } from './batch-source.ts'
import { type Allocate, countBytes, rankBatchSize, type RowShape, stagingBuffers, type TrainBuffers, trainBuffers } from './buffers.ts'
import { Augmentation } from './augmentation.ts'
import { CarriedState } from './carried-state.ts'
import { dereference } from './data-reference.ts'
import { execute, wait } from './executor.ts'
import type { TrainJob } from './job.ts'
import { exchangedPart, tailLength, viewsByName } from './layout.ts'
import { OverlapQueue, overlapWords, serveOverlap } from './overlap.ts'
import { programHash, walk } from './program.ts'
import { edgeBuffers, maskBuffers, microRows, TrainGraphs, trainingSegments } from './sessions.ts'
import { StepClock } from './step-clock.ts'
import { PassiveStore, type PassiveStoreMemory, passiveStoreMemory, type StoreClient } from './store.ts'
import { ServedStore, serveStore, type ShardMemory, shardMemory } from './served-store.ts'
import { Trainer } from './trainer.ts'

/** What `prepare` tells the ranks of its process. */
export interface DataInfo {
  readonly placed: PlacedDataset
  readonly validation?: PlacedDataset
  /** By world rank. */
  readonly staging: Readonly<Record<number, Handle>>
  /** All ranks live in this process, so a store is memory. */
  readonly sharesMemory: boolean
}

/** Places rows and counts bytes; once per process. */
export async function prepareTraining(job: TrainJob, process: ProcessInfo): Promise<Prepared> {
  const dataset = await dereference(job.data)
  const validation = job.validation && (await dereference(job.validation))
  const shape = rowShape(job, dataset, validation)
  const stagingBytes = process.ranks.map((rank) => countBytes((allocate) => layOutStaging(job, rank, process.worldSize, shape, allocate)))
  const rowBytes = placedBytes(dataset) + (validation ? placedBytes(validation) : 0)
  const sharesMemory = process.ranks.length === process.worldSize
  const bytesPerRank = Math.max(
    ...process.ranks.map((rank) => countBytes((allocate) => layOutRank(job, rank, process.worldSize, sharesMemory, allocate))),
  )
  const sharedBytes = countBytes((allocate) => layOutShared(job, process.worldSize, sharesMemory, allocate))
  const total = rowBytes + stagingBytes.reduce((sum, bytes) => sum + bytes, 0) + sharedBytes + bytesPerRank * process.ranks.length
  requireMemory(total * Math.max(1, process.ranksOnHost / process.ranks.length), `${process.ranksOnHost} ranks of ${job.model.name}`)
  const segment = Segment.create(rowBytes + stagingBytes.reduce((sum, bytes) => sum + bytes + 64, 0), 'data')
  const info: DataInfo = {
    placed: placeInto(dataset, segment),
    ...(validation && { validation: placeInto(validation, segment) }),
    staging: Object.fromEntries(
      process.ranks.map((rank, index) => [
        rank,
        segment.handleOf(segment.allocate('uint8', stagingBytes[index] as number, `staging of rank ${rank}`)),
      ]),
    ),
    sharesMemory,
  }
  return { sharedBytes, bytesPerRank, segments: { data: segment.ref }, info, service: needsService(job, sharesMemory) }
}

/** One rank, from its buffers to its result. */
export function* runTraining(rank: RankEnvironment<TrainJob>): RankTask<RankResult> {
  const { job, worldSize } = rank
  const info = rank.info as DataInfo
  const dataSegment = rank.segments.data as Segment
  const dataset = attachDataset(info.placed, dataSegment)
  const validation = info.validation && attachDataset(info.validation, dataSegment)
  const scored = validation ?? dataset.test
  const stage = info.staging[rank.rank] as Handle
  const region = new Region(dataSegment, stage.byteOffset, stage.length, `staging of rank ${rank.rank}`)
  const staged = layOutStaging(job, rank.rank, worldSize, rowShape(job, dataset, validation), (...of) => region.allocate(...of))
  const storeMemory = layOutShared(job, worldSize, info.sharesMemory, (...of) => rank.shared(...of))
  const own = layOutRank(job, rank.rank, worldSize, info.sharesMemory, (...of) => rank.allocate(...of))
  const buffers: TrainBuffers = storeMemory
    ? { ...own.buffers, gradients: storeMemory.gradients[rank.rank] as Float32Array<ArrayBuffer> }
    : own.buffers

  const parameters = viewsByName(job.layout, buffers.parameters)
  if (job.initial === undefined) initialise(job.model.parameters, job.seed, parameters)
  else for (const [name, values] of Object.entries(job.initial)) parameters[name]?.set(values)
  const kernels = kernelsFor(rank.segment)
  const dataKernels = kernelsFor(dataSegment)
  const memory = { buffers, staging: staged.staging, masks: staged.masks, edges: own.edges, carried: own.carried, kernels, dataKernels }
  const graphs = yield* TrainGraphs.open(job, memory)
  try {
    const rows = job.partition.kind === 'shared' ? dataset.rows : partition(dataset, worldSize, { ...job.partition, seed: job.seed }).rows
    const { globalBatchSize, lastBatch, seed } = job
    const positions = positionsPerSample(job.loss, outputNamed(job.model.graph, 'output').shape)
    const source = placedRows(dataset, positions)
    const { order } = dataset
    const { units } = source
    const batches = new Batches({ rows, globalBatchSize, worldSize, rank: rank.rank, seed, lastBatch, order, units })
    const clock = new StepClock(() => rank.now(), rank.rank, job.steps)
    const queue = own.overlapWords && !rank.isVirtual ? new OverlapQueue(rank, own.overlapWords) : undefined
    const store = openStore(rank, job, storeMemory, own.shard)
    const trainer = new Trainer({
      job,
      rank,
      buffers,
      staging: staged.staging,
      source: new BatchSource(dataKernels, source, batches, staged.augmentation),
      scored: scored && placedRows(scored, positions),
      test: job.scoresTest && dataset.test ? placedRows(dataset.test, positions) : undefined,
      graphs,
      clock,
      ...(store ? { store } : {}),
      ...(queue ? { overlap: queue } : {}),
    })
    yield* wait(rank.comm.agree(`${job.version} ${programHash(job.program)} ${job.data.hash}`))
    // Before what a checkpoint holds is put back: these passes write what batches carry on, too.
    yield* trainer.warmUp()
    const restored = job.checkpoint?.resume === undefined ? undefined : trainer.saver.restore(job.checkpoint.resume)
    if (restored) trainer.step = restored.step
    store?.adopt(restored?.state ?? { parameters: buffers.parameters, slots: [] }, trainer.step)
    yield* wait(rank.comm.start({ kind: 'barrier' }, { waitsAtOnce: true, phase: 'start' }))
    yield* execute(job.program, rank, trainer)
    queue?.close()
    if (store) yield* store.close()
    const parameters = finalParameters(job, buffers, trainer)
    yield* trainer.evaluator.scoreTest(parameters, trainer.moment)
    if (rank.rank !== 0) return trainer.result()
    const { best: metric, bestStep: step } = trainer.evaluator.state
    const best = buffers.best && metric !== undefined && { step, metric, parameters: buffers.best.slice() }
    return { ...trainer.result(), parameters: parameters.slice(), ...(best ? { best } : {}) }
  } finally {
    yield graphs.close()
  }
}

/** The thread beside a rank: sums buckets, or answers pushes and pulls. */
export function* serveTraining(rank: RankEnvironment<TrainJob>): RankTask {
  const { job, worldSize } = rank
  const info = rank.info as DataInfo
  const own = layOutRank(job, rank.rank, worldSize, info.sharesMemory, (...of) => rank.allocate(...of))
  if (own.overlapWords) {
    const flat = own.buffers.gradients
    const bucketOf = (bucket: number) => exchangedPart(job.layout, flat, bucket)
    yield* serveOverlap(rank, own.overlapWords, bucketOf, overlapAlgorithm(job))
  } else if (own.shard) yield* serveStore(rank, job, own.shard, rateAt(job, worldSize))
}

/** What a rank's result says the model is: what the run last scored. */
function finalParameters(job: TrainJob, buffers: TrainBuffers, trainer: Trainer): Float32Array {
  const averaged = job.program.replicasDiffer && trainer.interrupted
  return averaged ? buffers.scored : buffers.parameters
}

function openStore(
  rank: RankEnvironment<TrainJob>,
  job: TrainJob,
  memory: PassiveStoreMemory | undefined,
  shard: ShardMemory | undefined,
): StoreClient | undefined {
  const { store } = job.program
  if (store === undefined) return undefined
  const rate = rateAt(job, rank.worldSize)
  return memory
    ? new PassiveStore(rank, memory, store, job.layout, kernelsFor(rank.segment), job.optimizer, rate)
    : new ServedStore(rank, job, shard as ShardMemory)
}

/** The n-th update of a store: under bsp each is a step of all ranks, otherwise p of them make one. */
function rateAt(job: TrainJob, worldSize: number): (update: number) => number {
  const perStep = job.program.store?.admission.kind === 'bsp' ? 1 : worldSize
  return (update) => learningRateAt(job.schedule, job.optimizer.learningRate, Math.floor((update - 1) / perStep), job.steps)
}

function overlapAlgorithm(job: TrainJob) {
  for (const instruction of walk(job.program.body)) if (instruction.do === 'allReduce' && instruction.overlap) return instruction.algorithm
  return 'native'
}

function needsService(job: TrainJob, sharesMemory: boolean): boolean {
  for (const instruction of walk(job.program.body)) if (instruction.do === 'allReduce' && instruction.overlap) return true
  return job.program.store !== undefined && !sharesMemory
}

function rowShape(job: TrainJob, dataset: Dataset, validation: Dataset | undefined): RowShape {
  const { target } = dataset
  if (target === undefined) throw new ConfigError(`train: ${dataset.name} has no target — expected a label or a value for every row`)
  const evaluationRows = (validation ?? dataset.test)?.rows ?? 2
  return {
    width: dataset.features.values.length / dataset.rows,
    featureDtype: dataset.features.dtype === 'int32' ? 'int32' : 'float32',
    targetDtype: job.loss === 'cross-entropy' ? 'int32' : 'float32',
    targetWidth: target.values.length / dataset.rows,
    evaluationRows,
  }
}

function layOutStaging(job: TrainJob, rank: number, worldSize: number, shape: RowShape, allocate: Allocate) {
  const rows = rankBatchSize(job.globalBatchSize, worldSize, rank)
  const [input] = Object.values(job.model.inputs)
  const image = input && inputType(input).shape
  const augmentation = job.augmentation && new Augmentation(job.augmentation, image as [number, number, number], job.seed, rows, allocate)
  return { staging: stagingBuffers(job, rank, worldSize, shape, allocate), masks: maskBuffers(job, rows, allocate), augmentation }
}

function layOutRank(job: TrainJob, rank: number, worldSize: number, sharesMemory: boolean, allocate: Allocate) {
  const buffers = trainBuffers(job, allocate)
  const overlaps = needsService(job, true)
  const queue = overlaps ? overlapWords(allocate) : undefined
  const segments = trainingSegments(job)
  const sizes = new Set(microRows(job, rankBatchSize(job.globalBatchSize, worldSize, rank)))
  const edges = new Map([...sizes].map((rows) => [rows, edgeBuffers(segments, rows, allocate)]))
  const carried = {
    train: new CarriedState(job.model.graph, rankBatchSize(job.globalBatchSize, worldSize, rank), allocate),
    evaluation: new CarriedState(job.model.graph, job.globalBatchSize, allocate),
  }
  const shard = job.program.store && !sharesMemory ? shardMemory(job, rank, worldSize, allocate) : undefined
  return { buffers, overlapWords: queue, edges, carried, shard }
}

function layOutShared(job: TrainJob, worldSize: number, sharesMemory: boolean, allocate: Allocate): PassiveStoreMemory | undefined {
  const { store } = job.program
  if (store === undefined || !sharesMemory) return undefined
  return passiveStoreMemory(allocate, store, job.layout, job.layout.length + tailLength, job.optimizer, worldSize)
}
