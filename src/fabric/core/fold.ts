import { kernelsFor } from '../../kernels/load.ts'
import type { NumericArray } from '../../memory/dtype.ts'
import { Segment } from '../../memory/segment.ts'
import type { ReduceOp } from '../communicator.ts'

/** into[i] = a[i] (op) b[i]; `into` may be `a` or `b`. By kernel where the three lie in one segment, by a plain loop otherwise. */
export function fold(op: ReduceOp, a: NumericArray, b: NumericArray, into: NumericArray): void {
  const segment = a.buffer === b.buffer && a.buffer === into.buffer ? Segment.of(a) : undefined
  if (segment !== undefined) kernelsFor(segment).reduce(op, a, b, into)
  else foldOnHeap(op, a, b, into)
}

/** into = from, by bytes. */
export function copy(from: NumericArray, into: NumericArray): void {
  if (from.buffer === into.buffer && from.byteOffset === into.byteOffset) return
  into.set(from as never)
}

/** The plain loops, one per operation so that each stays monomorphic in it. int32 sums wrap, as in the kernels and in MPI. */
export function foldOnHeap(op: ReduceOp, a: NumericArray, b: NumericArray, into: NumericArray): void {
  const length = into.length
  if (op === 'sum') for (let i = 0; i < length; i++) into[i] = (a[i] as number) + (b[i] as number)
  else if (op === 'max') for (let i = 0; i < length; i++) into[i] = Math.max(a[i] as number, b[i] as number)
  else for (let i = 0; i < length; i++) into[i] = Math.min(a[i] as number, b[i] as number)
}
