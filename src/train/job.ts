/**
 * What goes from the driver to the ranks: graphs, Programs, options and references to data, all of it plain data.
 * @packageDocumentation
 */
import type { DatasetSource } from '../data/dataset.ts'
import type { ModelJSON } from '../nn/model.ts'
import type { OptimizerSpec } from '../nn/optimizer-spec.ts'
import type { ScheduleSpec } from '../nn/schedule.ts'
import type { LossName } from '../nn/losses.ts'
import type { MetricName } from '../nn/metrics.ts'
import type { DatasetArrays } from '../data/place.ts'
import type { DriverPlan } from '../runtime/choice/driver-plan.ts'
import type { AugmentationSpec } from './augmentation.ts'
import type { ParameterLayout } from './layout.ts'
import type { Program } from './program.ts'

/** A data set by reference where every process can read it, by value otherwise. */
export type DataReference =
  | { readonly by: 'reference'; readonly source: DatasetSource; readonly hash: string }
  | { readonly by: 'value'; readonly dataset: DatasetArrays; readonly hash: string }

/** Parts of every job. */
export interface JobBase {
  readonly version: string
  readonly seed: number
  readonly data: DataReference
  /** Rows to score on, where they are another set than `data.test`. */
  readonly validation?: DataReference
  readonly program: Program
  readonly programHash: string
  readonly checkpoint?: CheckpointSpec
  /** Seconds that a virtual rank takes for one row (forward and backward, or one row's statistic). */
  readonly virtualSecondsPerRow: number
}

/** Where and how often to save. */
export interface CheckpointSpec {
  readonly dir: string
  /** Seconds between two periodic checkpoints (default 60). */
  readonly everySeconds: number
  /** Folder to go on from. */
  readonly resume?: string
}

/** How rows are dealt out. `shared`: one shuffle, each rank a slice of every global batch. Otherwise every rank draws from rows of its own. */
export type PartitionSpec =
  | { readonly kind: 'shared' }
  | { readonly kind: 'iid' | 'contiguous' | 'byLabel' }
  | { readonly kind: 'dirichlet'; readonly alpha: number }

/** A network to train. */
export interface TrainJob extends JobBase {
  readonly kind: 'train'
  readonly model: ModelJSON
  readonly loss: LossName
  /** What evaluations report and stopping rules watch. */
  readonly metric: MetricName
  readonly optimizer: OptimizerSpec
  readonly schedule: ScheduleSpec
  readonly layout: ParameterLayout
  readonly gradClipNorm?: number
  readonly gradClipValue?: number
  readonly augmentation?: AugmentationSpec
  readonly globalBatchSize: number
  readonly lastBatch: 'drop' | 'pad'
  readonly partition: PartitionSpec
  /** Micro-batches of each rank's batch, summed in order: `solo` with N equals N ranks bit for bit. */
  readonly microBatches: number
  readonly steps: number
  readonly stepsPerEpoch: number
  readonly evaluateEvery: number
  /** Scores are of validation rows, and the data set has test rows of its own: those are scored once, at the end. */
  readonly scoresTest: boolean
  readonly warmUpSteps: number
  /** Stop when the metric reaches the value, or did not improve for `patience` evaluations. */
  readonly stopAt?: { readonly metric: number }
  readonly patience?: number
  /** Keep the parameters with the best score beside the last. */
  readonly keepBest: boolean
  readonly intraOpThreads: number
  /** What runs the graphs on every rank. */
  readonly driverPlan: DriverPlan
  /** Parameter values to start from, by name; drawn by the seed when absent. */
  readonly initial?: Readonly<Record<string, Float32Array>>
}

/** A classical learner to fit: a local statistic, merged, then a new state. */
export interface FitJob extends JobBase {
  readonly kind: 'fit'
  /** Which learner: a name in the package's own table, or a file that the user named. */
  readonly learner: { readonly id: string } | { readonly path: string; readonly sha256: string; readonly export: string }
  readonly options: Readonly<Record<string, unknown>>
  readonly maxSteps: number
}

export type Job = TrainJob | FitJob
