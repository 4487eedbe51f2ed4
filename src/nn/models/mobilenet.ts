import { add, dense, dropout, globalAvgPool } from '../layers/index.ts'
import { model } from '../model.ts'
import type { Tensor } from '../trace.ts'
import { convNorm } from './conv-norm.ts'
import type { ImageModel } from './resnet.ts'

/** Stages: expansion, channels, blocks, stride of the first. */
const stages = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const

/** Options of {@link mobileNetV2}. */
export interface MobileNetOptions {
  /** Default 1000. */
  readonly classes?: number
  /** Height and width of the images (default 224). */
  readonly size?: number
  /** Multiplies every number of channels, which is then rounded to a multiple of 8 (default 1). */
  readonly width?: number
  /** How many of the five halvings of the image are left out, the first ones: 3 for images of 32 × 32 (default 0). */
  readonly skippedStrides?: number
  /** Before the last layer (default 0.2). */
  readonly dropout?: number
}

/**
 * MobileNet v2: inverted residuals of 1 × 1, depthwise 3 × 3 and linear 1 × 1 convolutions; 3,504,872 parameters.
 * @see Sandler, Howard, Zhu, Zhmoginov, Chen, MobileNetV2: inverted residuals and linear bottlenecks, CVPR 2018
 */
export function mobileNetV2(options: MobileNetOptions = {}): ImageModel {
  const { classes = 1000, size = 224, width = 1, skippedStrides = 0, dropout: rate = 0.2 } = options
  let skipped = 0
  const strideOf = (stride: number): number => (stride === 2 && skipped++ < skippedStrides ? 1 : stride)
  return model('mobilenet-v2', { image: [3, size, size] }, ({ image }) => {
    let h = convNorm(image, rounded(32 * width), 3, { ...names('features.0', 0), stride: strideOf(2), padding: 1, activation: 'relu6' })
    let number = 1
    for (const [expansion, channels, blocks, first] of stages) {
      for (let k = 0; k < blocks; k++) {
        const stride = k === 0 ? strideOf(first) : 1
        h = invertedResidual(h, `features.${number++}.conv`, rounded(channels * width), stride, expansion)
      }
    }
    h = convNorm(h, rounded(1280 * Math.max(1, width)), 1, { ...names(`features.${number}`, 0), activation: 'relu6' })
    h = globalAvgPool(h)
    return dense(rate > 0 ? dropout(h, rate) : h, classes, { name: 'classifier.1' })
  })
}

function invertedResidual(x: Tensor, name: string, channels: number, stride: number, expansion: number): Tensor {
  const before = Number(x.shape[1])
  const hidden = before * expansion
  const isWider = expansion !== 1
  let h = isWider ? convNorm(x, hidden, 1, { ...names(`${name}.0`, 0), activation: 'relu6' }) : x
  const depthwise = { stride, padding: 1, groups: hidden, activation: 'relu6' } as const
  h = convNorm(h, hidden, 3, { ...names(`${name}.${isWider ? 1 : 0}`, 0), ...depthwise })
  const last = isWider ? 2 : 1
  h = convNorm(h, channels, 1, { name: `${name}.${last}`, normName: `${name}.${last + 1}`, activation: 'none' })
  return stride === 1 && before === channels ? add(x, h) : h
}

/** Names of a convolution and its norm in a list of layers. */
function names(list: string, first: number): { readonly name: string; readonly normName: string } {
  return { name: `${list}.${first}`, normName: `${list}.${first + 1}` }
}

/** The nearest multiple of 8 that is at least 90 % of the number. */
function rounded(channels: number): number {
  const nearest = Math.max(8, Math.floor((channels + 4) / 8) * 8)
  return nearest < 0.9 * channels ? nearest + 8 : nearest
}
