import type { Dataset } from './dataset.ts'
import { changeDataset } from './make-dataset.ts'

/**
 * A copy in which every missing value (NaN) is replaced by its column's mean, or in a categorical column by the most frequent code
 * (the lowest of several). A column without any value becomes 0.
 * @param values - What to put in, by column, for instance those of the training rows. Default: from `dataset` itself.
 */
export function imputeMean(dataset: Dataset, values: ArrayLike<number> = fillers(dataset)): Dataset {
  const { features } = dataset
  if (!dataset.missingValues && !features.values.some(Number.isNaN)) return dataset
  const filled = features.values.slice()
  const width = values.length
  for (let i = 0; i < filled.length; i++) {
    if (Number.isNaN(filled[i]!)) filled[i] = values[i % width]!
  }
  return changeDataset(dataset, {
    features: { ...features, values: filled } as Dataset['features'],
    missingValues: undefined,
    source: undefined,
  })
}

/** By column, what {@link imputeMean} puts in. */
export function fillers(dataset: Dataset): Float64Array {
  const { values, shape } = dataset.features
  const width = shape.slice(1).reduce((a, b) => a * b, 1)
  return Float64Array.from({ length: width }, (_, column) =>
    dataset.categories?.[column] ? mostFrequent(values, column, width) : mean(values, column, width),
  )
}

function mean(values: ArrayLike<number>, column: number, width: number): number {
  let sum = 0
  let count = 0
  for (let i = column; i < values.length; i += width) {
    const value = values[i]!
    if (Number.isNaN(value)) continue
    sum += value
    count++
  }
  return count === 0 ? 0 : sum / count
}

function mostFrequent(values: ArrayLike<number>, column: number, width: number): number {
  const counts = new Map<number, number>()
  for (let i = column; i < values.length; i += width) {
    const code = values[i]!
    if (!Number.isNaN(code)) counts.set(code, (counts.get(code) ?? 0) + 1)
  }
  const [best] = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])
  return best?.[0] ?? 0
}
