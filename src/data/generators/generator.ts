import type { Task } from '../task.ts'

/** Parameters of a generated data set; each generator has its own defaults and ignores none silently. */
export interface GeneratorParameters {
  /** Features d. */
  readonly dims: number
  /** Classes or clusters K (0 for regression). */
  readonly classes: number
  /** Different values of a categorical field C (0 where there is none). */
  readonly values: number
  /** Standard deviation of the noise, or the chance that a bit flips. */
  readonly noise: number
  /** Whole number below 2³². */
  readonly seed: number
}

/** Parameters that a user may choose, and the limits within which. */
export type GeneratorLimits = { readonly [K in 'dims' | 'classes' | 'noise' | 'values']?: { readonly min: number; readonly max: number } }

/** A published synthetic problem. Each one passes the contract in generator-contract. */
export interface Generator {
  readonly id: string
  readonly title: string
  readonly task: Task
  /** Values of the parameters that are not given (`values`: 0); what has no entry in `limits` is fixed. */
  readonly defaults: Omit<GeneratorParameters, 'seed' | 'values'> & Partial<Pick<GeneratorParameters, 'values'>>
  readonly limits: GeneratorLimits
  /** Rows when the caller asks for none. */
  readonly rows: number
  /** Evaluation rows when the caller asks for none (default 20,000). */
  readonly testRows?: number
  /** Shape of a row, of `dims` values in all (default `[dims]`). */
  readonly rowShape?: readonly number[]
  /** True where features are ids: they become int32. */
  readonly ids?: boolean
  /** Targets of a row (default 1, a shape `[rows]`). */
  readonly targetWidth?: number
  /**
   * Prepares what all rows share and returns the function that makes one row: writes its features (`dims` values, before rounding)
   * and returns its class number or target; where a row has several targets, it writes them to `targets`. A row depends on seed and row
   * number only.
   */
  prepare(parameters: GeneratorParameters): (row: number, into: Float64Array, targets: Float64Array) => number
}
