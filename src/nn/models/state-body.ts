import { ConfigError } from '../../errors.ts'
import { conv2d, dense, flatten, relu, tanh } from '../layers/index.ts'
import type { Tensor } from '../trace.ts'

/** A network that reads a state and gives features to the heads of an agent. */
export interface StateBody {
  /**
   * `nature`: convolutions 32 of 8²/4, 64 of 4²/2, 64 of 3², 512 units (Mnih et al., Nature 518, 2015). `a3c`: 16 of 8²/4, 32 of 4²/2, 256 units
   * (Mnih et al., ICML 2016). `minatar`: 16 of 3², 128 units (Young, Tian, MinAtar, 2019). `mlp`: the units of `hidden`.
   * Default: `mlp` for states without rows and columns, otherwise `nature` from 36 × 36 on, and `minatar` below.
   */
  readonly kind?: 'nature' | 'a3c' | 'minatar' | 'mlp'
  /** Of `mlp` (default [64, 64]). */
  readonly hidden?: readonly number[]
  /** Of `mlp` (default relu). */
  readonly activation?: 'relu' | 'tanh'
}

/** Filters, kernel, stride of each convolution, and the units after them. */
const convolutions = {
  nature: {
    layers: [
      [32, 8, 4],
      [64, 4, 2],
      [64, 3, 1],
    ],
    units: 512,
  },
  a3c: {
    layers: [
      [16, 8, 4],
      [32, 4, 2],
    ],
    units: 256,
  },
  minatar: { layers: [[16, 3, 1]], units: 128 },
} as const

/**
 * The features of a state, `[batch, units]`.
 * @param x - `[batch, values]`, or `[batch, channels, height, width]`
 * @param prefix - Of the layers' names, for agents with several bodies
 * @throws {ConfigError} CONFIG for convolutions on a state without rows and columns
 */
export function stateFeatures(x: Tensor, body: StateBody = {}, prefix = ''): Tensor {
  const isImage = x.shape.length === 4
  const { kind = isImage ? (Number(x.shape[2]) >= 36 ? 'nature' : 'minatar') : 'mlp', hidden = [64, 64], activation = 'relu' } = body
  if (kind === 'mlp') {
    const bend = activation === 'relu' ? relu : tanh
    return hidden.reduce((h, units, i) => bend(dense(h, units, { name: `${prefix}d${i + 1}` })), isImage ? flatten(x) : x)
  }
  if (!isImage) {
    throw new ConfigError(
      `${kind}: the body needs images — expected states [channels, height, width], got [${x.shape.slice(1).join(', ')}]`,
    )
  }
  const { layers, units } = convolutions[kind]
  const h = layers.reduce<Tensor>(
    (h, [filters, kernel, stride], i) => relu(conv2d(h, filters, kernel, { name: `${prefix}c${i + 1}`, stride })),
    x,
  )
  return relu(dense(flatten(h), units, { name: `${prefix}fc` }))
}
