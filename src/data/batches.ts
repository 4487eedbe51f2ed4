/**
 * Which rows belong to which batch: arithmetic on (seed, epoch, batch) alone, the same on every rank.
 *
 *   shared order   epoch order of all n rows, cut into global batches of B; rank r takes block r of each (`blockRange(B, p, r)`)
 *
 *     order   │ 7 2 9 4 │ 0 5 1 8 │ 3 6 · · │        n = 10, B = 4, p = 2
 *     rank 0  │ 7 2     │ 0 5     │ 3 6     │
 *     rank 1  │     9 4 │     1 8 │     · · │        the last batch is dropped, or padded (·, weight 0)
 *
 *   own rows       every rank has rows of its own, in its own epoch order; a global batch is the union of the ranks' batches
 * @packageDocumentation
 */
import { ConfigError } from '../errors.ts'
import { blockRange } from './block-range.ts'
import { epochOrder } from './order.ts'
import { faultText } from './fault-text.ts'

/** How batches are cut. */
export interface BatchOptions {
  /** Rows of the data set (shared order), or the rows of every rank (`Partition.rows`: each rank draws from its own). */
  readonly rows: number | readonly Int32Array[]
  readonly globalBatchSize: number
  /** Default 1. */
  readonly worldSize?: number
  /** Default 0. */
  readonly rank?: number
  /** Default 1. */
  readonly seed?: number
  /** What becomes of an epoch's last, partial batch (default `drop`). */
  readonly lastBatch?: 'drop' | 'pad'
}

/** Where an iteration stands: the next batch. Plain data for a checkpoint. */
export interface BatchCursor {
  readonly epoch: number
  readonly batch: number
}

/** This rank's part of one global batch. */
export interface Batch extends BatchCursor {
  /** Always `Batches.batchSize` row numbers; those from `count` on are padding and have weight 0. The next batch reuses the array. */
  readonly rows: Int32Array
  /** Real rows among them. */
  readonly count: number
  /** Real rows of the global batch, over all ranks: the divisor of the loss. */
  readonly globalCount: number
}

/** Walks through the batches of one rank, epoch after epoch, from a cursor that can be saved and restored. */
export class Batches {
  /** Rows of this rank in a full global batch. */
  readonly batchSize: number
  readonly batchesPerEpoch: number
  readonly #offset: number
  readonly #globalBatchSize: number
  readonly #worldSize: number
  readonly #seed: number
  readonly #own: Int32Array | undefined
  /** Rows of each rank's own order; of the shared order in one element. */
  readonly #counts: readonly number[]
  readonly #order: Int32Array
  #orderEpoch = -1
  #epoch = 0
  #batch = 0
  readonly #rows: Int32Array

