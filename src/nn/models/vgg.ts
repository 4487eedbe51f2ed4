import { ConfigError } from '../../errors.ts'
import { batchNorm, conv2d, dense, dropout, flatten, maxPool, relu } from '../layers/index.ts'
import { model } from '../model.ts'
import type { ImageModel } from './resnet.ts'

/** Channels of the 3 × 3 convolutions of each configuration; a stage ends with a pool. */
const configurations = {
  A: [[64], [128], [256, 256], [512, 512], [512, 512]],
  B: [
    [64, 64],
    [128, 128],
    [256, 256],
    [512, 512],
    [512, 512],
  ],
  D: [
    [64, 64],
    [128, 128],
    [256, 256, 256],
    [512, 512, 512],
    [512, 512, 512],
  ],
  E: [
    [64, 64],
    [128, 128],
    [256, 256, 256, 256],
    [512, 512, 512, 512],
    [512, 512, 512, 512],
  ],
} as const

/** Options of {@link vgg}. */
export interface VggOptions {
  /** Default 1000. */
  readonly classes?: number
  /** Height and width of the images, a multiple of 32 (default 224). */
  readonly size?: number
  /** Every number of channels is divided by this (default 1). */
  readonly divisor?: number
  /** Units of the two hidden dense layers (default 4096). */
  readonly hidden?: number
  /** Between the dense layers (default 0.5). */
  readonly dropout?: number
  /** Batch norm behind every convolution (default false). */
  readonly batchNorm?: boolean
}

/**
 * VGG network: 132,863,336 parameters (A, eleven layers), 133,047,848 (B), 138,357,544 (D, VGG-16) or 143,667,240 (E, VGG-19).
 * @throws {ConfigError} CONFIG for another configuration
 * @see Simonyan, Zisserman, Very deep convolutional networks for large-scale image recognition, ICLR 2015
 */
export function vgg(configuration: keyof typeof configurations, options: VggOptions = {}): ImageModel {
  const { classes = 1000, size = 224, divisor = 1, hidden = 4096, dropout: rate = 0.5, batchNorm: isNormal = false } = options
  const stages = configurations[configuration]
  if (stages === undefined) {
    throw new ConfigError(
      `vgg: there is no configuration ${String(configuration)} — expected one of ${Object.keys(configurations).join(', ')}`,
    )
  }
  return model(`vgg-${configuration.toLowerCase()}${divisor === 1 ? '' : '-n'}`, { image: [3, size, size] }, ({ image }) => {
    let h = image
    // Numbers as in a list of layers, which is how trained weights are named.
    let number = 0
    for (const stage of stages) {
      for (const channels of stage) {
        h = conv2d(h, channels / divisor, 3, { name: `features.${number++}`, padding: 1 })
        if (isNormal) h = batchNorm(h, { name: `features.${number++}` })
        h = relu(h)
        number++
      }
      h = maxPool(h, 2)
      number++
    }
    h = flatten(h)
    for (const name of ['classifier.0', 'classifier.3']) {
      h = relu(dense(h, hidden, { name }))
      if (rate > 0) h = dropout(h, rate)
    }
    return dense(h, classes, { name: 'classifier.6' })
  })
}

/** VGG-A for small images: an eighth of the channels, 512 hidden units, no dropout; 445,626 parameters with ten classes. */
export function vggNarrow(classes = 10, size = 32): ImageModel {
  return vgg('A', { classes, size, divisor: 8, hidden: 512, dropout: 0 })
}
