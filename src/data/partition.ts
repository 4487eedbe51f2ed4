import { ConfigError } from '../errors.ts'
import { blockRange } from './block-range.ts'
import type { Dataset } from './dataset.ts'
import { dirichletShares } from './dirichlet.ts'
import { hashArrays } from './hash.ts'
import { drawnOrder, sortByKey } from './order.ts'
import { faultText } from './fault-text.ts'

/** Stream of the draws that deal rows to workers. */
const partitionStream = 7

/** How rows are dealt to workers. */
export type PartitionOptions =
  /** `contiguous`: in file order. `iid`: shuffled first. Sizes differ by one row at most. */
  | { readonly kind: 'contiguous' }
  | { readonly kind: 'iid'; readonly seed?: number }
  /** Rows sorted by label are cut into shards, and every worker is dealt `shardsPerWorker` (default 2) of them: few labels each. */
  | { readonly kind: 'byLabel'; readonly shardsPerWorker?: number; readonly seed?: number }
  /** Each class is spread by shares drawn from Dir(α·1): small α, uneven labels. Drawn again until all have `minRows` (default 1). */
  | { readonly kind: 'dirichlet'; readonly alpha: number; readonly minRows?: number; readonly seed?: number }

/** Every row of a data set, exactly once. */
export interface Partition {
  readonly kind: PartitionOptions['kind'] | 'byColumn'
  /** Row numbers by worker, rising (`byColumn`: all rows of every worker, not listed). */
  readonly rows: readonly Int32Array<ArrayBuffer>[]
  /** `byColumn` only: column numbers by worker, rising. */
  readonly columns?: readonly Int32Array<ArrayBuffer>[]
  /** SHA-256 (hex) of the whole, for ranks to compare. */
  readonly hash: string
}

/**
 * Deals the rows of a data set to workers.
 * @throws {ConfigError} when there are fewer rows than workers, or a kind that goes by label meets data without classes.
 * @see McMahan, Moore, Ramage, Hampson, Agüera y Arcas, Communication-efficient learning of deep networks from decentralized data,
 * AISTATS 2017 (sorted shards); Hsu, Qi, Brown, Measuring the effects of non-identical data distribution, 2019 (Dirichlet)
 */
export function partition(
  dataset: Pick<Dataset, 'rows' | 'target' | 'classes' | 'name'>,
  workers: number,
  options: PartitionOptions,
): Partition {
  const n = dataset.rows
  checkWorkers(workers, n, 'rows')
  switch (options.kind) {
    case 'contiguous':
      return finish(
        'contiguous',
        dealt(
          Int32Array.from({ length: n }, (_, row) => row),
          workers,
        ),
      )
    case 'iid':
      return finish('iid', dealt(drawnOrder(options.seed ?? 1, partitionStream, 0, n), workers))
    case 'byLabel':
      return finish('byLabel', shards(dataset, workers, options.shardsPerWorker ?? 2, options.seed ?? 1))
    case 'dirichlet':
      return finish('dirichlet', dirichlet(dataset, workers, options))
  }
}

/** Deals the columns of `[rows, dims]` features to workers: contiguous blocks, or shuffled where a seed is given. */
export function partitionColumns(dims: number, workers: number, options: { readonly seed?: number } = {}): Partition {
  checkWorkers(workers, dims, 'columns')
  const order =
    options.seed === undefined
      ? Int32Array.from({ length: dims }, (_, column) => column)
      : drawnOrder(options.seed, partitionStream, 1, dims)
  const columns = dealt(order, workers).map((own) => own.sort())
  return { kind: 'byColumn', rows: [], columns, hash: hashOf('byColumn', columns) }
}

function finish(kind: PartitionOptions['kind'], rows: readonly Int32Array<ArrayBuffer>[]): Partition {
  for (const own of rows) own.sort()
  return { kind, rows, hash: hashOf(kind, rows) }
}

function dealt(order: Int32Array<ArrayBuffer>, workers: number): Int32Array<ArrayBuffer>[] {
  return Array.from({ length: workers }, (_, rank) => {
    const { start, end } = blockRange(order.length, workers, rank)
    return order.slice(start, end)
  })
}

