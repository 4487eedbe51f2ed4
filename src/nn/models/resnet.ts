import { ConfigError } from '../../errors.ts'
import { add, dense, globalAvgPool, maxPool, relu } from '../layers/index.ts'
import { model } from '../model.ts'
import type { Model } from '../model.ts'
import type { Tensor } from '../trace.ts'
import { convNorm } from './conv-norm.ts'

/** A model of colour images. */
export type ImageModel = Model<{ readonly image: readonly [number, number, number] }>

/** Options of {@link resnet}. */
export interface ResnetOptions {
  /** Default 1000. */
  readonly classes?: number
  /** Height and width of the images (default 224). */
  readonly size?: number
}

/** Blocks of each stage, and whether they are bottlenecks. */
const depths = {
  18: { blocks: [2, 2, 2, 2], isBottleneck: false },
  34: { blocks: [3, 4, 6, 3], isBottleneck: false },
  50: { blocks: [3, 4, 6, 3], isBottleneck: true },
  101: { blocks: [3, 4, 23, 3], isBottleneck: true },
  152: { blocks: [3, 8, 36, 3], isBottleneck: true },
} as const

/**
 * Residual network for ImageNet: 11,689,512 (18), 25,557,032 (50), 44,549,160 (101) or 60,192,808 (152) parameters. Where a block changes the
 * shape, its shortcut is a projection. In a bottleneck the 3 × 3 convolution has the stride (the paper: the first 1 × 1), as is customary.
 * @param depth - Layers with weights
 * @throws {ConfigError} CONFIG for another depth
 * @see He, Zhang, Ren, Sun, Deep residual learning for image recognition, CVPR 2016
 */
export function resnet(depth: keyof typeof depths, options: ResnetOptions = {}): ImageModel {
  const { classes = 1000, size = 224 } = options
  const plan = depths[depth]
  if (plan === undefined) {
    throw new ConfigError(
      `resnet: there is no depth ${String(depth)} — expected one of ${Object.keys(depths).join(', ')} (resnetCifar takes 6n + 2)`,
    )
  }
  return model(`resnet-${depth}`, { image: [3, size, size] }, ({ image }) => {
    let h = convNorm(image, 64, 7, { name: 'conv1', normName: 'bn1', stride: 2, padding: 3 })
    h = maxPool(h, 3, { stride: 2, padding: 1 })
    plan.blocks.forEach((count, stage) => {
      const width = 64 * 2 ** stage
      for (let k = 0; k < count; k++) {
        const block = { name: `layer${stage + 1}.${k}`, width, stride: k === 0 && stage > 0 ? 2 : 1 }
        h = plan.isBottleneck ? bottleneck(h, block) : basicBlock(h, block)
      }
    })
    return dense(globalAvgPool(h), classes, { name: 'fc' })
  })
}

/** One residual block. */
interface Block {
  readonly name: string
  readonly width: number
  readonly stride: number
}

/** Two 3 × 3 convolutions. */
export function basicBlock(x: Tensor, { name, width, stride }: Block): Tensor {
  let h = convNorm(x, width, 3, { name: `${name}.conv1`, normName: `${name}.bn1`, stride, padding: 1 })
  h = convNorm(h, width, 3, { name: `${name}.conv2`, normName: `${name}.bn2`, padding: 1, activation: 'none' })
  return relu(add(h, projection(x, name, width, stride)))
}

/** 1 × 1, 3 × 3 and 1 × 1 convolutions, the last four times as wide. */
function bottleneck(x: Tensor, { name, width, stride }: Block): Tensor {
  let h = convNorm(x, width, 1, { name: `${name}.conv1`, normName: `${name}.bn1` })
  h = convNorm(h, width, 3, { name: `${name}.conv2`, normName: `${name}.bn2`, stride, padding: 1 })
  h = convNorm(h, 4 * width, 1, { name: `${name}.conv3`, normName: `${name}.bn3`, activation: 'none' })
  return relu(add(h, projection(x, name, 4 * width, stride)))
}

/** The shortcut: x itself, or a 1 × 1 convolution where the shape changes ("option B"). */
function projection(x: Tensor, name: string, channels: number, stride: number): Tensor {
  if (stride === 1 && x.shape[1] === channels) return x
  return convNorm(x, channels, 1, { name: `${name}.downsample.0`, normName: `${name}.downsample.1`, stride, activation: 'none' })
}
