/**
 * What a rank does with the gradients that its graphs hand out as rows (see `sparseRows`): it adds them into the flat gradients, so that whatever
 * sums, sends, compresses or applies these sees them whole. Where nobody else has a part in them, rows are all that is read and written of a table.
 */
import { gradientPrefix } from '../graph/graph.ts'
import type { RowUse } from '../graph/transforms/sparse-rows.ts'
import type { Kernels } from '../kernels/kernels.ts'
import type { NumericArray } from '../memory/dtype.ts'
import type { OptimizerSpec } from '../nn/optimizer-spec.ts'
import type { TrainJob } from './job.ts'
import type { ParameterLayout, ParameterRange } from './layout.ts'
import { walk } from './program.ts'
import { passesOverZeros } from './update-rule.ts'

type Flat = Float32Array<ArrayBuffer>

/** A table whose gradient is zero but for rows that are known. */
export interface TouchedRows {
  readonly range: ParameterRange
  /** The rows, any of them any number of times: an array for each use of the table. */
  readonly numbers: readonly Int32Array[]
}

/**
 * The tables of a graph that an update rule may visit row by row: their gradient is this rank's alone, and the rule leaves everything as it is where
 * the gradient is zero.
 * @param named - The arrays that the graph is bound to
 */
export function touchedRows(
  uses: readonly RowUse[],
  named: Readonly<Record<string, NumericArray>>,
  { ranges }: ParameterLayout,
  optimizer: OptimizerSpec,
): TouchedRows[] {
  return ranges
    .filter((range) => passesOverZeros(optimizer, range))
    .map((range) => ({
      range,
      numbers: uses.filter(({ parameter }) => parameter === range.name).map(({ rows }) => named[rows] as Int32Array),
    }))
    .filter(({ numbers }) => numbers.length > 0)
}

/**
 * A run of a graph that leaves the sums of its rows in `gradient:<table>`.
 * @param run - Writes rows and their gradients
 * @param touched - Tables in which nobody but this run and an update of these rows writes: what the run before left is cleared by its rows. All others
 * are cleared whole.
 */
export function withRowSums(
  run: () => Promise<void>,
  uses: readonly RowUse[],
  named: Readonly<Record<string, NumericArray>>,
  kernels: Kernels,
  touched: readonly TouchedRows[],
): () => Promise<void> {
  if (uses.length === 0) return run
  const sums = uses.map(({ parameter, rows, gradient }) => {
    const [numbers, values] = [named[rows] as Int32Array, named[gradient] as Float32Array]
    const isTouched = touched.some(({ range }) => range.name === parameter)
    return { numbers, values, width: values.length / numbers.length, table: named[gradientPrefix + parameter] as Flat, isTouched }
  })
  const byRows = sums.filter(({ isTouched }) => isTouched)
  const whole = new Set(sums.filter(({ isTouched }) => !isTouched).map(({ table }) => table))
  return async () => {
    for (const { numbers, width, table } of byRows) kernels.clearRows(numbers, width, table)
    for (const table of whole) kernels.fill(table, 0)
    await run()
    for (const { numbers, values, width, table } of sums) kernels.addRows(values, numbers, width, table)
  }
}

/** True when each rank applies the gradient of its own batch, as it is and once. */
export function appliesOwnGradient({ program: { body, store }, microBatches }: Pick<TrainJob, 'program' | 'microBatches'>): boolean {
  if (store !== undefined || microBatches > 1) return false
  let isFresh = false
  for (const instruction of walk(body)) {
    if ('buffer' in instruction && instruction.buffer === 'gradients') return false
    if (instruction.do === 'update' && !isFresh) return false
    if (instruction.do === 'gradients') isFresh = true
    else if (instruction.do === 'update') isFresh = false
  }
  return true
}
