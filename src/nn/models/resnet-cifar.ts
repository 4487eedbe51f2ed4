import { ConfigError } from '../../errors.ts'
import { add, avgPool, dense, globalAvgPool, relu } from '../layers/index.ts'
import { model } from '../model.ts'
import { traceOf } from '../trace.ts'
import type { Tensor } from '../trace.ts'
import { convNorm } from './conv-norm.ts'
import { basicBlock } from './resnet.ts'
import type { ImageModel } from './resnet.ts'

/** Options of {@link resnetCifar}. */
export interface ResnetCifarOptions {
  /** Default 10. */
  readonly classes?: number
  /** Height and width of the images (default 32). */
  readonly size?: number
  /** Channels of the three stages (default 16, 32, 64). */
  readonly widths?: readonly [number, number, number]
  /**
   * What a block that halves the image adds its residual to: every second pixel, with zeros for the new channels ("option A" of the paper,
   * default), or a 1 × 1 convolution ("option B").
   */
  readonly shortcut?: 'pad' | 'projection'
}

/**
 * Residual network for small images, 6n + 2 layers with weights: ResNet-20 has 269,722 parameters with padded shortcuts and ten classes,
 * ResNet-32 464,154, ResNet-110 1,727,962.
 * @throws {ConfigError} CONFIG unless the depth is 6n + 2
 * @see He, Zhang, Ren, Sun, Deep residual learning for image recognition, CVPR 2016, section 4.2
 */
export function resnetCifar(depth = 20, options: ResnetCifarOptions = {}): ImageModel {
  const { classes = 10, size = 32, widths = [16, 32, 64], shortcut = 'pad' } = options
  const blocks = (depth - 2) / 6
  if (!Number.isInteger(blocks) || blocks < 1)
    throw new ConfigError(`resnetCifar: the depth cannot be used — expected 6n + 2, got ${depth}`)
  return model(`resnet-${depth}-cifar`, { image: [3, size, size] }, ({ image }) => {
    let h = convNorm(image, widths[0], 3, { name: 'conv1', normName: 'bn1', padding: 1 })
    widths.forEach((width, stage) => {
      for (let k = 0; k < blocks; k++) {
        const block = { name: `layer${stage + 1}.${k}`, width, stride: k === 0 && stage > 0 ? 2 : 1 }
        h = shortcut === 'pad' ? paddedBlock(h, block) : basicBlock(h, block)
      }
    })
    return dense(globalAvgPool(h), classes, { name: 'fc' })
  })
}

/** A block whose shortcut has no parameters. */
function paddedBlock(
  x: Tensor,
  { name, width, stride }: { readonly name: string; readonly width: number; readonly stride: number },
): Tensor {
  let h = convNorm(x, width, 3, { name: `${name}.conv1`, normName: `${name}.bn1`, stride, padding: 1 })
  h = convNorm(h, width, 3, { name: `${name}.conv2`, normName: `${name}.bn2`, padding: 1, activation: 'none' })
  // The mean over windows of one pixel is that pixel.
  const sampled = stride === 1 ? x : avgPool(x, 1, { stride, name: `${name}.sample` })
  const missing = width - Number(x.shape[1])
  if (missing === 0) return relu(add(h, sampled))
  const layer = traceOf(x).layer('pad', `${name}.pad`)
  return relu(add(h, x.builder.add('pad', [sampled], { before: [0, 0, 0, 0], after: [0, missing, 0, 0] }, layer)))
}
