import { blockRange } from '../fabric/communicator.ts'
import { type ArrayOf, arrayConstructor, type DType } from '../memory/dtype.ts'
import { allocationBytes } from '../memory/handle.ts'
import { carryPrefix } from '../graph/graph.ts'
import { layerRows } from '../nn/summary.ts'
import type { TrainJob } from './job.ts'
import { tailLength } from './layout.ts'
import { makeSlots } from './update-rule.ts'
import { tallyLength } from './tally-length.ts'

type Flat = Float32Array<ArrayBuffer>

/** Who gives out arrays: a region of a segment, or a counter that only adds up what would be given. */
export type Allocate = <D extends DType>(dtype: D, length: number, label: string) => ArrayOf[D]

/** What one evaluation pass scores at once, at most: rows, and bytes of activations where rows are large. */
const evaluationLimits = { rows: 500, bytes: 2 ** 26 }

/** The flat buffers of one rank: one a class of state, each one contiguous range. */
export interface TrainBuffers {
  /** Parameters, tail and what is frozen. */
  readonly parameters: Flat
  /** Gradient and tail; where a passive store holds it, this array is the store's. */
  readonly gradients: Flat
  readonly slots: readonly Flat[]
  /** Gradient of one micro-batch, added to `gradients`. */
  readonly micro: Flat | undefined
  /** Parameters that are scored when they are not this rank's own (average, snapshot). */
  readonly scored: Flat
  /** The parameters with the best score so far, where the job keeps them. */
  readonly best: Flat | undefined
  /** Scalars of graphs: training loss and divisor, evaluation loss and correct rows. */
  readonly scalars: Flat
  /** What the metric adds up of one evaluation batch. */
  readonly tally: Flat
  /** [loss, weight, tallies …] of an evaluation, summed over batches and ranks. */
  readonly sums: Float64Array<ArrayBuffer>
  /** What {@link ScoreState} says, for whoever saves from memory. */
  readonly score: Float64Array<ArrayBuffer>

  /** A small exchange of wishes: stop, save. */
  readonly wishes: Int32Array<ArrayBuffer>
}

/** Lays out what `rank` needs in the model segment. */
export function trainBuffers(job: TrainJob, allocate: Allocate): TrainBuffers {
  const { wholeLength } = job.layout
  const length = job.layout.length + tailLength
  const tallies = tallyLength(job)
  return {
    parameters: allocate('float32', wholeLength, 'parameters'),
    gradients: allocate('float32', length, 'gradients'),
    slots: job.program.store ? [] : makeSlots(job.optimizer, (name) => allocate('float32', job.layout.length, name)),
    micro: job.microBatches > 1 ? allocate('float32', length, 'micro-batch gradient') : undefined,
    scored: allocate('float32', wholeLength, 'scored parameters'),
    best: job.keepBest ? allocate('float32', wholeLength, 'best parameters') : undefined,
    scalars: allocate('float32', 16, 'scalars'),
    tally: allocate('float32', tallies, 'tally'),
    sums: allocate('float64', 2 + tallies, 'sums'),
    score: allocate('float64', 4, 'score'),
    wishes: allocate('int32', 16, 'wishes'),
  }
}

/** One batch in the data segment: what a graph reads. */
export interface BatchBuffers {
  readonly rows: Int32Array<ArrayBuffer>
  readonly features: Flat | Int32Array<ArrayBuffer>
  readonly target: Flat | Int32Array<ArrayBuffer>
  readonly weight: Flat
}

/** What one rank stages in the data segment: two training batches (double buffer) and one to evaluate. */
export interface Staging {
  readonly train: readonly [BatchBuffers, BatchBuffers]
  readonly evaluation: BatchBuffers
}

/** Shape of one row, as staging needs it. */
export interface RowShape {
  readonly width: number
  readonly featureDtype: 'int32' | 'float32'
  readonly targetDtype: 'int32' | 'float32'
  readonly targetWidth: number
  readonly evaluationRows: number
}

/** Rows of `rank`'s batch: its block of the global batch. */
export function rankBatchSize(globalBatchSize: number, worldSize: number, rank: number): number {
  const { start, end } = blockRange(globalBatchSize, worldSize, rank)
  return end - start
}

/** Rows that one rank scores at once. A model that carries state from batch to batch reads as many streams as in training. */
export function evaluationBatchSize(job: Pick<TrainJob, 'model' | 'globalBatchSize'>, evaluationRows: number, worldSize: number): number {
  if (job.model.graph.inputs.some(({ name }) => name.startsWith(carryPrefix))) return job.globalBatchSize
  const activations = layerRows(job.model).reduce((sum, row) => sum + row.activationBytes, 0)
  const fitting = Math.floor(evaluationLimits.bytes / Math.max(1, activations))
  return Math.max(2, Math.min(evaluationLimits.rows, Math.max(fitting, 16), Math.ceil(evaluationRows / worldSize)))
}

/** Lays out one rank's staging. */
export function stagingBuffers(job: TrainJob, rank: number, worldSize: number, shape: RowShape, allocate: Allocate): Staging {
  const batch = (size: number): BatchBuffers => ({
    rows: allocate('int32', size, 'batch rows'),
    features: allocate(shape.featureDtype, size * shape.width, 'batch features'),
    target: allocate(shape.targetDtype, size * shape.targetWidth, 'batch targets'),
    weight: allocate('float32', size, 'batch weights'),
  })
  const size = rankBatchSize(job.globalBatchSize, worldSize, rank)
  return { train: [batch(size), batch(size)], evaluation: batch(evaluationBatchSize(job, shape.evaluationRows, worldSize)) }
}

/** Runs a lay-out without memory and says how many bytes it would take. */
export function countBytes(layOut: (allocate: Allocate) => void): number {
  let bytes = 0
  layOut((dtype, length) => {
    bytes += allocationBytes(dtype, length)
    const Constructor = arrayConstructor(dtype)
    return new Constructor(0) as never
  })
  return bytes
}
