/**
 * The hand-over between a rank thread and the service thread beside it: a ring of bucket numbers and two counters in memory that both see.
 *
 *   rank      post(b):  ring[posted mod 64] = b;  posted += 1;  ring the bell
 *   service   takes ring[done mod 64], sums that bucket over the ranks, done += 1, rings the bell
 *   rank      join():   until done = posted
 * @packageDocumentation
 */
import type { AllReduceAlgorithm, Request } from '../fabric/communicator.ts'
import type { RankEnvironment, RankTask } from '../fabric/launch.ts'
import type { Allocate } from './buffers.ts'
import { type OverlapChannel, wait } from './executor.ts'

const postedWord = 0
const doneWord = 1
const closedWord = 2
const firstSlot = 16
const slots = 64

/** The words, in the rank's own region. */
export function overlapWords(allocate: Allocate): Int32Array<ArrayBuffer> {
  return allocate('int32', firstSlot + slots, 'overlap queue')
}

/** The rank's end. */
export class OverlapQueue implements OverlapChannel {
  readonly #rank: RankEnvironment
  readonly #words: Int32Array<SharedArrayBuffer>

  constructor(rank: RankEnvironment, words: Int32Array<ArrayBuffer>) {
    this.#rank = rank
    this.#words = rank.segment.shared(rank.segment.handleOf(words))
  }

  post(bucket: number): void {
    const posted = Atomics.load(this.#words, postedWord)
    Atomics.store(this.#words, firstSlot + (posted % slots), bucket)
    Atomics.store(this.#words, postedWord, posted + 1)
    this.#rank.ring()
  }

  join(): Request {
    const posted = Atomics.load(this.#words, postedWord)
    return this.#rank.until('overlapped all-reduce', () => Atomics.load(this.#words, doneWord) >= posted)
  }

  /** Lets the service thread end. */
  close(): void {
    Atomics.store(this.#words, closedWord, 1)
    this.#rank.ring()
  }
}

/** The service thread's end: sums buckets in the order in which they were posted, until the rank closes the queue. */
export function* serveOverlap(
  rank: RankEnvironment,
  words: Int32Array<ArrayBuffer>,
  bucketOf: (bucket: number) => Float32Array<ArrayBuffer>,
  algorithm: AllReduceAlgorithm,
): RankTask {
  const shared = rank.segment.shared(rank.segment.handleOf(words))
  for (let done = 0; ; done++) {
    yield* wait(
      rank.until('work for the service thread', () => Atomics.load(shared, postedWord) > done || Atomics.load(shared, closedWord) === 1),
    )
    if (Atomics.load(shared, postedWord) === done) return
    const data = bucketOf(Atomics.load(shared, firstSlot + (done % slots)))
    yield* wait(rank.comm.start({ kind: 'allReduce', data, op: 'sum', algorithm }, { waitsAtOnce: true, phase: 'gradients' }))
    Atomics.store(shared, doneWord, done + 1)
    rank.ring()
  }
}
