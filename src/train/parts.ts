/**
 * What deep systems compose (systems-deep, "One IR"): each part is a list of instructions, a system's `build` puts parts in order.
 * @packageDocumentation
 */
import { ConfigError } from '../errors.ts'
import type { AllReduceAlgorithm } from '../fabric/communicator.ts'
import { every, type Instruction, type Program, repeat, type StoreSpec } from './program.ts'

/** What a build may know of the job; nothing of the fabric. */
export interface BuildContext {
  readonly worldSize: number
  /** Steps of the whole run, and between two evaluations. */
  readonly steps: number
  readonly evaluateEvery: number
  /** Parameter names in the order in which backward finishes them, with their sizes in elements. */
  readonly backwardOrder: readonly string[]
  readonly parameterSizes: ReadonlyMap<string, number>
  /** Same bits on every rank, for the same ranks, seed and plan: excludes `native`. */
  readonly reproducible: boolean
}

/** Gathers a batch, then forward and backward on it. */
export function computeGradients(): Instruction[] {
  return [{ do: 'batch' }, { do: 'gradients' }]
}

/** Sums the gradients over the ranks, in place; their tail says whether to stop or to save. */
export function sumGradients(algorithm: AllReduceAlgorithm): Instruction[] {
  return [
    { do: 'allReduce', buffer: 'gradients', algorithm },
    { do: 'agree', by: 'tail' },
  ]
}

/** Applies the optimiser to this rank's replica. */
export function applyUpdate(): Instruction[] {
  return [{ do: 'update' }]
}

/** w ← Σ (b_i/B)·w_i: the mean of the replicas, weighted by the rows of each. */
export function averageParameters(algorithm: AllReduceAlgorithm): Instruction[] {
  return [
    { do: 'weigh', buffer: 'parameters' },
    { do: 'allReduce', buffer: 'parameters', algorithm },
    { do: 'agree', by: 'tail' },
  ]
}

/** Gradient to the store, parameters back (Li et al. 2014). */
export function pushAndPull(): Instruction[] {
  return [{ do: 'push' }, { do: 'pull' }]
}

/** How a step is made into a whole Program. */
export interface TrainingOptions {
  /** What of the model is scored. */
  readonly evaluates: 'replica' | 'average' | 'snapshot'
  /** Replicas differ between exchanges (default false). */
  readonly replicasDiffer?: boolean
  /** Default `global`. */
  readonly divisor?: 'global' | 'local'
  readonly store?: StoreSpec
  readonly buckets?: readonly (readonly string[])[]
  readonly setup?: readonly Instruction[]
  /** After the last step, before the last evaluation; left out when the run was interrupted. */
  readonly finish?: readonly Instruction[]
}

/** One stretch of a run in which every step is alike. */
export interface Phase {
  /** Share of the run's steps after which it ends, above that of the phase before; 1 for the last. */
  readonly until: number
  readonly step: readonly Instruction[]
}

/** Wraps the body of one step into a whole Program: reports, evaluations, checkpoints and the drain. */
export function trainingProgram(context: BuildContext, options: TrainingOptions, ...step: Instruction[]): Program {
  return phasedProgram(context, options, { until: 1, step })
}

/**
 * A whole Program whose step changes as the run goes on: first the phase that ends first, then the next, the last until the end.
 * @example
 * ```ts
 * phasedProgram(context, { evaluates: 'replica' }, { until: 0.1, step: warmUp }, { until: 1, step: [...computeGradients(), ...applyUpdate()] })
 * ```
 * @throws {ConfigError} when the phases do not end one after another, the last at 1
 */
export function phasedProgram(context: BuildContext, options: TrainingOptions, ...phases: readonly Phase[]): Program {
  const ends = phases.map(({ until }) => until)
  if (!ends.every((end, k) => end > (ends[k - 1] ?? 0)) || ends.at(-1) !== 1)
    throw new ConfigError(`phasedProgram: until — expected rising shares of the run that end with 1, got ${ends.join(', ') || 'no phase'}`)
  const evaluate: Instruction = { do: 'evaluate', of: options.evaluates }
  const close: Instruction[] = [{ do: 'report' }, every(context.evaluateEvery, evaluate), { do: 'checkpoint' }]
  return {
    setup: options.setup ?? [],
    // A `repeat` of the body counts the steps of the whole run, so that a resumed run finds its phase.
    body: phases.map(({ until, step }) => repeat(Math.round(context.steps * until), ...step, ...close)),
    drain: [
      ...(options.finish ? [{ loop: 'unlessInterrupted', body: options.finish } as const] : []),
      { do: 'barrier' },
      evaluate,
      ...(options.evaluates === 'snapshot' ? [{ do: 'evaluate', of: 'snapshots' } as const] : []),
      { do: 'checkpoint', always: true },
      { do: 'barrier' },
    ],
    ...(options.buckets ? { buckets: options.buckets } : {}),
    ...(options.store ? { store: options.store } : {}),
    replicasDiffer: options.replicasDiffer ?? false,
    divisor: options.divisor ?? 'global',
  }
}
