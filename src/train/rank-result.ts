import type { TraceEvent } from '../records/record.ts'
import type { NamedTensor } from './safetensors.ts'

/** What one rank hands back to the driver. */
export interface RankResult {
  readonly steps: number
  readonly interrupted: boolean
  /** First step whose loss was not a finite number; the run stopped there and saved nothing. */
  readonly divergedAt?: number
  readonly trainSeconds: number
  readonly computeSeconds: number
  readonly exchangeSeconds: number
  readonly otherSeconds: number
  /** [step, compute, exchange] of sampled steps, in seconds. */
  readonly stepTimes: readonly (readonly [number, number, number])[]
  readonly trace: readonly TraceEvent[]
  readonly staleness?: Readonly<Record<number, number>>
  /** Flat parameters as the layout places them; rank 0 of a training job. */
  readonly parameters?: Float32Array
  /** Flat parameters with the best score, where the job keeps them; rank 0. */
  readonly best?: { readonly step: number; readonly metric: number; readonly parameters: Float32Array }
  /** Learned state of a classical learner; rank 0. */
  readonly state?: Readonly<Record<string, NamedTensor>>
  /** One value a row of this rank's range. */
  readonly ofRows?: Readonly<Record<string, Int32Array>>
}
