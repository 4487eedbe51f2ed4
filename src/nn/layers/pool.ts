import { ConfigError } from '../../errors.ts'
import { traceOf } from '../trace.ts'
import type { Tensor } from '../trace.ts'
import { pair } from './options.ts'
import type { LayerOptions, Size } from './options.ts'

/** Options of the pools. */
export interface PoolOptions extends LayerOptions {
  /** Distance between windows (default the window's size). */
  readonly stride?: Size
  /** Rows and columns around the image (default 0). */
  readonly padding?: Size
}

/** Mean over windows of `kernel`; padding counts as zeros. `[batch, c, h, w]` → `[batch, c, h', w']`. */
export function avgPool(x: Tensor, kernel: Size, options: PoolOptions = {}): Tensor {
  return pool(x, 'avgPool', kernel, options)
}

/** Maximum over windows of `kernel`; the first of equal pixels gets the gradient. `[batch, c, h, w]` → `[batch, c, h', w']`. */
export function maxPool(x: Tensor, kernel: Size, options: PoolOptions = {}): Tensor {
  return pool(x, 'maxPool', kernel, options)
}

function pool(x: Tensor, op: 'avgPool' | 'maxPool', kernel: Size, options: PoolOptions): Tensor {
  const layer = traceOf(x).layer(op, options.name)
  const { stride = kernel, padding = 0 } = options
  const window = pair(layer, 'kernel', kernel, 1)
  const attrs = { kernel: window, stride: pair(layer, 'stride', stride, 1), padding: pair(layer, 'padding', padding, 0) }
  if (attrs.padding.some((extent, d) => extent * 2 > (window[d] as number))) {
    throw new ConfigError(
      `${layer}: the padding is too large — expected at most half of the window [${window.join(', ')}], got [${attrs.padding.join(', ')}]`,
    )
  }
  return x.builder.add(op, [x], attrs, layer)
}
