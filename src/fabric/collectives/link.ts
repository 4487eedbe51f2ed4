/**
 * What a schedule is written against: sends and receives between the ranks of one collective, scratch memory, and folding. A schedule is a
 * generator that yields the requests it waits for, so the same file runs on every transport and on the virtual clock.
 *
 * Arrays longer than a piece travel as several messages in order; sender and receiver cut alike.
 * @packageDocumentation
 */
import type { NumericArray } from '../../memory/dtype.ts'
import type { ReduceOp } from '../communicator.ts'
import type { Steps, Waitable } from '../core/progress.ts'

/** One rank's end of a running collective. */
export interface Link {
  readonly rank: number
  readonly size: number
  readonly hostOf: readonly number[]
  send(data: NumericArray, to: number): Waitable
  recv(into: NumericArray, from: number): Waitable
  /** Largest message in bytes. */
  readonly pieceBytes: number
  take<A extends NumericArray>(like: A, length: number): A
  giveBack(array: NumericArray): void
  /** into[i] = a[i] (op) b[i]. */
  reduce(op: ReduceOp, a: NumericArray, b: NumericArray, into: NumericArray): void
  copy(from: NumericArray, into: NumericArray): void
}

/** The part `[start, end)` of an array, of the same class. */
export function part<A extends NumericArray>(array: A, start: number, end: number): A {
  return array.subarray(start, end) as A
}

/** The pieces in which an array travels; an empty array is one empty message. */
function* pieces<A extends NumericArray>(array: A, pieceBytes: number): Generator<A> {
  const length = Math.max(1, Math.floor(pieceBytes / array.BYTES_PER_ELEMENT))
  if (array.length <= length) yield array
  else for (let start = 0; start < array.length; start += length) yield part(array, start, Math.min(array.length, start + length))
}

/** Starts sending `data`; the result is to be waited for with {@link all}. */
export function startSend(link: Link, data: NumericArray, to: number): Waitable[] {
  return Array.from(pieces(data, link.pieceBytes), (piece) => link.send(piece, to))
}

/** Starts receiving `into`. */
export function startRecv(link: Link, into: NumericArray, from: number): Waitable[] {
  return Array.from(pieces(into, link.pieceBytes), (piece) => link.recv(piece, from))
}

/** Waits for all of them. */
export function* all(waitables: readonly Waitable[]): Steps {
  for (const waitable of waitables) yield waitable
}

/** Sends `data` to `to` while `into` arrives from `from`. */
export function* exchange(link: Link, data: NumericArray, to: number, into: NumericArray, from: number): Steps {
  const receiving = startRecv(link, into, from)
  const sending = startSend(link, data, to)
  yield* all(receiving)
  yield* all(sending)
}

/** Sends `data` (if any) to `to` while what arrives from `from` is folded into `target`: received (op) own. Two pieces are on the way at once. */
export function* exchangeFold(
  link: Link,
  op: ReduceOp,
  data: NumericArray | undefined,
  to: number,
  target: NumericArray,
  from: number,
): Steps {
  const sending = data === undefined ? [] : startSend(link, data, to)
  yield* fold(link, op, target, from)
  yield* all(sending)
}

/** Folds what arrives from `from` into `target`. */
export function* fold(link: Link, op: ReduceOp, target: NumericArray, from: number): Steps {
  const cut = [...pieces(target, link.pieceBytes)]
  const longest = (cut[0] as NumericArray).length
  // The second buffer keeps the wire busy: with one, the fold and the next message would take turns.
  const scratch = cut.slice(0, 2).map(() => link.take(target, longest))
  try {
    const start = (index: number): { into: NumericArray; waitable: Waitable } => {
      const into = part(scratch[index % scratch.length] as NumericArray, 0, (cut[index] as NumericArray).length)
      return { into, waitable: link.recv(into, from) }
    }
    const coming = scratch.map((_, index) => start(index))
    for (const [index, piece] of cut.entries()) {
      const { into, waitable } = coming[index % scratch.length] as { into: NumericArray; waitable: Waitable }
      yield waitable
      link.reduce(op, into, piece, piece)
      if (index + scratch.length < cut.length) coming[index % scratch.length] = start(index + scratch.length)
    }
  } finally {
    for (const array of scratch) link.giveBack(array)
  }
}
