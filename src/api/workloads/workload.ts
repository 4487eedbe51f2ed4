/**
 * What a workload is: model × data × recipe, under the suite's ids.
 * @packageDocumentation
 */
import type { Dataset } from '../../data/dataset.ts'
import type { LoadArguments } from '../../data/load.ts'
import type { DatasetId } from '../../data/registry.ts'
import { defaultMetric } from '../../nn/metrics.ts'
import type { MetricName } from '../../nn/metrics.ts'
import type { Model } from '../../nn/model.ts'
import type { ScheduleSpec } from '../../nn/schedule.ts'
import type { TrainSpec } from '../spec.ts'

interface WorkloadBase {
  readonly id: string
  readonly title: string
  readonly data: DatasetId
  readonly dataOptions: LoadArguments
  /** Id of the system that it is run with when none is named: with one worker, and with more. */
  readonly defaultSystems: readonly [string, string]
  readonly source: string
}

/** A network to train. */
export interface DeepWorkload extends WorkloadBase {
  readonly kind: 'deep'
  /** The model for a data set of its own: vocabularies and edges are the data's. */
  readonly model: (data: Dataset) => Model
  /** How it is trained: options of `train`. */
  readonly recipe: Recipe
  readonly epochs: number
}

/** The part of a training's options that a workload fixes. */
export type Recipe = Pick<TrainSpec, 'optimizer' | 'loss' | 'metric' | 'gradClipNorm' | 'augmentation'> & {
  readonly schedule: ScheduleSpec
  readonly globalBatchSize: number
}

/** A classical learner to fit. */
export interface StatisticWorkload extends WorkloadBase {
  readonly kind: 'statistic'
  readonly maxSteps: number
  readonly systemOptions: Readonly<Record<string, unknown>>
}

export type Workload = DeepWorkload | StatisticWorkload

/** One worker alone, and more of them with an all-reduce. */
export const defaultSystems = ['solo', 'bsp'] as const

/** How many classes the targets of a data set are of. */
export const classesOf = ({ classes = [] }: Dataset): number => classes.length

/** What the evaluations of a network's workload report. */
export function metricOfWorkload({ recipe: { metric, loss = 'cross-entropy' } }: DeepWorkload): MetricName {
  return metric ?? defaultMetric(loss)
}
