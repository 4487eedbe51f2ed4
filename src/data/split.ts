import { ConfigError } from '../errors.ts'
import type { Dataset } from './dataset.ts'
import { changeDataset } from './make-dataset.ts'
import { drawnOrder } from './order.ts'
import { derived, take } from './take.ts'
import { faultText } from './fault-text.ts'

const splitStream = 10

/** How a data set is cut in two. */
export interface SplitOptions {
  /** Rows of the second part: a share below 1, or a number of rows (default 0.25). */
  readonly test?: number
  /** Keep the classes' shares in both parts (default false). */
  readonly stratify?: boolean
  /** Default 1. */
  readonly seed?: number
}

/**
 * Cuts a data set into two parts at random: `[train, test]`. Rows keep their order within each part. The first part's `test` is what
 * the data set already had there, otherwise the second part.
 * @throws {ConfigError} when a part would be empty, or `stratify` meets data without classes.
 */
export function split(dataset: Dataset, options: SplitOptions = {}): [train: Dataset, test: Dataset] {
  const { test: size = 0.25, stratify = false, seed = 1 } = options
  const n = dataset.rows
  const testRows = size < 1 ? Math.round(size * n) : size
  if (!(Number.isInteger(testRows) && testRows >= 1 && testRows < n)) {
    throw new ConfigError(
      faultText(`split: ${dataset.name} cannot be cut so`, `a share that leaves rows on both sides of ${n}`, `test ${size}`, 'change test'),
    )
  }
  const order = drawnOrder(seed, splitStream, 0, n)
  const chosen = new Uint8Array(n)
  for (const row of stratify ? stratified(dataset, order, testRows) : order.subarray(0, testRows)) chosen[row] = 1
  const rowsOf = (part: number): Int32Array => Int32Array.from({ length: n }, (_, row) => row).filter((row) => chosen[row] === part)
  const plain = { test: size, stratify, seed }
  const test = changeDataset(take(dataset, rowsOf(1)), {
    name: `${dataset.name} test`,
    source: derived(dataset.source, 'split', { ...plain, part: 'test' }),
    test: undefined,
  })
  const train = changeDataset(take(dataset, rowsOf(0)), {
    source: derived(dataset.source, 'split', { ...plain, part: 'train' }),
    test: dataset.test ?? test,
  })
  return [train, test]
}

/** Of each class its share, largest remainders first, so that the parts have exactly the sizes asked for. */
function stratified({ name, target, classes, rows }: Dataset, order: Int32Array, testRows: number): number[] {
  if (!classes || target?.dtype !== 'int32' || target.shape.length !== 1) {
    throw new ConfigError(
      faultText(`split: ${name} has no classes`, 'class labels for stratify', `${target?.dtype ?? 'no'} targets`, 'leave stratify out'),
    )
  }
  const byClass: number[][] = classes.map(() => [])
  for (const row of order) byClass[target.values[row]!]!.push(row)
  const exact = byClass.map((own) => (own.length * testRows) / rows)
  const counts = exact.map(Math.floor)
  const open = testRows - counts.reduce((a, b) => a + b, 0)
  const byRemainder = exact.map((_, label) => label).sort((a, b) => exact[b]! - counts[b]! - (exact[a]! - counts[a]!) || a - b)
  for (const label of byRemainder.slice(0, open)) counts[label]!++
  return byClass.flatMap((own, label) => own.slice(0, counts[label]))
}
