import type { Dataset } from '../data/dataset.ts'
import type { FabricName, FaultSpec, LinkShape } from '../fabric/launch.ts'
import type { Model } from '../nn/model.ts'
import type { OptimizerSpec } from '../nn/optimizer-spec.ts'
import type { ScheduleSpec } from '../nn/schedule.ts'
import type { LossName } from '../nn/losses.ts'
import type { MetricName } from '../nn/metrics.ts'
import type { AnySystem } from '../systems/define.ts'
import type { DriverPlan } from '../runtime/choice/driver-plan.ts'
import type { AugmentationSpec } from '../train/augmentation.ts'
import type { PartitionSpec } from '../train/job.ts'
import type { RunEvent } from './events.ts'
import type { TrainedModel } from './trained-model.ts'

/** How work is spread: the same options for `train`, `fit` and the command line (`--workers`, `--fabric`, …). */
export interface SpreadOptions {
  /** System by id, or a system of your own. */
  readonly system?: string | AnySystem
  /** Options of the system, by name. */
  readonly systemOptions?: Readonly<Record<string, unknown>>
  /** Default `threads`. */
  readonly fabric?: FabricName
  /** Ranks (default 1). */
  readonly workers?: number
  /** `hybrid`: rank threads in each process (default 2, or the workers divided over the hosts). */
  readonly threadsPerProcess?: number
  /** Hosts as mpirun takes them: `['a:8', 'b:8']`. */
  readonly hosts?: readonly string[]
  /** Further arguments for mpirun. */
  readonly mpirunArgs?: readonly string[]
  /** Same bits for the same ranks, seed and plan (default false): our own collectives in a fixed order. */
  readonly reproducible?: boolean
  /** Longest wait for another rank (default 60,000). */
  readonly timeoutMs?: number
  /** Limits on every link, for experiments. */
  readonly network?: LinkShape
  /** Faults to inject, for experiments. */
  readonly faults?: readonly FaultSpec[]
  /** Folder for the record; nothing is written when absent. */
  readonly out?: string
  /** Folder of a run to go on from. */
  readonly resume?: string
  /** Default 1. */
  readonly seed?: number
}

/** Listeners and the way to stop. */
export interface RunOptions {
  /** First abort: ranks agree on a step, save and stop. */
  readonly signal?: AbortSignal
  readonly onEvent?: (event: RunEvent) => void
  /** Name in records (`lenet-5/mnist`); default model/data. */
  readonly workload?: string
}

/** What to train, on what, how. */
export interface TrainSpec extends SpreadOptions {
  readonly model: Model | TrainedModel
  /** A data set, or your own arrays. */
  readonly data: Dataset
  /** Rows to score on during training: a share of `data` that is held out, or rows of their own. Default: the data set's test rows. */
  readonly validation?: number | Dataset
  /** Default `cross-entropy` where the rows have classes, otherwise `mean-squared-error`. */
  readonly loss?: LossName
  /** What to report and watch (default: accuracy, rmse, or the loss itself). */
  readonly metric?: MetricName
  readonly optimizer: OptimizerSpec
  /** Default constant. */
  readonly schedule?: ScheduleSpec
  /** Vary training images: `{ flip: true, shift: 4 }` (default: as they are). */
  readonly augmentation?: AugmentationSpec
  /** Rows of all ranks in one step (default 64). */
  readonly globalBatchSize?: number
  /** What becomes of an epoch's last, partial batch (default `drop`). */
  readonly lastBatch?: 'drop' | 'pad'
  /** How rows are dealt out (default: one shuffle for all). */
  readonly partition?: PartitionSpec
  /** Parts of each rank's batch that are computed one after another (default 1). */
  readonly microBatches?: number
  /** When to end; `metric` as soon as the score reaches it. Give epochs or steps. */
  readonly until: { readonly epochs?: number; readonly steps?: number; readonly metric?: number }
  /** End when the score did not improve for so many evaluations. */
  readonly earlyStopping?: { readonly patience: number }
  /** Steps between two evaluations (default: one epoch). */
  readonly evaluateEvery?: number
  readonly gradClipNorm?: number
  readonly gradClipValue?: number
  /** Seconds between two periodic checkpoints (default 60). */
  readonly checkpointEverySeconds?: number
  /** Keep the parameters with the best score too (default false). */
  readonly keepBest?: boolean
  /** Discarded passes before the clock starts (default 2). */
  readonly warmUpSteps?: number
  /**
   * What runs the graphs (default `auto`: the fastest by a measurement that is made once for each graph and machine). With the same driver, the same ranks give
   * the same bits.
   */
  readonly driver?: 'auto' | DriverPlan['driver']
  /** Threads inside one operator (default 1: parallelism comes from ranks); `auto`: the cores of this machine over the workers. */
  readonly intraOpThreads?: number | 'auto'
}
