import { DataError, ShapeError } from '../errors.ts'
import { type DType, dtypeOf } from '../memory/dtype.ts'
import type { Dataset } from './dataset.ts'
import { type ArraysOptions, fromArrays } from './from-arrays.ts'
import { GrowableArray } from './growable-array.ts'
import { type ReadContext, throwIfAborted } from './read-context.ts'
import { faultText } from './fault-text.ts'

type Values = Float32Array | Float64Array | Uint8Array | Int32Array

/** One row, or several rows one after the other, as a user's iterable yields them. */
export interface RowBatch {
  readonly features: Values | readonly number[]
  /** One entry a row (or `targetWidth`); a single label for a single row. */
  readonly target?: Int32Array | Uint8Array | Float32Array | Float64Array | readonly number[] | readonly string[] | number | string
}

/** How an iterable of rows is collected. */
export interface IterableOptions extends Omit<ArraysOptions, 'features' | 'target' | 'shape'> {
  /** Shape of one row; tells several rows in one batch apart. Default: every batch without a list of targets is one row. */
  readonly rowShape?: readonly number[]
  /** Stop after so many rows. */
  readonly maxRows?: number
}

/**
 * Collects the rows that an iterable yields into a data set: training visits rows many times and in other orders, so they have to be
 * in memory. The element kind of the features is that of the first batch.
 * @throws {DataError} when nothing was yielded; {@link ShapeError} when a batch does not fit the first.
 */
export async function fromAsyncIterable(
  batches: AsyncIterable<RowBatch> | Iterable<RowBatch>,
  options: IterableOptions = {},
  context: ReadContext = {},
): Promise<Dataset> {
  const { maxRows = Number.POSITIVE_INFINITY, targetWidth = 1 } = options
  const name = options.name ?? 'iterable'
  let rowSize = options.rowShape?.reduce((a, b) => a * b, 1)
  let features: GrowableArray<DType> | undefined
  const numbers = new GrowableArray('float64')
  const texts: string[] = []
  let integers = true
  let rows = 0
  for await (const batch of batches) {
    throwIfAborted(context.signal, `reading ${name}`)
    const targets = listOf(batch.target)
    rowSize ??= targets && targets.length > targetWidth ? batch.features.length / (targets.length / targetWidth) : batch.features.length
    const count = batch.features.length / rowSize
    if (!Number.isInteger(count) || count === 0 || (targets && targets.length !== count * targetWidth)) {
      throw new ShapeError(
        faultText(
          `fromAsyncIterable: batch after row ${rows} of ${name} does not fit`,
          `whole rows of ${rowSize} values with one target each`,
          `${batch.features.length} values and ${targets?.length ?? 'no'} targets`,
          'give rowShape',
        ),
      )
    }
    if ((targets === undefined) !== (numbers.length + texts.length === 0) && rows > 0) {
      throw new ShapeError(
        faultText(
          `fromAsyncIterable: batch after row ${rows} of ${name} does not fit`,
          'targets in all batches or in none',
          'both',
          'yield them alike',
        ),
      )
    }
    features ??= new GrowableArray(Array.isArray(batch.features) ? 'float32' : dtypeOf(batch.features as Values))
    const kept = Math.min(count, maxRows - rows)
    features.append(
      batch.features.length === kept * rowSize ? batch.features : Array.prototype.slice.call(batch.features, 0, kept * rowSize),
    )
    for (let i = 0; targets && i < kept * targetWidth; i++) {
      const target = targets[i]!
      if (typeof target === 'string') texts.push(target)
      else numbers.push(target)
    }
    integers &&= targets === undefined || batch.target instanceof Int32Array || batch.target instanceof Uint8Array
    rows += kept
    context.onProgress?.({ phase: 'read', name, done: rows, unit: 'rows' })
    if (rows >= maxRows) break
  }
  if (!features) throw new DataError(faultText(`fromAsyncIterable: ${name} yielded no rows`, 'at least one', 'none', 'check the source'))
  if (texts.length > 0 && numbers.length > 0) {
    throw new DataError(
      faultText(`fromAsyncIterable: the targets of ${name} are mixed`, 'all text or all numbers', 'both', 'yield them alike'),
    )
  }
  const { maxRows: _, rowShape, ...rest } = options
  const target =
    texts.length > 0
      ? texts
      : numbers.length === 0
        ? undefined
        : integers
          ? Int32Array.from(numbers.view())
          : Float32Array.from(numbers.view())
  const values = features.toArray() as Values
  return fromArrays({
    ...rest,
    name,
    features: values,
    shape: [rows, ...(rowShape ?? [rowSize!])],
    ...(target !== undefined && { target }),
  })
}

function listOf(target: RowBatch['target']): ArrayLike<number | string> | undefined {
  if (typeof target === 'number' || typeof target === 'string') return [target]
  return target
}
