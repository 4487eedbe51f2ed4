import type { Batches } from '../data/batches.ts'
import type { Dataset } from '../data/dataset.ts'
import type { Kernels } from '../kernels/kernels.ts'
import type { BatchBuffers } from './buffers.ts'

/** Rows in the data segment, as the gather kernel and learners read them. */
export interface PlacedRows {
  readonly rows: number
  /** Elements of one row. */
  readonly width: number
  readonly features: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> | Uint8Array<ArrayBuffer>
  readonly targets: Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>
  readonly targetWidth: number
  readonly scale: number
  readonly shift: number
}

/** The rows of an attached data set; data without a target has an empty one. */
export function placedRows(dataset: Dataset): PlacedRows {
  const { rows, features, target, normalize } = dataset
  return {
    rows,
    width: features.values.length / rows,
    features: features.values,
    targets: target?.values ?? new Int32Array(0),
    targetWidth: target ? target.values.length / rows : 0,
    scale: normalize.scale,
    shift: normalize.shift,
  }
}

/** Gathers the rows that `batch.rows` names, normalised, into the batch. All arrays lie in the kernels' segment. */
export function gatherRows(kernels: Kernels, source: PlacedRows, batch: BatchBuffers): void {
  kernels.gather(source.features as Float32Array, batch.rows, source.width, batch.features, source.scale, source.shift)
  if (source.targets instanceof Int32Array) kernels.gatherInt32(source.targets, batch.rows, batch.target as Int32Array<ArrayBuffer>)
  else kernels.gather(source.targets as Float32Array, batch.rows, source.targetWidth, batch.target as Float32Array<ArrayBuffer>, 1, 0)
}

/** Fills this rank's batch of a step: rows, features, targets, weights (0 for padding). A function of the step, so a cursor is a step number. */
export class BatchSource {
  readonly #kernels: Kernels
  readonly #source: PlacedRows
  readonly #batches: Batches

  constructor(kernels: Kernels, source: PlacedRows, batches: Batches) {
    this.#kernels = kernels
    this.#source = source
    this.#batches = batches
  }

  /** @param step - from 0. @returns how many rows of this rank's batch, and of the global batch, are real. */
  fill(step: number, batch: BatchBuffers): { readonly count: number; readonly globalCount: number } {
    const { batchesPerEpoch } = this.#batches
    const filled = this.#batches.at(Math.floor(step / batchesPerEpoch), step % batchesPerEpoch, batch.rows)
    for (let i = 0; i < batch.weight.length; i++) batch.weight[i] = i < filled.count ? 1 : 0
    gatherRows(this.#kernels, this.#source, batch)
    return filled
  }
}
