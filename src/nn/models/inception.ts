import { ConfigError } from '../../errors.ts'
import { avgPool, concat, dense, dropout, globalAvgPool, maxPool } from '../layers/index.ts'
import type { Size } from '../layers/index.ts'
import { model } from '../model.ts'
import type { Tensor } from '../trace.ts'
import { convNorm } from './conv-norm.ts'
import type { ImageModel } from './resnet.ts'

/** Options of {@link inceptionV4}. */
export interface InceptionOptions {
  /** Default 1000. */
  readonly classes?: number
  /** Height and width of the images (default 299). */
  readonly size?: number
  /** Every number of channels is divided by this (default 1). */
  readonly divisor?: number
  /** Blocks A, B and C (default 4, 7, 3). */
  readonly blocks?: readonly [number, number, number]
  /** `'full'` for large images (default), `'small'`: one convolution, for images of 32 × 32. */
  readonly stem?: 'full' | 'small'
  /** Before the last layer (default 0.2). */
  readonly dropout?: number
}

/** One convolution of a branch: filters and window. */
type Step = readonly [channels: number, kernel: Size, options?: { readonly stride?: number; readonly valid?: true }]

/** Draws branches of convolutions, all of them with batch norm and without bias. */
class Drawing {
  readonly #divisor: number

  constructor(divisor: number) {
    this.#divisor = divisor
  }

  /** Convolutions one after the other; they keep the size, but for those that are strided or `valid`. */
  chain(x: Tensor, ...steps: readonly Step[]): Tensor {
    return steps.reduce((h, [channels, kernel, { stride = 1, valid } = {}]) => {
      const [high, wide] = typeof kernel === 'number' ? [kernel, kernel] : kernel
      const padding = valid || stride > 1 ? 0 : ([(high - 1) / 2, (wide - 1) / 2] as const)
      return convNorm(h, channels / this.#divisor, kernel, { stride, padding, epsilon: 1e-3 })
    }, x)
  }
}

const down = { stride: 2 } as const
const half = (x: Tensor): Tensor => maxPool(x, 3, { stride: 2 })
const smooth = (x: Tensor): Tensor => avgPool(x, 3, { stride: 1, padding: 1 })

/**
 * Inception v4: stem, blocks A, reduction A, blocks B, reduction B, blocks C; 42,679,816 parameters.
 * @throws {ConfigError} CONFIG when the divisor does not divide the channels
 * @see Szegedy, Ioffe, Vanhoucke, Alemi, Inception-v4, Inception-ResNet and the impact of residual connections on learning, AAAI 2017
 */
export function inceptionV4(options: InceptionOptions = {}): ImageModel {
  const { classes = 1000, size = 299, divisor = 1, blocks = [4, 7, 3], stem = 'full', dropout: rate = 0.2 } = options
  if (32 % divisor !== 0) throw new ConfigError(`inceptionV4: the divisor cannot be used — expected a divisor of 32, got ${divisor}`)
  const drawing = new Drawing(divisor)
  return model(`inception-v4${divisor === 1 ? '' : '-n'}`, { image: [3, size, size] }, ({ image }) => {
    let h = stem === 'full' ? fullStem(drawing, image) : drawing.chain(image, [384, 3])
    for (let k = 0; k < blocks[0]; k++) h = blockA(drawing, h)
    h = concat([half(h), drawing.chain(h, [384, 3, down]), drawing.chain(h, [192, 1], [224, 3], [256, 3, down])], 1)
    for (let k = 0; k < blocks[1]; k++) h = blockB(drawing, h)
    h = concat(
      [half(h), drawing.chain(h, [192, 1], [192, 3, down]), drawing.chain(h, [256, 1], [256, [1, 7]], [320, [7, 1]], [320, 3, down])],
      1,
    )
    for (let k = 0; k < blocks[2]; k++) h = blockC(drawing, h)
    h = globalAvgPool(h)
    return dense(rate > 0 ? dropout(h, rate) : h, classes, { name: 'fc' })
  })
}

/** Inception v4 for images of 32 × 32: a sixteenth of the channels, one block of each kind, no dropout. */
export function inceptionNarrow(classes = 10): ImageModel {
  return inceptionV4({ classes, size: 32, divisor: 16, blocks: [1, 1, 1], stem: 'small', dropout: 0 })
}

function fullStem(drawing: Drawing, image: Tensor): Tensor {
  let h = drawing.chain(image, [32, 3, down], [32, 3, { valid: true }], [64, 3])
  h = concat([half(h), drawing.chain(h, [96, 3, down])], 1)
  const short = drawing.chain(h, [64, 1], [96, 3, { valid: true }])
  h = concat([short, drawing.chain(h, [64, 1], [64, [1, 7]], [64, [7, 1]], [96, 3, { valid: true }])], 1)
  return concat([drawing.chain(h, [192, 3, down]), half(h)], 1)
}

function blockA(drawing: Drawing, x: Tensor): Tensor {
  return concat(
    [
      drawing.chain(x, [96, 1]),
      drawing.chain(x, [64, 1], [96, 3]),
      drawing.chain(x, [64, 1], [96, 3], [96, 3]),
      drawing.chain(smooth(x), [96, 1]),
    ],
    1,
  )
}

function blockB(drawing: Drawing, x: Tensor): Tensor {
  return concat(
    [
      drawing.chain(x, [384, 1]),
      drawing.chain(x, [192, 1], [224, [1, 7]], [256, [7, 1]]),
      drawing.chain(x, [192, 1], [192, [7, 1]], [224, [1, 7]], [224, [7, 1]], [256, [1, 7]]),
      drawing.chain(smooth(x), [128, 1]),
    ],
    1,
  )
}

function blockC(drawing: Drawing, x: Tensor): Tensor {
  const narrow = drawing.chain(x, [384, 1])
  const wide = drawing.chain(x, [384, 1], [448, [3, 1]], [512, [1, 3]])
  return concat(
    [
      drawing.chain(x, [256, 1]),
      drawing.chain(narrow, [256, [1, 3]]),
      drawing.chain(narrow, [256, [3, 1]]),
      drawing.chain(wide, [256, [1, 3]]),
      drawing.chain(wide, [256, [3, 1]]),
      drawing.chain(smooth(x), [256, 1]),
    ],
    1,
  )
}
