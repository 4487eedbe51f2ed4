/**
 * All-reduce by recursive halving (reduce-scatter) and doubling (all-gather).
 *
 *   p = 4: what rank 0 holds of the sum, and its partner (rank xor distance)
 *
 *   halving    distance 2   ████████ → ████....   send the upper half to 2, fold its lower half
 *              distance 1   ████.... → ██......   send the second quarter to 1, fold its first
 *   doubling   distance 1   ██...... → ████....   exchange finished quarters with 1
 *              distance 2   ████.... → ████████   exchange finished halves with 2
 *
 *   p = 6 = 4 + 2: ranks 4 and 5 first fold their whole array onto 0 and 1, and get the result at the end.
 *
 * p = 2^q: 2q rounds, 2n(p−1)/p bytes sent per rank; otherwise 2 more rounds, and n bytes more on the folded ranks and on their partners.
 * Each element is folded at one place and then only copied, so all ranks hold the same bits.
 * @see Thakur, Rabenseifner & Gropp, "Optimization of collective communication operations in MPICH", Int. J. High Perform. Comput. Appl. 19 (2005)
 * @packageDocumentation
 */
import type { NumericArray } from '../../memory/dtype.ts'
import type { ReduceOp } from '../communicator.ts'
import type { Steps } from '../core/progress.ts'
import { all, exchange, exchangeFold, fold, type Link, part, startRecv, startSend } from './link.ts'

/** `data[i]` = fold over the ranks, in place on every rank. */
export function* halvingDoublingAllReduce(link: Link, data: NumericArray, op: ReduceOp): Steps {
  const { rank, size } = link
  const core = 2 ** Math.floor(Math.log2(size))
  if (rank >= core) {
    yield* all(startSend(link, data, rank - core))
    yield* all(startRecv(link, data, rank - core))
    return
  }
  const folded = rank + core < size ? rank + core : undefined
  if (folded !== undefined) yield* fold(link, op, data, folded)

  // [start, end) is what this rank still has to sum; `cuts` remembers it for the way back.
  let start = 0
  let end = data.length
  const cuts: { start: number; middle: number; end: number }[] = []
  for (let distance = core / 2; distance >= 1; distance /= 2) {
    const partner = rank ^ distance
    const middle = start + Math.ceil((end - start) / 2)
    cuts.push({ start, middle, end })
    const lower = part(data, start, middle)
    const upper = part(data, middle, end)
    if (rank < partner) {
      yield* exchangeFold(link, op, upper, partner, lower, partner)
      end = middle
    } else {
      yield* exchangeFold(link, op, lower, partner, upper, partner)
      start = middle
    }
  }
  for (let distance = 1; distance < core; distance *= 2) {
    const partner = rank ^ distance
    const cut = cuts.pop() as { start: number; middle: number; end: number }
    const lower = part(data, cut.start, cut.middle)
    const upper = part(data, cut.middle, cut.end)
    if (rank < partner) yield* exchange(link, lower, partner, upper, partner)
    else yield* exchange(link, upper, partner, lower, partner)
  }
  if (folded !== undefined) yield* all(startSend(link, data, folded))
}
