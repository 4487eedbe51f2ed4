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
 *
 * The epoch order is drawn, unless the data set has one of its own (`RowOrder`).
 * @packageDocumentation
 */
import { ConfigError } from '../errors.ts'
import { blockRange } from './block-range.ts'
import type { RowOrder } from './dataset.ts'
import { faultText } from './fault-text.ts'
import { type VisitOptions, visitOrder } from './visit-order.ts'

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
  /** In which order an epoch visits the rows (default: by chance). */
  readonly order?: RowOrder | undefined
  /** Targets that count: of every row of the data set, or one number for all rows (default 1). */
  readonly units?: number | Int32Array
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
  /** Real rows of the global batch, over all ranks. */
  readonly globalCount: number
  /** Targets that count in the real rows of the global batch, over all ranks: the divisor of the loss. */
  readonly globalUnits: number
}

/** Walks through the batches of one rank, epoch after epoch, from a cursor that can be saved and restored. */
export class Batches {
  /** Rows of this rank in a full global batch. */
  readonly batchSize: number
  readonly batchesPerEpoch: number
  readonly #rank: number
  readonly #globalBatchSize: number
  readonly #visit: Omit<VisitOptions, 'batchSize'>
  /** Rows of each rank; of a shared order how many there are. */
  readonly #dealt: number | readonly Int32Array[]
  /** Rows of each rank's own order; of the shared order in one element. */
  readonly #counts: readonly number[]
  /** Of the epoch, by rank; the shared order in element 0. Only those that were asked for. */
  readonly #orders: { readonly rows: Int32Array; epoch: number }[]
  /** Of this rank in a shared batch. */
  readonly #offset: number
  #epoch = 0
  #batch = 0
  readonly #rows: Int32Array

  /**
   * @throws {ConfigError} when a batch is larger than the data, smaller than the number of ranks, an epoch would have no batch, or rows that
   * continue each other are cut otherwise.
   */
  constructor(options: BatchOptions) {
    const { rows, globalBatchSize, worldSize = 1, rank = 0, seed = 1, lastBatch = 'drop', order, units = 1 } = options
    checkSizes(options, globalBatchSize, worldSize, rank)
    checkStreams(options)
    const block = blockRange(globalBatchSize, worldSize, rank)
    this.batchSize = block.end - block.start
    this.#rank = rank
    this.#globalBatchSize = globalBatchSize
    this.#dealt = rows
    this.#offset = typeof rows === 'number' ? block.start : 0
    this.#counts = typeof rows === 'number' ? [rows] : rows.map((own) => own.length)
    this.#orders = this.#counts.map((count) => ({ rows: new Int32Array(count), epoch: -1 }))
    this.#visit = { seed, order, units }
    this.batchesPerEpoch = batchesPerEpoch(this.#counts, globalBatchSize, lastBatch)
    this.#rows = new Int32Array(this.batchSize)
    if (this.batchesPerEpoch > 0) return
    const isOwn = typeof rows !== 'number'
    const expected = `at least globalBatchSize ${globalBatchSize} rows${isOwn ? ' over the ranks, each with its share' : ''}`
    const got = `${Math.min(...this.#counts)}${isOwn ? ' on one rank' : ''}`
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
    const isShared = typeof this.#dealt === 'number'
    const order = this.#order(isShared ? 0 : this.#rank, epoch)
    const start = batch * (isShared ? this.#globalBatchSize : this.batchSize) + this.#offset
    const count = Math.max(0, Math.min(this.batchSize, order.length - start))
    const padding = order[0] ?? 0
    for (let i = 0; i < this.batchSize; i++) into[i] = i < count ? order[start + i]! : padding
    const globalCount = this.#globalCount(batch)
    const { units } = this.#visit
    const globalUnits = typeof units === 'number' ? units * globalCount : this.#globalUnits(epoch, batch, units)
    return { epoch, batch, rows: into, count, globalCount, globalUnits }
  }

  #order(owner: number, epoch: number): Int32Array {
    const kept = this.#orders[owner]!
    if (kept.epoch !== epoch) {
      const batchSize = this.#ownBatchSize(owner)
      visitOrder({ ...this.#visit, batchSize }, epoch, typeof this.#dealt === 'number' ? this.#dealt : this.#dealt[owner]!, kept.rows)
      kept.epoch = epoch
    }
    return kept.rows
  }

  /** Rows of a batch that one order gives: of all ranks where it is shared. */
  #ownBatchSize(owner: number): number {
    return typeof this.#dealt === 'number' ? this.#globalBatchSize : blockSize(this.#globalBatchSize, this.#counts.length, owner)
  }

  #globalCount(batch: number): number {
    let sum = 0
    for (const [owner, count] of this.#counts.entries()) {
      const size = this.#ownBatchSize(owner)
      sum += Math.max(0, Math.min(size, count - batch * size))
    }
    return sum
  }

  #globalUnits(epoch: number, batch: number, units: Int32Array): number {
    let sum = 0
    for (let owner = 0; owner < this.#counts.length; owner++) {
      const size = this.#ownBatchSize(owner)
      for (const row of this.#order(owner, epoch).subarray(batch * size, (batch + 1) * size)) sum += units[row]!
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

function checkStreams({ rows, globalBatchSize, order }: BatchOptions): void {
  if (order?.kind !== 'sequential' || order.streams === undefined) return
  const { streams } = order
  if (globalBatchSize !== streams) {
    throw new ConfigError(
      faultText(
        'data: the rows are streams that continue',
        `globalBatchSize ${streams}`,
        globalBatchSize,
        'load them with the option streams',
      ),
    )
  }
  if (typeof rows !== 'number') {
    const expected = 'all ranks to share the rows in their order'
    throw new ConfigError(faultText('data: the rows are streams that continue', expected, 'a partition', "choose partition 'shared'"))
  }
}
