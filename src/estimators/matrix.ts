import type { Dataset } from '../data/dataset.ts'
import { fromArrays } from '../data/from-arrays.ts'
import { DataError, ShapeError } from '../errors.ts'

/** Rows as one typed array, row by row. */
export interface Matrix {
  readonly values: Float32Array | Float64Array | Uint8Array
  readonly rows: number
}

/** A data set's features, or a matrix, with the factor that turns a stored element into its value. */
export function matrixOf(x: Dataset | Matrix): Matrix & { readonly width: number; readonly scale: number } {
  if ('features' in x) {
    const { values } = x.features
    if (values instanceof Int32Array)
      throw new DataError(`matrix: ${x.name} holds ids — expected numbers (float32, float64 or uint8 features)`)
    return { values, rows: x.rows, width: values.length / x.rows, scale: x.normalize.scale }
  }
  const width = x.values.length / x.rows
  if (!Number.isInteger(width)) throw new ShapeError(`matrix: ${x.values.length} elements are no ${x.rows} rows — expected a multiple`)
  return { ...x, width, scale: 1 }
}

/** A data set of the rows; a target makes it one for regression. */
export function toDataset(x: Dataset | Matrix, y?: Float32Array | Float64Array): Dataset {
  if ('features' in x) return x
  const { width } = matrixOf(x)
  return fromArrays({ features: x.values, shape: [x.rows, width], ...(y ? { target: y } : {}) })
}
