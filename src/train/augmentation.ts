import type { Kernels } from '../kernels/kernels.ts'
import { word } from '../rng.ts'
import type { Allocate, BatchBuffers } from './buffers.ts'

/** How training images are varied; test images stay as they are. Plain data. */
export interface AugmentationSpec {
  /** Mirror every second image left to right, by chance (default false). */
  readonly flip?: boolean
  /** Move each image by up to so many pixels in both directions (default 0); what enters the frame is a stored 0. */
  readonly shift?: number
}

/** Stream of the draws that vary images. */
const augmentationStream = 90

/** Varies the images of one rank's batch, as a function of (seed, epoch, sample): on whatever rank a sample is, it is varied alike. */
export class Augmentation {
  readonly #spec: Required<AugmentationSpec>
  readonly #shape: readonly [number, number, number]
  readonly #seed: number
  readonly #moves: Int32Array<ArrayBuffer>
  readonly #scratch: Float32Array<ArrayBuffer>

  /** @param shape - Channels, height and width of an image. @param rows - Of a batch. */
  constructor(spec: AugmentationSpec, shape: readonly [number, number, number], seed: number, rows: number, allocate: Allocate) {
    const { flip = false, shift = 0 } = spec
    this.#spec = { flip, shift }
    this.#shape = shape
    this.#seed = seed
    this.#moves = allocate('int32', 3 * rows, 'moves of images')
    this.#scratch = allocate('float32', shape[1] * shape[2], 'one plane of an image')
  }

  /** @param blank - What a stored 0 is once it is normalised. */
  apply(kernels: Kernels, batch: BatchBuffers, epoch: number, blank: number): void {
    const { flip, shift } = this.#spec
    const places = 2 * shift + 1
    batch.rows.forEach((row, i) => {
      const drawn = (j: number): number => word(this.#seed, augmentationStream, row, 4 * epoch + j)
      this.#moves[3 * i] = flip ? drawn(0) >>> 31 : 0
      this.#moves[3 * i + 1] = (drawn(1) % places) - shift
      this.#moves[3 * i + 2] = (drawn(2) % places) - shift
    })
    kernels.flipShift(batch.features as Float32Array, this.#shape, this.#moves, blank, this.#scratch)
  }
}
