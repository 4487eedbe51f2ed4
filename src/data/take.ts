import { ConfigError } from '../errors.ts'
import { arrayConstructor } from '../memory/dtype.ts'
import type { Dataset, DatasetSource, Tensor } from './dataset.ts'
import { changeDataset } from './make-dataset.ts'
import { faultText } from './fault-text.ts'

/**
 * A data set of some rows, copied: the first n, or those of a list in its order (a row may come twice).
 * Evaluation rows (`test`) stay as they are.
 * @throws {ConfigError} when there are not so many rows.
 */
export function take(dataset: Dataset, rows: number | ArrayLike<number>): Dataset {
  if (typeof rows === 'number') {
    const end = rows
    check(Number.isInteger(end) && end >= 1 && end <= dataset.rows, dataset, `1 to ${dataset.rows} rows`, String(end))
    const first = changeDataset(dataset, {
      features: firstRows(dataset.features, end),
      target: dataset.target && firstRows(dataset.target, end),
    })
    return changeDataset(first, { missingValues: countMissing(first), source: derived(dataset.source, 'take', { rows: end }) })
  }
  check(rows.length > 0, dataset, 'at least one row', 'none')
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    check(Number.isInteger(row) && row >= 0 && row < dataset.rows, dataset, `row numbers from 0 to ${dataset.rows - 1}`, String(row))
  }
  const some = changeDataset(dataset, {
    features: gather(dataset.features, rows),
    target: dataset.target && gather(dataset.target, rows),
    // Picked rows no longer continue each other.
    order: dataset.order?.kind === 'sequential' ? undefined : dataset.order,
    source: undefined,
  })
  return changeDataset(some, { missingValues: countMissing(some) })
}

/** Source of what a pure operation makes of a data set that has one. */
export function derived(
  of: DatasetSource | undefined,
  operation: Extract<DatasetSource, { kind: 'derived' }>['operation'],
  options: Readonly<Record<string, unknown>>,
): DatasetSource | undefined {
  return of && { kind: 'derived', of, operation, options }
}

function firstRows<T extends Tensor>(tensor: T, rows: number): T {
  const width = tensor.values.length / tensor.shape[0]!
  return { ...tensor, shape: [rows, ...tensor.shape.slice(1)], values: tensor.values.slice(0, rows * width) }
}

function gather<T extends Tensor>(tensor: T, rows: ArrayLike<number>): T {
  const width = tensor.values.length / tensor.shape[0]!
  const values = new (arrayConstructor(tensor.dtype))(rows.length * width)
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    if (width === 1) values[i] = tensor.values[row]!
    else values.set(tensor.values.subarray(row * width, (row + 1) * width), i * width)
  }
  return { ...tensor, shape: [rows.length, ...tensor.shape.slice(1)], values }
}

function countMissing(dataset: Dataset): number | undefined {
  if (!dataset.missingValues) return undefined
  let missing = 0
  for (const value of dataset.features.values) if (Number.isNaN(value)) missing++
  return missing || undefined
}

function check(holds: boolean, { name }: Dataset, expected: string, got: string): void {
  if (!holds) throw new ConfigError(faultText(`take: ${name} does not have these rows`, expected, got, 'ask for rows that are there'))
}
