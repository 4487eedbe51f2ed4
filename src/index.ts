/**
 * tutti: parallel and distributed machine learning. A model or an estimator is described once; a system says how it is spread, a fabric carries it.
 * @packageDocumentation
 */
export * as data from './data/index.ts'
export * as nn from './nn/index.ts'
export { optim } from './nn/optim.ts'
export { schedule } from './nn/schedule.ts'
export type { Model } from './nn/model.ts'
export type { Dataset } from './data/dataset.ts'
export { train, type TrainRun } from './api/train.ts'
export { fit, type FitRun, type FitSpec } from './api/fit.ts'
export type { RunOptions, SpreadOptions, TrainSpec } from './api/spec.ts'
export type { RunEvent } from './api/events.ts'
export { loadModel, TrainedModel } from './api/trained-model.ts'
export { loadSystem } from './api/load-system.ts'
export { compare, type CompareSpec, type Comparison, comparisonSoFar } from './api/compare.ts'
export { runWorkload, workloads } from './api/workloads.ts'
export { defineStatisticSystem, defineSystem, option, systems } from './systems/index.ts'
export { readRun } from './records/run-folder.ts'
export { type RunRow, summarizeRun } from './compare/summary.ts'
export type { RunRecord } from './records/record.ts'
export { KMeans, LinearRegression } from './estimators/index.ts'
export { TuttiError } from './errors.ts'