  /** @throws {ConfigError} when a batch is larger than the data, smaller than the number of ranks, or an epoch would have no batch. */
  constructor(options: BatchOptions) {
    const { rows, globalBatchSize, worldSize = 1, rank = 0, seed = 1, lastBatch = 'drop' } = options
    checkSizes(options, globalBatchSize, worldSize, rank)
    const block = blockRange(globalBatchSize, worldSize, rank)
    this.batchSize = block.end - block.start
    this.#globalBatchSize = globalBatchSize
    this.#worldSize = worldSize
    this.#seed = seed
    this.#own = typeof rows === 'number' ? undefined : rows[rank]!
    this.#offset = this.#own ? 0 : block.start
    this.#counts = typeof rows === 'number' ? [rows] : rows.map((own) => own.length)
    this.batchesPerEpoch = batchesPerEpoch(this.#counts, globalBatchSize, lastBatch)
    this.#order = new Int32Array(this.#own ? this.#own.length : (rows as number))
    this.#rows = new Int32Array(this.batchSize)
    if (this.batchesPerEpoch > 0) return
    const expected = `at least globalBatchSize ${globalBatchSize} rows${this.#own ? ' over the ranks, each with its share' : ''}`
    const got = `${Math.min(...this.#counts)}${this.#own ? ' on one rank' : ''}`
    throw new ConfigError(faultText('data: an epoch has no batch', expected, got, "choose a smaller globalBatchSize, or lastBatch: 'pad'"))
  }

  /** Where the next call of {@link next} goes on. */
  get cursor(): BatchCursor {
    return { epoch: this.#epoch, batch: this.#batch }
  }

  /** Goes on from a saved cursor. */
  restore({ epoch, batch }: BatchCursor): void {
    if (!(Number.isInteger(epoch) && epoch >= 0 && Number.isInteger(batch) && batch >= 0 && batch < this.batchesPerEpoch)) {
      throw new ConfigError(
        faultText(
          'data: the cursor does not fit',
          `a batch below ${this.batchesPerEpoch}`,
          `epoch ${epoch}, batch ${batch}`,
          'resume with the same rows and globalBatchSize',
        ),
      )
    }
    this.#epoch = epoch
    this.#batch = batch
  }

  /**
   * The next batch; after the last of an epoch comes the first of the next.
   * @param into - Where to put the row numbers, `batchSize` elements (default: an array that the next call overwrites).
   */
  next(into: Int32Array = this.#rows): Batch {
    const { epoch, batch } = this.cursor
    const batchOfAll = this.at(epoch, batch, into)
    this.#batch++
    if (this.#batch === this.batchesPerEpoch) {
      this.#batch = 0
      this.#epoch++
    }
    return batchOfAll
  }

  /** Any batch, without moving the cursor. Jumping between epochs sorts anew. */
  at(epoch: number, batch: number, into: Int32Array = this.#rows): Batch {
    if (this.#orderEpoch !== epoch) {
      epochOrder(this.#seed, epoch, this.#own ?? this.#order.length, this.#order)
      this.#orderEpoch = epoch
    }
    const stride = this.#own ? this.batchSize : this.#globalBatchSize
    const start = batch * stride + this.#offset
    const count = Math.max(0, Math.min(this.batchSize, this.#order.length - start))
    const padding = this.#order[0] ?? 0
    for (let i = 0; i < this.batchSize; i++) into[i] = i < count ? this.#order[start + i]! : padding
    return { epoch, batch, rows: into, count, globalCount: this.#globalCount(batch) }
  }

  #globalCount(batch: number): number {
    if (!this.#own) return Math.min(this.#globalBatchSize, this.#counts[0]! - batch * this.#globalBatchSize)
    let sum = 0
    for (let rank = 0; rank < this.#worldSize; rank++) {
      const size = blockSize(this.#globalBatchSize, this.#worldSize, rank)
      sum += Math.max(0, Math.min(size, this.#counts[rank]! - batch * size))
    }
    return sum
  }
}

function blockSize(length: number, size: number, rank: number): number {
  const { start, end } = blockRange(length, size, rank)
  return end - start
}

// With rows of their own, ranks take the same number of steps: what the poorest has (drop) or the richest needs (pad).
export function batchesPerEpoch(counts: readonly number[], globalBatchSize: number, lastBatch: 'drop' | 'pad'): number {
  const perRank = counts.map(
    (count, rank) => count / (counts.length === 1 ? globalBatchSize : blockSize(globalBatchSize, counts.length, rank)),
  )
  return lastBatch === 'drop' ? Math.floor(Math.min(...perRank)) : Math.ceil(Math.max(...perRank))
}

function checkSizes({ rows }: BatchOptions, globalBatchSize: number, worldSize: number, rank: number): void {
  if (!(Number.isInteger(worldSize) && worldSize >= 1 && Number.isInteger(rank) && rank >= 0 && rank < worldSize)) {
    throw new ConfigError(faultText('data: there is no such rank', `0 to ${worldSize - 1}`, rank, 'correct rank or worldSize'))
  }
  if (!(Number.isInteger(globalBatchSize) && globalBatchSize >= worldSize)) {
    throw new ConfigError(
      faultText(
        'data: globalBatchSize is too small',
        `at least one row for each of ${worldSize} ranks`,
        globalBatchSize,
        'raise globalBatchSize or use fewer workers',
      ),
    )
  }
  if (typeof rows !== 'number' && rows.length !== worldSize) {
    throw new ConfigError(
      faultText('data: the partition does not fit', `rows for ${worldSize} ranks`, rows.length, 'partition for the same number of workers'),
    )
  }
}
