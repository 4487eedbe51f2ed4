import { type Kind, kinds, oneOf } from '../option-checks.ts'
import type { FitSpec } from './fit.ts'
import type { RunOptions, SpreadOptions, TrainSpec } from './spec.ts'

/**
 * Every key of a type: the compiler finds one that is missing here or no longer there. `true`: checked where it is used, with what it depends on.
 */
type KeysOf<T> = { readonly [K in keyof Required<T>]: true | Kind }

const spread: KeysOf<SpreadOptions> = {
  system: true,
  systemOptions: kinds.object,
  fabric: true,
  workers: true,
  threadsPerProcess: true,
  hosts: kinds.array,
  mpirunArgs: kinds.array,
  reproducible: kinds.flag,
  timeoutMs: kinds.positive,
  network: kinds.object,
  faults: kinds.array,
  out: kinds.text,
  resume: kinds.text,
  seed: kinds.seed,
}
const run: KeysOf<RunOptions> = { signal: true, onEvent: true, workload: true }

/** Options of `train`. */
export const trainOptions: KeysOf<TrainSpec> = {
  ...spread,
  model: true,
  data: true,
  validation: true,
  loss: true,
  metric: true,
  augmentation: true,
  optimizer: true,
  schedule: true,
  globalBatchSize: true,
  lastBatch: oneOf('drop', 'pad'),
  partition: true,
  microBatches: true,
  until: true,
  earlyStopping: true,
  evaluateEvery: true,
  gradClipNorm: kinds.positive,
  gradClipValue: kinds.positive,
  checkpointEverySeconds: kinds.notNegative,
  keepBest: kinds.flag,
  warmUpSteps: true,
  driver: true,
  intraOpThreads: true,
}
/** Options of `fit`; estimators pass those of the run through. */
export const fitOptions: KeysOf<FitSpec & RunOptions> = {
  ...spread,
  ...run,
  data: true,
  maxSteps: true,
  extra: true,
  checkpointEverySeconds: kinds.notNegative,
}
