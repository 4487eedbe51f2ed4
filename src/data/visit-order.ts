import type { RowOrder } from './dataset.ts'
import { drawnOrder, epochOrder, sortByKey } from './order.ts'

/** Stream of the draws that deal a block's batches. */
const dealStream = 12

/** What an order is drawn from. */
export interface VisitOptions {
  readonly seed: number
  /** Default: by chance. */
  readonly order?: RowOrder | undefined
  /** Rows of one batch, for `bucketed`. */
  readonly batchSize: number
  /** Length of every row of the data set, for `bucketed`; one number where all are alike. */
  readonly units: number | Int32Array
}

/**
 * The order in which epoch `epoch` visits rows: a pure function of its arguments, so every rank computes the same one.
 *
 *     bucketed   by chance │ 7 2 9 4 0 5 │ 1 8 3 6 │      blocks of 6, whole batches of 2
 *                by length │ 9 0 2 7 4 5 │ 6 1 3 8 │
 *                batches   │ 4 5 9 0 2 7 │ 6 1 3 8 │      by chance within a block; a partial batch stays last
 *
 * @param rows - How many rows there are, or the row numbers to order (a rank's own part).
 * @param into - Where to put the order: as many elements as rows.
 */
export function visitOrder(options: VisitOptions, epoch: number, rows: number | Int32Array, into: Int32Array): Int32Array {
  const { seed, order, batchSize, units } = options
  if (order?.kind === 'sequential') {
    if (typeof rows !== 'number') into.set(rows)
    else for (let row = 0; row < rows; row++) into[row] = row
    return into
  }
  epochOrder(seed, epoch, rows, into)
  if (order === undefined) return into
  // Blocks of whole batches: only the last batch of an epoch is partial.
  const block = Math.max(1, Math.floor(order.block / batchSize)) * batchSize
  for (let start = 0; start < into.length; start += block) bucket(into.subarray(start, start + block), seed, epoch, batchSize, units)
  return into
}

function bucket(rows: Int32Array, seed: number, epoch: number, batchSize: number, units: number | Int32Array): void {
  // The block's first row makes its draw differ from those of the other blocks.
  const first = rows[0]!
  const lengths = Uint32Array.from(rows, (row) => (typeof units === 'number' ? units : units[row]!))
  sortByKey(lengths, rows)
  const whole = Math.floor(rows.length / batchSize)
  const sorted = rows.slice()
  const deal = drawnOrder(
    seed,
    dealStream,
    epoch,
    Int32Array.from({ length: whole }, (_, batch) => first + batch),
  )
  deal.forEach((drawn, to) => {
    const from = (drawn - first) * batchSize
    rows.set(sorted.subarray(from, from + batchSize), to * batchSize)
  })
}
