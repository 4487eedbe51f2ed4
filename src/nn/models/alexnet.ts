import { conv2d, dense, dropout, flatten, maxPool, relu, upsample } from '../layers/index.ts'
import { model } from '../model.ts'
import type { Tensor } from '../trace.ts'
import type { ImageModel } from './resnet.ts'

/** One convolution with ReLU. */
interface Convolution {
  readonly channels: number
  readonly kernel: number
  readonly stride?: number
  readonly padding?: number
  readonly groups?: number
}

/** The convolutions; a pool of 3 × 3 with stride 2 follows the first, the second and the last. */
function features(image: Tensor, convolutions: readonly Convolution[]): Tensor {
  let number = 0
  const pooled = [0, 1, convolutions.length - 1]
  const h = convolutions.reduce((x, { channels, kernel, ...options }, k) => {
    const value = relu(conv2d(x, channels, kernel, { name: `features.${number}`, ...options }))
    number += pooled.includes(k) ? 3 : 2
    return pooled.includes(k) ? maxPool(value, 3, { stride: 2 }) : value
  }, image)
  return flatten(h)
}

function classifier(x: Tensor, hidden: number, classes: number, rate: number): Tensor {
  const dropped = (h: Tensor): Tensor => (rate > 0 ? dropout(h, rate) : h)
  let h = relu(dense(dropped(x), hidden, { name: 'classifier.1' }))
  h = relu(dense(dropped(h), hidden, { name: 'classifier.4' }))
  return dense(h, classes, { name: 'classifier.6' })
}

/**
 * AlexNet in one column, as it is trained today: 61,100,840 parameters, images of 224 × 224.
 * @see Krizhevsky, One weird trick for parallelizing convolutional neural networks, arXiv 1404.5997, 2014
 */
export function alexnet(classes = 1000): ImageModel {
  return model('alexnet', { image: [3, 224, 224] }, ({ image }) => {
    const h = features(image, [
      { channels: 64, kernel: 11, stride: 4, padding: 2 },
      { channels: 192, kernel: 5, padding: 2 },
      { channels: 384, kernel: 3, padding: 1 },
      { channels: 256, kernel: 3, padding: 1 },
      { channels: 256, kernel: 3, padding: 1 },
    ])
    return classifier(h, 4096, classes, 0.5)
  })
}

/**
 * AlexNet as published, in two groups: 60,965,224 parameters, images of 227 × 227. Without the local response normalisation, which has no
 * parameters and has since been found to be of little use.
 * @see Krizhevsky, Sutskever, Hinton, ImageNet classification with deep convolutional neural networks, NIPS 2012
 */
export function alexnetGrouped(classes = 1000): ImageModel {
  return model('alexnet-grouped', { image: [3, 227, 227] }, ({ image }) => {
    const h = features(image, [
      { channels: 96, kernel: 11, stride: 4 },
      { channels: 256, kernel: 5, padding: 2, groups: 2 },
      { channels: 384, kernel: 3, padding: 1 },
      { channels: 384, kernel: 3, padding: 1, groups: 2 },
      { channels: 256, kernel: 3, padding: 1, groups: 2 },
    ])
    return classifier(h, 4096, classes, 0.5)
  })
}

/** AlexNet for images of 32 × 32, which it doubles: an eighth of the channels, in two groups, 512 hidden units, no dropout; 456,186 parameters. */
export function alexnetNarrow(classes = 10): ImageModel {
  return model('alexnet-n', { image: [3, 32, 32] }, ({ image }) => {
    const h = features(upsample(image, 2), [
      { channels: 12, kernel: 11, stride: 2, padding: 5 },
      { channels: 32, kernel: 5, padding: 2, groups: 2 },
      { channels: 48, kernel: 3, padding: 1 },
      { channels: 48, kernel: 3, padding: 1, groups: 2 },
      { channels: 32, kernel: 3, padding: 1, groups: 2 },
    ])
    return classifier(h, 512, classes, 0)
  })
}
