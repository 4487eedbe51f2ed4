import { conv3d, dense, flatten, maxPool, relu } from '../layers/index.ts'
import { model } from '../model.ts'
import type { Model } from '../model.ts'

/** Options of {@link cnn3d}. */
export interface Cnn3dOptions {
  /** Depth, height and width of the volumes (default 32). */
  readonly size?: number
  /** Channels of the convolutions, each followed by a pool that halves (default 8, 16, 32, 64). */
  readonly widths?: readonly number[]
  /** Units of the hidden dense layers (default 128, 32). */
  readonly hidden?: readonly number[]
  /** Default 1: one number is predicted. */
  readonly outputs?: number
}

/**
 * Convolutional network for volumes `[1, 32, 32, 32]`: 3 × 3 × 3 convolutions with ReLU and maximum pools, then dense layers; 142,737
 * parameters. Networks of this kind predict cosmological parameters from distributions of matter.
 * @see Ravanbakhsh et al., Estimating cosmological parameters from the dark matter distribution, ICML 2016
 * @see Mathuriya et al., CosmoFlow: using deep learning to learn the universe at scale, SC 2018
 */
export function cnn3d(options: Cnn3dOptions = {}): Model<{ readonly volume: readonly [number, number, number, number] }> {
  const { size = 32, widths = [8, 16, 32, 64], hidden = [128, 32], outputs = 1 } = options
  return model('cnn-3d', { volume: [1, size, size, size] }, ({ volume }) => {
    const pooled = widths.reduce((h, width, k) => maxPool(relu(conv3d(h, width, 3, { name: `c${k + 1}`, padding: 1 })), 2), volume)
    const h = hidden.reduce((x, units, k) => relu(dense(x, units, { name: `d${k + 1}` })), flatten(pooled))
    return dense(h, outputs, { name: 'out' })
  })
}
