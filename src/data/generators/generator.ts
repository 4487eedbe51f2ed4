/** Parameters of a generated data set; each generator has its own defaults and ignores none silently. */
export interface GeneratorParameters {
  /** Features d. */
  readonly dims: number
  /** Classes or clusters K (0 for regression). */
  readonly classes: number
  /** Standard deviation of the noise, or the chance that a bit flips. */
  readonly noise: number
  /** Whole number below 2³². */
  readonly seed: number
}

/** Parameters that a user may choose, and the limits within which. */
export type GeneratorLimits = { readonly [K in 'dims' | 'classes' | 'noise']?: { readonly min: number; readonly max: number } }

/** A published synthetic problem. Each one passes the contract in generator-contract. */
export interface Generator {
  readonly id: string
  readonly title: string
  readonly task: 'classification' | 'regression' | 'clustering'
  /** Values of the parameters that are not given; what has no entry in `limits` is fixed. */
  readonly defaults: Omit<GeneratorParameters, 'seed'>
  readonly limits: GeneratorLimits
  /** Rows when the caller asks for none. */
  readonly rows: number
  /**
   * Prepares what all rows share and returns the function that makes one row: writes its features (`dims` values, before rounding)
   * and returns its class number or target. A row depends on seed and row number only.
   */
  prepare(parameters: GeneratorParameters): (row: number, into: Float64Array) => number
}
