import { DTypeError, ShapeError } from '../errors.ts'
import type { Dataset } from './dataset.ts'
import { changeDataset } from './make-dataset.ts'
import { derived } from './take.ts'
import { faultText } from './fault-text.ts'

/** Mean and standard deviation of every column, `[dims]` each. */
export interface ColumnMoments {
  readonly mean: Float64Array<ArrayBuffer>
  /** Of the population (divisor n). */
  readonly std: Float64Array<ArrayBuffer>
}

/**
 * Means and standard deviations by column, in float64 and two passes, of stored values as `normalize` turns them into input. Missing
 * values do not count.
 */
export function columnMoments(dataset: Pick<Dataset, 'features' | 'normalize'>): ColumnMoments {
  const { values, shape } = dataset.features
  const { scale, shift } = dataset.normalize
  const width = shape.slice(1).reduce((a, b) => a * b, 1)
  const counts = new Float64Array(width)
  const mean = new Float64Array(width)
  const std = new Float64Array(width)
  for (let i = 0, column = 0; i < values.length; i++, column = column + 1 === width ? 0 : column + 1) {
    const value = values[i]!
    if (Number.isNaN(value)) continue
    mean[column]! += value
    counts[column]!++
  }
  for (let column = 0; column < width; column++) mean[column] = counts[column] ? mean[column]! / counts[column]! : 0
  for (let i = 0, column = 0; i < values.length; i++, column = column + 1 === width ? 0 : column + 1) {
    const difference = values[i]! - mean[column]!
    if (!Number.isNaN(difference)) std[column]! += difference * difference
  }
  for (let column = 0; column < width; column++) {
    const count = counts[column]!
    const deviation = count ? Math.sqrt(std[column]! / count) : 0
    // What the rounding of the mean leaves in a constant column is no deviation.
    const isConstant = deviation <= count * Number.EPSILON * Math.abs(mean[column]!)
    std[column] = isConstant ? 0 : deviation * Math.abs(scale)
    mean[column] = mean[column]! * scale + shift
  }
  return { mean, std }
}

/**
 * A copy with mean 0 and standard deviation 1 in every column (constant columns become 0). Its `test` is scaled by the same moments.
 * @param moments - Those of the training rows, to treat further rows alike (default: of `dataset`).
 */
export function standardise(dataset: Dataset, moments?: ColumnMoments): Dataset {
  const { mean, std } = moments ?? columnMoments(dataset)
  const { features, normalize } = dataset
  if (features.dtype === 'int32') {
    throw new DTypeError(faultText(`standardise: the features of ${dataset.name} are ids`, 'numbers', 'int32', 'give them to an embedding'))
  }
  const width = features.shape.slice(1).reduce((a, b) => a * b, 1)
  if (mean.length !== width || std.length !== width) {
    throw new ShapeError(
      faultText(
        `standardise: the moments do not fit ${dataset.name}`,
        `${width} columns`,
        mean.length,
        'compute them from the same columns',
      ),
    )
  }
  const dtype = features.dtype === 'float64' ? 'float64' : 'float32'
  const scaled = dtype === 'float64' ? new Float64Array(features.values.length) : new Float32Array(features.values.length)
  for (let i = 0, column = 0; i < scaled.length; i++, column = column + 1 === width ? 0 : column + 1) {
    const input = features.values[i]! * normalize.scale + normalize.shift
    scaled[i] = std[column]! > 0 ? (input - mean[column]!) / std[column]! : input - mean[column]!
  }
  const used = moments ?? { mean, std }
  return changeDataset(dataset, {
    features: { dtype, shape: features.shape, values: scaled } as Dataset['features'],
    normalize: { scale: 1, shift: 0 },
    source: moments ? undefined : derived(dataset.source, 'standardise', {}),
    test:
      dataset.test &&
      changeDataset(standardise(dataset.test, used), {
        source: moments ? undefined : derived(derived(dataset.source, 'standardise', {}), 'test', {}),
      }),
  })
}
