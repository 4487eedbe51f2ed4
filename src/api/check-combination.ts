/**
 * Options that are fine one by one and do not go together: what a step would compute is not what they promise.
 * @packageDocumentation
 */
import type { Dataset } from '../data/dataset.ts'
import { ConfigError } from '../errors.ts'
import { leastNormalisedValues } from '../nn/batch-norm-form.ts'
import type { Model } from '../nn/model.ts'
import type { Program } from '../train/program.ts'
import type { TrainSpec } from './spec.ts'

/** What a training run is made of. */
export interface Combination {
  readonly spec: Pick<TrainSpec, 'optimizer' | 'augmentation' | 'gradClipNorm' | 'gradClipValue'>
  readonly system: string
  readonly program: Program
  readonly model: Model
  readonly data: Dataset
  readonly globalBatchSize: number
  /** Rows of the smallest batch that a graph runs on: a rank's, in micro-batches. */
  readonly leastRows: number
}

/** @throws {ConfigError} CONFIG naming what excludes what */
export function checkCombination(run: Combination): void {
  checkClipping(run)
  checkBatchNorm(run)
  if (run.spec.optimizer.kind === 'lbfgs') checkLineSearch(run)
}

/** The norm of a sum is not known to ranks that hold parts of it, nor to the shards of a store. */
function checkClipping({ spec, system, program: { store } }: Combination): void {
  if (store?.admission.kind !== 'bsp' || (spec.gradClipNorm === undefined && spec.gradClipValue === undefined)) return
  throw new ConfigError(
    `${system}: a parameter server would clip the part of each worker, not their sum — expected no gradClipNorm and no gradClipValue (or use an all-reduce)`,
  )
}

function checkBatchNorm({ model, leastRows }: Combination): void {
  const values = leastRows * leastNormalisedValues(model)
  if (values > 1) return
  throw new ConfigError(
    `${model.name}: batch norm has one value a channel to normalise — expected more than one (larger batches, fewer workers or micro-batches)`,
  )
}

/** A line search compares losses of one function: the same rows, without noise, from where it stood. */
function checkLineSearch({ spec, system, program, model, data, globalBatchSize }: Combination): void {
  const refuse = (expected: string, got: string): ConfigError =>
    new ConfigError(`lbfgs: a line search compares losses of one function — expected ${expected}, got ${got} (or choose another optimiser)`)
  if (globalBatchSize !== data.rows) throw refuse(`all rows in every step, globalBatchSize ${data.rows}`, String(globalBatchSize))
  if (program.replicasDiffer) throw refuse('one model for all workers, as in bsp', system)
  if (spec.gradClipNorm !== undefined || spec.gradClipValue !== undefined) throw refuse('the gradient as it is', 'gradient clipping')
  if (spec.augmentation !== undefined) throw refuse('the same images in every step', 'augmentation')
  const noisy = model.graph.nodes.find(({ op }) => op === 'dropout' || op === 'batchNorm')
  if (noisy !== undefined) throw refuse('a model without dropout and batch norm', String(noisy.layer))
}
