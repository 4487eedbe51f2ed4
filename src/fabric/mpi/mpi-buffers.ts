import { ShapeError } from '../../errors.ts'
import type { NumericArray } from '../../memory/dtype.ts'
import { blockRange } from '../communicator.ts'

/** MPI counts are ints. */
const maxCount = 0x7fffffff

/** The element count as MPI takes it. @throws {ShapeError} beyond 2³¹−1 elements. */
export function countOf(array: NumericArray): number {
  if (array.length > maxCount) {
    throw new ShapeError(`mpi: array too long for one call — expected at most ${maxCount} elements, got ${array.length} (cut it)`)
  }
  return array.length
}

/** Lengths and starts of all ranks' blocks of `length` elements. */
export function blocksOf(length: number, size: number): { counts: Int32Array; starts: Int32Array } {
  const counts = new Int32Array(size)
  const starts = new Int32Array(size)
  for (let rank = 0; rank < size; rank++) {
    const { start, end } = blockRange(length, size, rank)
    starts[rank] = start
    counts[rank] = end - start
  }
  return { counts, starts }
}

/** Whether two arrays share bytes: MPI forbids that between its two buffers and wants MPI_IN_PLACE. */
export function overlap(a: NumericArray, b: NumericArray): boolean {
  if (a.buffer !== b.buffer) return false
  return a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength
}
