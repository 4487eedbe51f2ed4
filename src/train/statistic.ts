/**
 * The second family of systems: a local statistic and a way of merging it. Learning step = `localStat(state, rows)` → merge → `nextState(state, merged)`.
 * The statistic is one float64 array whose merge is a sum; what it is merged over (collective, gossip, masked sums, …) is the Program's.
 * @packageDocumentation
 */
import type { Kernels } from '../kernels/kernels.ts'
import type { Allocate } from './buffers.ts'
import type { NamedTensor } from './safetensors.ts'
import type { PlacedRows } from './batch-source.ts'

/** Values of a system's options, and what its caller passes beside them (`extra`). */
type Options = Readonly<Record<string, unknown>>

/** What a learner knows before it sees data: enough to lay out its memory. */
export interface LearnerShape<O extends Options = Options> {
  readonly rows: number
  readonly width: number
  readonly worldSize: number
  readonly options: O
}

/** What a learner works on. */
export interface LearnerContext<Memory, O extends Options = Options> extends LearnerShape<O> {
  readonly rank: number
  readonly seed: number
  readonly data: PlacedRows
  /** This rank's rows, `[start, end)`. */
  readonly range: { readonly start: number; readonly end: number }
  /** Kernels of the data segment, in which `memory` lies. */
  readonly kernels: Kernels
  readonly memory: Memory
  /** Merged over the ranks, in place, between `localStat` and `nextState`. */
  readonly statistic: Float64Array<ArrayBuffer>
}

/** Where in the Program a step stands: finding a start, learning, or a last look at the result. */
export type Stage = 'setup' | 'body' | 'drain'

/** One learner at work on one rank. */
export interface Learner {
  /** Fills `statistic` from this rank's rows. */
  localStat(stage: Stage): void
  /** Moves the state on from the merged statistic; true when learning has ended. Ranks must decide alike. */
  nextState(stage: Stage): boolean
  /** The quantity that falls (or rises) from step to step, as the merged statistic gives it. */
  readonly score: number
  /** Learned state: the result, and what a checkpoint holds. */
  readonly state: Readonly<Record<string, NamedTensor>>
  restore(state: Readonly<Record<string, NamedTensor>>): void
  /** What only this rank knows, one value a row of its range (labels). */
  readonly ofRows?: Readonly<Record<string, Int32Array>>
}

/** Worker code of a classical system, named by id or by file and never sent. Its options are all that it may know of the driver. */
export interface StatisticLearner<Memory = unknown, O extends Options = Options> {
  /** Elements of the statistic. */
  statisticLength(shape: LearnerShape<O>): number
  /** Arrays in the data segment, beside the rows, where kernels can work on them; none when absent. */
  layOut?(shape: LearnerShape<O>, allocate: Allocate): Memory
  open(context: LearnerContext<Memory, O>): Learner
  /** Name of `score`, and which way is better. */
  readonly metric: { readonly name: string; readonly better: 'higher' | 'lower' }
}
