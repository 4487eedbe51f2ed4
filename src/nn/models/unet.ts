import { ConfigError } from '../../errors.ts'
import { concat, conv2d, convTranspose2d, maxPool, reshape, rows, transpose } from '../layers/index.ts'
import { model } from '../model.ts'
import type { Model } from '../model.ts'
import { init } from '../parameter.ts'
import type { Tensor } from '../trace.ts'
import { convNorm } from './conv-norm.ts'

/** Options of {@link unet}. */
export interface UnetOptions {
  /** Default 4. */
  readonly classes?: number
  /** Height and width of the images (default 64). */
  readonly size?: number
  /** Channels of the images (default 1). */
  readonly channels?: number
  /** Channels of the levels, each twice those of the one above (default 16, 32, 64). */
  readonly widths?: readonly number[]
}

/**
 * U-Net for the segmentation of images, with batch norm and convolutions that keep the size: scores of the classes of every pixel,
 * `[batch*pixels, classes]`, in the order of the rows of the image. 117,124 parameters.
 * @throws {ConfigError} CONFIG when the size cannot be halved often enough
 * @see Ronneberger, Fischer, Brox, U-Net: convolutional networks for biomedical image segmentation, MICCAI 2015
 */
export function unet(options: UnetOptions = {}): Model<{ readonly image: readonly [number, number, number] }> {
  const { classes = 4, size = 64, channels = 1, widths = [16, 32, 64] } = options
  if (widths.length === 0 || size % 2 ** (widths.length - 1) !== 0) {
    throw new ConfigError(
      `unet: the size cannot be halved for each level — expected a multiple of ${2 ** (widths.length - 1)}, got ${size}`,
    )
  }
  return model('unet', { image: [channels, size, size] }, ({ image }) => {
    const levels: Tensor[] = []
    for (const [k, width] of widths.entries()) {
      const above = levels.at(-1)
      levels.push(twice(above === undefined ? image : maxPool(above, 2), width, `down${k}`))
    }
    let h = levels.at(-1) as Tensor
    for (let k = widths.length - 2; k >= 0; k--) {
      const width = widths[k] as number
      // As in PyTorch, where the fan of a transposed filter counts its results.
      const start = { init: init.uniform(1 / Math.sqrt(4 * width)) }
      const raised = convTranspose2d(h, width, 2, { name: `raise${k}`, stride: 2, ...start })
      h = twice(concat([raised, levels[k] as Tensor], 1), width, `up${k}`)
    }
    const scores = conv2d(h, classes, 1, { name: 'out' })
    return rows(reshape(transpose(scores, [0, 2, 3, 1]), [size * size, classes]))
  })
}

function twice(x: Tensor, width: number, name: string): Tensor {
  const half = (h: Tensor, k: number): Tensor => convNorm(h, width, 3, { name: `${name}.conv${k}`, normName: `${name}.bn${k}`, padding: 1 })
  return half(half(x, 1), 2)
}
