import { DTypeError, ShapeError } from '../errors.ts'
import { dtypeOf } from '../memory/dtype.ts'

type Sized = { readonly length: number }

/** Throws {@link ShapeError} unless `ok`; `detail` is only called then. Once per kernel call, never inside its loops. */
export function requireShape(ok: boolean, kernel: string, detail: () => string): void {
  if (!ok) throw new ShapeError(`kernels: ${kernel} cannot run — ${detail()} (pass arrays of the shapes that kernels.ts states)`)
}

/** All arrays have the length of the first. */
export function requireSameLength(kernel: string, first: Sized, ...rest: readonly Sized[]): void {
  for (const array of rest) {
    requireShape(
      array.length === first.length,
      kernel,
      () => `expected arrays of equal length, got ${[first, ...rest].map((a) => a.length).join(', ')}`,
    )
  }
}

/** All arrays have one element kind. */
export function requireSameKind(kernel: string, first: ArrayBufferView, ...rest: readonly ArrayBufferView[]): void {
  for (const array of rest) {
    if (array.constructor === first.constructor) continue
    const kinds = [first, ...rest].map(dtypeOf).join(', ')
    throw new DTypeError(`kernels: ${kernel} cannot run — expected arrays of one element kind, got ${kinds} (convert one of them)`)
  }
}

/** `array` has at least `length` elements. */
export function requireRoom(kernel: string, what: string, array: Sized, length: number): void {
  requireShape(array.length >= length, kernel, () => `expected ${what} of at least ${length} elements, got ${array.length}`)
}

/** `array` has whole rows, `rows` of them: returns the elements of one. */
export function requireRows(kernel: string, what: string, array: Sized, rows: number): number {
  if (rows === 0) return 0
  requireShape(array.length % rows === 0, kernel, () => `expected ${what} of ${rows} rows, got ${array.length} elements`)
  return array.length / rows
}

/** One row of values for each number, and a table of whole rows. */
export function requireRowUses(kernel: string, values: Sized, rows: Sized, width: number, table: Sized): void {
  const fits = values.length === rows.length * width && table.length % width === 0
  requireShape(
    fits,
    kernel,
    () => `expected ${rows.length} rows of ${width} into a table of such rows, got ${values.length} into ${table.length} elements`,
  )
}

/** For the first number that is no row of a table. */
export function refuseRow(row: number, numRows: number): never {
  throw new ShapeError(
    `kernels: addRows cannot run — expected row numbers from 0 to ${numRows - 1}, got ${row} (check the ids of the batch)`,
  )
}

/** 0 ≤ start ≤ end ≤ n. */
export function requireRange(kernel: string, start: number, end: number, n: number): void {
  requireShape(start >= 0 && start <= end && end <= n, kernel, () => `expected a range within ${n} rows, got ${start} to ${end}`)
}
