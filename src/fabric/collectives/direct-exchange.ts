/**
 * Collectives in which blocks go straight from their owner to where they belong.
 *
 *   gather (root 0)   1→0  2→0  3→0              p−1 receives at the root, one block sent by every other rank
 *   scatter (root 0)  0→1  0→2  0→3              the other way round
 *   all-to-all        step k: r → r+k, r ← r−k   p−1 rounds of n/p bytes each: no two ranks send to the same one at a time
 *
 * @packageDocumentation
 */
import type { NumericArray } from '../../memory/dtype.ts'
import { blockRange } from '../communicator.ts'
import type { Steps, Waitable } from '../core/progress.ts'
import { all, exchange, type Link, part, startRecv, startSend } from './link.ts'

/** `into` of the root = the blocks of all ranks in rank order. */
export function* gatherToRoot(link: Link, data: NumericArray, into: NumericArray | undefined, root: number): Steps {
  if (link.rank !== root) {
    yield* all(startSend(link, data, root))
    return
  }
  yield* rootBlocks(
    link,
    into as NumericArray,
    (block, rank) => startRecv(link, block, rank),
    (block) => link.copy(data, block),
  )
}

/** `into` of every rank = its block of `data` of the root. */
export function* scatterFromRoot(link: Link, data: NumericArray | undefined, into: NumericArray, root: number): Steps {
  if (link.rank !== root) {
    yield* all(startRecv(link, into, root))
    return
  }
  yield* rootBlocks(
    link,
    data as NumericArray,
    (block, rank) => startSend(link, block, rank),
    (block) => link.copy(block, into),
  )
}

function* rootBlocks(
  link: Link,
  whole: NumericArray,
  start: (block: NumericArray, rank: number) => Waitable[],
  keep: (block: NumericArray) => void,
): Steps {
  const waitables: Waitable[] = []
  for (let rank = 0; rank < link.size; rank++) {
    const range = blockRange(whole.length, link.size, rank)
    const block = part(whole, range.start, range.end)
    if (rank === link.rank) keep(block)
    else waitables.push(...start(block, rank))
  }
  yield* all(waitables)
}

/** Block s of `into` = block `rank` of `data` of rank s. */
export function* pairwiseAllToAll(link: Link, data: NumericArray, into: NumericArray): Steps {
  const { rank, size } = link
  const block = data.length / size
  const at = (array: NumericArray, index: number) => part(array, index * block, (index + 1) * block)
  link.copy(at(data, rank), at(into, rank))
  for (let k = 1; k < size; k++) {
    const to = (rank + k) % size
    const from = (rank + size - k) % size
    yield* exchange(link, at(data, to), to, at(into, from), from)
  }
}
