import { ConfigError } from '../../errors.ts'
import { add, batchNorm, conv2d, dense, dropout, globalAvgPool, relu } from '../layers/index.ts'
import { model } from '../model.ts'
import type { Tensor } from '../trace.ts'
import type { ImageModel } from './resnet.ts'

/** Options of {@link wideResnet}. */
export interface WideResnetOptions {
  /** Default 10. */
  readonly classes?: number
  /** Height and width of the images (default 32). */
  readonly size?: number
  /** Between the convolutions of a block (default 0, none). */
  readonly dropout?: number
}

/**
 * Wide residual network for small images, with batch norm and ReLU before each convolution. WRN-28-10 has 36,479,194 parameters.
 * @param depth - 6n + 4 (default 28)
 * @param widening - Times 16, 32 and 64 channels (default 10)
 * @throws {ConfigError} CONFIG unless the depth is 6n + 4
 * @see Zagoruyko, Komodakis, Wide residual networks, BMVC 2016
 */
export function wideResnet(depth = 28, widening = 10, options: WideResnetOptions = {}): ImageModel {
  const { classes = 10, size = 32, dropout: rate = 0 } = options
  const blocks = (depth - 4) / 6
  if (!Number.isInteger(blocks) || blocks < 1) throw new ConfigError(`wideResnet: the depth cannot be used — expected 6n + 4, got ${depth}`)
  return model(`wrn-${depth}-${widening}`, { image: [3, size, size] }, ({ image }) => {
    let h = conv2d(image, 16, 3, { name: 'conv1', padding: 1, bias: false })
    for (const [stage, width] of [16, 32, 64].entries()) {
      for (let k = 0; k < blocks; k++) h = block(h, `block${stage + 1}.${k}`, width * widening, k === 0 && stage > 0 ? 2 : 1, rate)
    }
    return dense(globalAvgPool(relu(batchNorm(h, { name: 'bn' }))), classes, { name: 'fc' })
  })
}

function block(x: Tensor, name: string, width: number, stride: number, rate: number): Tensor {
  const activated = relu(batchNorm(x, { name: `${name}.bn1` }))
  let h = conv2d(activated, width, 3, { name: `${name}.conv1`, stride, padding: 1, bias: false })
  h = relu(batchNorm(h, { name: `${name}.bn2` }))
  if (rate > 0) h = dropout(h, rate, { name: `${name}.dropout` })
  h = conv2d(h, width, 3, { name: `${name}.conv2`, padding: 1, bias: false })
  if (x.shape[1] === width) return add(h, x)
  return add(h, conv2d(activated, width, 1, { name: `${name}.shortcut`, stride, bias: false }))
}
