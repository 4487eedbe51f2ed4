import type { Batches } from '../data/batches.ts'
import type { Dataset } from '../data/dataset.ts'
import type { Kernels } from '../kernels/kernels.ts'
import type { Augmentation } from './augmentation.ts'
import type { BatchBuffers } from './buffers.ts'

/** Rows in the data segment, as the gather kernel and learners read them. */
export interface PlacedRows {
  readonly rows: number
  /** Elements of one row. */
  readonly width: number
  readonly features: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> | Uint8Array<ArrayBuffer> | Int32Array<ArrayBuffer>
  readonly targets: Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>
  readonly targetWidth: number
  readonly scale: number
  readonly shift: number
  /** Positions of each row that a loss counts; a number where all rows have the same. */
  readonly units: number | Int32Array
}

/**
 * The rows of an attached data set; data without a target has an empty one.
 * @param positions - Positions of a row that the loss looks at (default 1)
 */
export function placedRows(dataset: Dataset, positions = 1): PlacedRows {
  const { rows, features, target, normalize } = dataset
  const targets = target?.values ?? new Int32Array(0)
  return {
    rows,
    width: features.values.length / rows,
    features: features.values,
    targets,
    targetWidth: targets.length / rows,
    scale: normalize.scale,
    shift: normalize.shift,
    units: targets instanceof Int32Array && positions > 1 ? countedPositions(targets, positions) : positions,
  }
}

/** Targets of each row that are not −1. */
function countedPositions(targets: Int32Array, positions: number): number | Int32Array {
  if (!targets.includes(-1)) return positions
  const units = new Int32Array(targets.length / positions)
  targets.forEach((target, i) => {
    if (target >= 0) units[Math.floor(i / positions)] = (units[Math.floor(i / positions)] as number) + 1
  })
  return units
}

/** Positions that count in the first `count` of these rows. */
export function unitsOf({ units }: PlacedRows, rows: Int32Array, count: number): number {
  if (typeof units === 'number') return units * count
  let sum = 0
  for (let i = 0; i < count; i++) sum += units[rows[i] as number] as number
  return sum
}

/** Gathers the rows that `batch.rows` names, normalised, into the batch. All arrays lie in the kernels' segment. */
export function gatherRows(kernels: Kernels, source: PlacedRows, batch: BatchBuffers): void {
  if (batch.features instanceof Int32Array) kernels.gatherInt32(source.features as Int32Array, batch.rows, batch.features)
  else kernels.gather(source.features as Float32Array, batch.rows, source.width, batch.features, source.scale, source.shift)
  if (source.targets instanceof Int32Array) kernels.gatherInt32(source.targets, batch.rows, batch.target as Int32Array<ArrayBuffer>)
  else kernels.gather(source.targets as Float32Array, batch.rows, source.targetWidth, batch.target as Float32Array<ArrayBuffer>, 1, 0)
}

/** Fills this rank's batch of a step: rows, features, targets, weights (0 for padding). A function of the step, so a cursor is a step number. */
export class BatchSource {
  readonly #kernels: Kernels
  readonly #source: PlacedRows
  readonly #batches: Batches
  readonly #augmentation: Augmentation | undefined

  constructor(kernels: Kernels, source: PlacedRows, batches: Batches, augmentation?: Augmentation) {
    this.#kernels = kernels
    this.#source = source
    this.#batches = batches
    this.#augmentation = augmentation
  }

  /** @param step - from 0. @returns how many positions of this rank's batch, and of the global batch, count. */
  fill(step: number, batch: BatchBuffers): { readonly units: number; readonly globalUnits: number } {
    const { batchesPerEpoch } = this.#batches
    const filled = this.#batches.at(Math.floor(step / batchesPerEpoch), step % batchesPerEpoch, batch.rows)
    for (let i = 0; i < batch.weight.length; i++) batch.weight[i] = i < filled.count ? 1 : 0
    gatherRows(this.#kernels, this.#source, batch)
    this.#augmentation?.apply(this.#kernels, batch, filled.epoch, this.#source.shift)
    return { units: unitsOf(this.#source, batch.rows, filled.count), globalUnits: filled.globalUnits }
  }
}
