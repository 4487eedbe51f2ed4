/**
 * Dissemination barrier: after round k every rank has heard, directly or through others, of the 2^(k+1) − 1 ranks to its left.
 *
 *   p = 5    round 0: r → r+1    round 1: r → r+2    round 2: r → r+4        ⌈log₂ p⌉ rounds of empty messages
 *
 * @see Hensgen, Finkel & Manber, "Two algorithms for barrier synchronization", Int. J. Parallel Program. 17 (1988)
 * @packageDocumentation
 */
import type { Steps } from '../core/progress.ts'
import { exchange, type Link } from './link.ts'

const nothing = new Uint8Array(0)

/** Ends when every rank has started it. */
export function* disseminationBarrier(link: Link): Steps {
  const { rank, size } = link
  for (let distance = 1; distance < size; distance *= 2) {
    yield* exchange(link, nothing, (rank + distance) % size, nothing, (rank + size - distance) % size)
  }
}
