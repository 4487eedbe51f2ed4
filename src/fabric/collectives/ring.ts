/**
 * Rings: every rank sends to its right neighbour and receives from its left one; each step moves one chunk of n/p elements.
 *
 *   p = 4, chunk that rank r sends in step k (reduce-scatter: r−k, all-gather: r+1−k, modulo p)
 *
 *            reduce-scatter      all-gather
 *   step      0   1   2           0   1   2
 *   rank 0    0   3   2           1   0   3        after the first half rank r owns the finished chunk r+1;
 *   rank 1    1   0   3           2   1   0        the second half hands the finished chunks round
 *   rank 2    2   1   0           3   2   1
 *   rank 3    3   2   1           0   3   2
 *
 * All-reduce: 2(p−1) rounds, 2n(p−1)/p bytes sent per rank. Each half alone: p−1 rounds, n(p−1)/p bytes.
 * Every chunk is summed along one fixed path and then only copied, so all ranks hold the same bits.
 * @see Patarasuk & Yuan, "Bandwidth optimal all-reduce algorithms for clusters of workstations", J. Parallel Distrib. Comput. 69 (2009)
 * @packageDocumentation
 */
import type { NumericArray } from '../../memory/dtype.ts'
import { blockRange, type ReduceOp } from '../communicator.ts'
import type { Steps } from '../core/progress.ts'
import { exchange, exchangeFold, type Link, part } from './link.ts'

/** `data[i]` = fold over the ranks, in place on every rank. */
export function* ringAllReduce(link: Link, data: NumericArray, op: ReduceOp): Steps {
  yield* reduceHalf(link, data, op, 0)
  yield* gatherHalf(link, data, 1)
}

/** `into` = this rank's block of the fold; `data` is scratch afterwards. */
export function* ringReduceScatter(link: Link, data: NumericArray, into: NumericArray, op: ReduceOp): Steps {
  // Shifted by one against the all-reduce, so that rank r ends with chunk r.
  yield* reduceHalf(link, data, op, -1)
  link.copy(chunk(link, data, link.rank), into)
}

/** `into` = the blocks of all ranks in rank order; `data` is this rank's (it may lie in its place in `into`). */
export function* ringAllGather(link: Link, data: NumericArray, into: NumericArray): Steps {
  link.copy(data, chunk(link, into, link.rank))
  yield* gatherHalf(link, into, 0)
}

function* reduceHalf(link: Link, data: NumericArray, op: ReduceOp, shift: number): Steps {
  const { rank, size } = link
  const right = (rank + 1) % size
  const left = (rank + size - 1) % size
  for (let k = 0; k < size - 1; k++) {
    yield* exchangeFold(link, op, chunk(link, data, rank + shift - k), right, chunk(link, data, rank + shift - k - 1), left)
  }
}

function* gatherHalf(link: Link, data: NumericArray, shift: number): Steps {
  const { rank, size } = link
  const right = (rank + 1) % size
  const left = (rank + size - 1) % size
  for (let k = 0; k < size - 1; k++) {
    yield* exchange(link, chunk(link, data, rank + shift - k), right, chunk(link, data, rank + shift - k - 1), left)
  }
}

function chunk(link: Link, data: NumericArray, index: number): NumericArray {
  const { size } = link
  const { start, end } = blockRange(data.length, size, ((index % size) + size) % size)
  return part(data, start, end)
}
