import type { ArrayOf, DType } from '../memory/dtype.ts'

/** Values with a shape; `shape[0]` counts rows. Row-major. */
export interface Tensor<D extends DType = DType> {
  readonly dtype: D
  readonly shape: readonly number[]
  readonly values: ArrayOf[D]
}

/** Element kinds that features may have; int32 are ids (words of a text, users, categories), which are never normalised. */
export type FeatureDType = 'float32' | 'uint8' | 'float64' | 'int32'

/** Element kinds that targets may have. */
export type TargetDType = 'int32' | 'float32' | 'float64'

/**
 * How another process gets the same rows without a copy over the wire: a registry id with options, a generator, or files, and
 * what was made of one of these by a pure operation of this folder. Plain data. Absent for arrays that only this process has:
 * those travel by value.
 */
export type DatasetSource =
  | { readonly kind: 'registry'; readonly id: string; readonly options: Readonly<Record<string, unknown>> }
  | { readonly kind: 'file'; readonly path: string; readonly reader: string; readonly options: Readonly<Record<string, unknown>> }
  | {
      readonly kind: 'derived'
      readonly of: DatasetSource
      readonly operation: 'split' | 'take' | 'test' | 'standardise'
      readonly options: Readonly<Record<string, unknown>>
    }

/**
 * In which order rows are visited, where it is not by chance.
 *
 * - `sequential`: as they stand, in every epoch: the rows continue each other. With `streams` B, row b·B + q continues row (b − 1)·B + q, so
 *   that whoever trains in batches of B rows can carry state from batch to batch.
 * - `bucketed`: by chance, then every `block` rows by the number of their targets that count, cut into batches, and the batches by chance:
 *   the rows of a batch are about equally long.
 */
export type RowOrder = { readonly kind: 'sequential'; readonly streams?: number } | { readonly kind: 'bucketed'; readonly block: number }

/** Rows, held once, in their own element kind (uint8 images stay uint8). */
export interface Dataset {
  readonly name: string
  readonly rows: number
  /** `[rows, ...]`: float32, uint8, float64, or int32 ids. */
  readonly features: Tensor<FeatureDType>
  /** `[rows]` or `[rows, k]`: int32 class numbers (of `k` positions: −1 does not count), float32 or float64 values. */
  readonly target?: Tensor<TargetDType>
  /** Class number → name. Its presence says that the task is classification. */
  readonly classes?: readonly string[]
  readonly featureNames?: readonly string[]
  /** Of int32 features: id → name, such as the words of a text. */
  readonly vocabulary?: readonly string[]
  /** Where a row is a whole graph: `[edges, 2]`, the pairs of nodes that are joined, each once. */
  readonly edges?: Tensor<'int32'>
  /** Default: every epoch by chance. */
  readonly order?: RowOrder
  /** By feature column: code → name of a categorical column, `null` for a numeric one. Absent when all are numeric. */
  readonly categories?: readonly (readonly string[] | null)[]
  /** Feature elements that are NaN because the file had no value there (default 0). */
  readonly missingValues?: number
  /** What turns a stored element into the model's input: value·scale + shift (default 1, 0; images: 1/255, 0). */
  readonly normalize: { readonly scale: number; readonly shift: number }
  readonly source?: DatasetSource
  /** SHA-256 (hex) of features, target, shapes and normalisation: ranks compare it before the first step. Computed when first read. */
  readonly hash: string
  /** Evaluation rows, where the data set comes with them. */
  readonly test?: Dataset
}

/** Whether this is a data set, from wherever it comes. */
export function isDataset(value: unknown): value is Dataset {
  return typeof value === 'object' && value !== null && 'features' in value && 'rows' in value && 'normalize' in value
}
