import { ConfigError } from '../../errors.ts'
import { add, batchNorm, conv3d, dense, globalAvgPool, maxPool, mul, relu, sigmoid, upsample } from '../layers/index.ts'
import { model } from '../model.ts'
import type { Model } from '../model.ts'
import type { Tensor } from '../trace.ts'
import { convNorm3d } from './conv-norm.ts'

/** Options of {@link resAttNet3d}. */
export interface ResAttNetOptions {
  /** Default 2. */
  readonly classes?: number
  /** Depth, height and width of the volumes (default 32). */
  readonly size?: number
  /** Channels of the stages, each with one attention module; every stage halves the volume, the first with its stem (default 8, 16, 32). */
  readonly widths?: readonly number[]
}

/**
 * Residual attention network for volumes `[1, 32, 32, 32]`: residual blocks whose result T a mask M in (0, 1) raises, (1 + M)·T; the mask
 * comes from a branch that sees the volume at half the size and so has a wider view. Small, and with nearest neighbours where the papers
 * interpolate.
 * @throws {ConfigError} CONFIG when the size cannot be halved for each stage and once more
 * @see Wang et al., Residual attention network for image classification, CVPR 2017
 * @see Zhang et al., An explainable 3D residual self-attention deep neural network for joint atrophy localization and Alzheimer's disease
 *   diagnosis using structural MRI, IEEE Journal of Biomedical and Health Informatics, 2021
 */
export function resAttNet3d(options: ResAttNetOptions = {}): Model<{ readonly volume: readonly [number, number, number, number] }> {
  const { classes = 2, size = 32, widths = [8, 16, 32] } = options
  if (widths.length === 0 || size % 2 ** (widths.length + 1) !== 0) {
    throw new ConfigError(
      `resAttNet3d: the size cannot be halved for each stage — expected a multiple of ${2 ** (widths.length + 1)}, got ${size}`,
    )
  }
  return model('res-att-net-3d', { volume: [1, size, size, size] }, ({ volume }) => {
    let h = convNorm3d(volume, widths[0] as number, 3, 'stem', { stride: 2, padding: 1 })
    widths.forEach((width, k) => {
      h = residual(h, `stage${k + 1}.first`, width, k === 0 ? 1 : 2)
      h = attention(h, `stage${k + 1}.attention`)
    })
    return dense(globalAvgPool(h), classes, { name: 'fc' })
  })
}

/** Two 3 × 3 × 3 convolutions and a shortcut. */
function residual(x: Tensor, name: string, width: number, stride = 1): Tensor {
  const first = convNorm3d(x, width, 3, `${name}.1`, { stride, padding: 1 })
  const second = conv3d(first, width, 3, { name: `${name}.2.conv`, padding: 1, bias: false })
  const h = batchNorm(second, { name: `${name}.2.norm` })
  if (stride === 1 && x.shape[1] === width) return relu(add(h, x))
  const projected = conv3d(x, width, 1, { name: `${name}.shortcut.conv`, stride, bias: false })
  return relu(add(h, batchNorm(projected, { name: `${name}.shortcut.norm` })))
}

/** Trunk T and mask M of x: (1 + M)·T. */
function attention(x: Tensor, name: string): Tensor {
  const width = Number(x.shape[1])
  const trunk = residual(x, `${name}.trunk`, width)
  const seen = residual(maxPool(x, 2), `${name}.mask`, width)
  const mask = sigmoid(conv3d(upsample(seen, 2), width, 1, { name: `${name}.gate` }))
  return add(trunk, mul(mask, trunk))
}