function shards(
  dataset: Parameters<typeof partition>[0],
  workers: number,
  shardsPerWorker: number,
  seed: number,
): Int32Array<ArrayBuffer>[] {
  const numShards = workers * shardsPerWorker
  if (!(Number.isInteger(shardsPerWorker) && shardsPerWorker >= 1 && numShards <= dataset.rows)) {
    throw new ConfigError(
      faultText(
        `partition: ${shardsPerWorker} shards for each of ${workers} workers`,
        `1 to ${Math.floor(dataset.rows / workers)}`,
        shardsPerWorker,
        'change shardsPerWorker',
      ),
    )
  }
  const labels = labelsOf(dataset)
  // Shuffled first: within a class the file's order must not decide who gets which rows.
  const byLabel = drawnOrder(seed, partitionStream, 0, dataset.rows)
  sortByKey(
    Uint32Array.from(byLabel, (row) => labels[row]!),
    byLabel,
  )
  const deal = drawnOrder(seed, partitionStream, 1, numShards)
  return Array.from({ length: workers }, (_, rank) => {
    const own = Array.from(deal.subarray(rank * shardsPerWorker, (rank + 1) * shardsPerWorker), (shard) => {
      const { start, end } = blockRange(byLabel.length, numShards, shard)
      return byLabel.subarray(start, end)
    })
    return concat(own)
  })
}

function dirichlet(
  dataset: Parameters<typeof partition>[0],
  workers: number,
  options: PartitionOptions & { kind: 'dirichlet' },
): Int32Array<ArrayBuffer>[] {
  const { alpha, minRows = 1, seed = 1 } = options
  if (!(alpha > 0 && Number.isFinite(alpha)))
    throw new ConfigError(
      faultText(`partition: alpha cannot be ${alpha}`, 'a number above 0', alpha, '0.1 is very uneven, 100 almost even'),
    )
  if (minRows * workers > dataset.rows) {
    throw new ConfigError(
      faultText('partition: too few rows', `at least ${minRows} for each of ${workers} workers`, `${dataset.rows} in all`, 'lower minRows'),
    )
  }
  const labels = labelsOf(dataset)
  const order = drawnOrder(seed, partitionStream, 0, dataset.rows)
  const classes = dataset.classes!.map((_, label) => order.filter((row) => labels[row] === label))
  const attempts = 1000
  for (let attempt = 0; attempt < attempts; attempt++) {
    const own: Int32Array[][] = Array.from({ length: workers }, () => [])
    classes.forEach((rows, label) => {
      const shares = dirichletShares(alpha, workers, seed, label, attempt)
      // Rounding the running sum, not the shares: every row goes to exactly one worker.
      let sum = 0
      let start = 0
      for (let rank = 0; rank < workers; rank++) {
        sum += shares[rank]!
        const end = rank === workers - 1 ? rows.length : Math.min(rows.length, Math.round(sum * rows.length))
        own[rank]!.push(rows.subarray(start, end))
        start = end
      }
    })
    const parts = own.map(concat)
    if (parts.every((part) => part.length >= minRows)) return parts
  }
  throw new ConfigError(
    faultText(
      'partition: no draw gives every worker its rows',
      `at least ${minRows} for each of ${workers} workers with alpha ${alpha}`,
      `fewer in ${attempts} draws`,
      'raise alpha or lower minRows',
    ),
  )
}

function labelsOf({ name, target, classes }: Parameters<typeof partition>[0]): Int32Array {
  if (classes && target?.dtype === 'int32' && target.shape.length === 1) return target.values as Int32Array
  const got = target ? `${target.dtype} targets [${target.shape.join(', ')}]` : 'no target'
  throw new ConfigError(faultText(`partition: ${name} has no classes`, 'class labels', got, "choose kind: 'iid' or 'contiguous'"))
}

function concat(parts: readonly Int32Array[]): Int32Array<ArrayBuffer> {
  const whole = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

function hashOf(kind: string, parts: readonly Int32Array[]): string {
  return hashArrays(parts.map((values, worker) => ({ label: `${kind} ${worker} ${values.length}`, values })))
}

function checkWorkers(workers: number, available: number, what: string): void {
  if (Number.isInteger(workers) && workers >= 1 && workers <= available) return
  throw new ConfigError(
    faultText(
      `partition: ${what} cannot be dealt to ${workers} workers`,
      `1 to ${available} workers`,
      workers,
      'change the number of workers',
    ),
  )
}
