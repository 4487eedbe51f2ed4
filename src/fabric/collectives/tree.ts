/**
 * Binomial trees, drawn for p = 8 and root 0 (other roots: ranks are counted from the root, modulo p).
 *
 *   reduce, round k: ranks with bit k set (and none below) send to rank − 2^k        broadcast: the same lines backwards
 *
 *   k = 0    1→0   3→2   5→4   7→6
 *   k = 1    2→0         6→4
 *   k = 2    4→0
 *
 * Reduce and broadcast: ⌈log₂ p⌉ rounds; a rank sends n bytes once (reduce), the root of a broadcast up to n⌈log₂ p⌉.
 * All-reduce = reduce to rank 0, then broadcast: the sum is made at one place, so all ranks hold the same bits.
 * @packageDocumentation
 */
import type { NumericArray } from '../../memory/dtype.ts'
import type { ReduceOp } from '../communicator.ts'
import type { Steps, Waitable } from '../core/progress.ts'
import { all, fold, type Link, startRecv, startSend } from './link.ts'

/** Folds into `data` of the root; `data` of the other ranks is partly folded afterwards. */
export function* treeReduce(link: Link, data: NumericArray, op: ReduceOp, root: number): Steps {
  const { size } = link
  const place = (link.rank - root + size) % size
  for (let distance = 1; distance < size; distance *= 2) {
    if ((place & distance) !== 0) {
      yield* all(startSend(link, data, (place - distance + root) % size))
      return
    }
    if (place + distance < size) yield* fold(link, op, data, (place + distance + root) % size)
  }
}

/** `data` of the root arrives in `data` of every rank. */
export function* treeBroadcast(link: Link, data: NumericArray, root: number): Steps {
  const { size } = link
  const place = (link.rank - root + size) % size
  let distance = 1
  while (distance < size && (place & distance) === 0) distance *= 2
  if (place !== 0) yield* all(startRecv(link, data, (place - distance + root) % size))
  const sending: Waitable[] = []
  for (distance /= 2; distance >= 1; distance /= 2) {
    if (place + distance < size) sending.push(...startSend(link, data, (place + distance + root) % size))
  }
  yield* all(sending)
}

/** `data[i]` = fold over the ranks, in place on every rank. */
export function* treeAllReduce(link: Link, data: NumericArray, op: ReduceOp): Steps {
  yield* treeReduce(link, data, op, 0)
  yield* treeBroadcast(link, data, 0)
}
