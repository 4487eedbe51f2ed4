import { ConfigError } from '../errors.ts'
import { nearestName } from '../nearest-name.ts'
import type { FitSpec } from './fit.ts'
import type { RunOptions, SpreadOptions, TrainSpec } from './spec.ts'

/** Every key of a type: the compiler finds one that is missing here or no longer there. */
type KeysOf<T> = { readonly [K in keyof Required<T>]: true }

const spread: KeysOf<SpreadOptions> = {
  system: true,
  systemOptions: true,
  fabric: true,
  workers: true,
  threadsPerProcess: true,
  hosts: true,
  mpirunArgs: true,
  reproducible: true,
  timeoutMs: true,
  network: true,
  faults: true,
  out: true,
  resume: true,
  seed: true,
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
  lastBatch: true,
  partition: true,
  microBatches: true,
  until: true,
  earlyStopping: true,
  evaluateEvery: true,
  gradClipNorm: true,
  gradClipValue: true,
  checkpointEverySeconds: true,
  keepBest: true,
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
  checkpointEverySeconds: true,
}

/** Refuses names that nothing reads, which would otherwise be ignored. @throws {ConfigError} with the name that was probably meant. */
export function refuseUnknown(where: string, given: object, known: Readonly<Record<string, true>>): void {
  const wrong = Object.keys(given).find((name) => !Object.hasOwn(known, name))
  if (wrong === undefined) return
  const nearest = nearestName(wrong, Object.keys(known))
  const mend = nearest === undefined ? 'leave it out' : `did you mean ${nearest}?`
  throw new ConfigError(`${where}: no option ${wrong} — expected ${Object.keys(known).join(', ')} (${mend})`, { option: wrong })
}
