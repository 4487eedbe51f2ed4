import { ConfigError, ShapeError } from '../../errors.ts'
import { formatShape } from '../../graph/graph.ts'
import type { Tensor } from '../trace.ts'
import { nameLayer, extents } from './options.ts'
import type { LayerOptions, Size, Size3 } from './options.ts'

/** Options of the pools. */
export interface PoolOptions extends LayerOptions {
  /** Distance between windows (default the window's size). */
  readonly stride?: Size | Size3
  /** Pixels around the image (default 0). */
  readonly padding?: Size | Size3
}

/** Mean over windows of `kernel`; padding counts as zeros. `[batch, c, h, w]` → `[batch, c, h', w']`, or with three spatial dims. */
export function avgPool(x: Tensor, kernel: Size | Size3, options: PoolOptions = {}): Tensor {
  return pool(x, 'avgPool', kernel, options)
}

/**
 * Maximum over windows of `kernel`; the first of equal pixels gets the gradient. `[batch, c, h, w]` → `[batch, c, h', w']`, or with three
 * spatial dims.
 */
export function maxPool(x: Tensor, kernel: Size | Size3, options: PoolOptions = {}): Tensor {
  return pool(x, 'maxPool', kernel, options)
}

function pool(x: Tensor, op: 'avgPool' | 'maxPool', kernel: Size | Size3, options: PoolOptions): Tensor {
  const layer = nameLayer(x, op, options, { stride: true, padding: true })
  const rank = spatialRank(x, layer, op)
  const { stride = kernel, padding = 0 } = options
  const window = extents(layer, 'kernel', kernel, rank, 1)
  const attrs = {
    kernel: window,
    stride: extents(layer, 'stride', stride, rank, 1),
    padding: extents(layer, 'padding', padding, rank, 0),
  }
  if (attrs.padding.some((extent, d) => extent * 2 > (window[d] as number))) {
    throw new ConfigError(
      `${layer}: the padding is too large — expected at most half of the window [${window.join(', ')}], got [${attrs.padding.join(', ')}]`,
    )
  }
  return x.builder.add(op, [x], attrs, layer)
}

/** Mean of every channel over all pixels: `[batch, c, …]` → `[batch, c]`. */
export function globalAvgPool(x: Tensor, options: LayerOptions = {}): Tensor {
  const layer = nameLayer(x, 'globalAvgPool', options)
  const dims = Array.from({ length: spatialRank(x, layer, 'globalAvgPool') }, (_, d) => 2 + d)
  return x.builder.add('reduceMean', [x], { dims }, layer)
}

/** Every pixel `factor` times along each side (nearest neighbour): `[batch, c, h, w]` → `[batch, c, factor·h, factor·w]`, or with three dims. */
export function upsample(x: Tensor, factor: Size | Size3 = 2, options: LayerOptions = {}): Tensor {
  const layer = nameLayer(x, 'upsample', options)
  return x.builder.add('upsample', [x], { factor: extents(layer, 'factor', factor, spatialRank(x, layer, 'upsample'), 1) }, layer)
}

/** @throws {ShapeError} SHAPE unless x has two or three spatial dims */
function spatialRank(x: Tensor, layer: string, kind: string): 2 | 3 {
  const rank = x.shape.length - 2
  if (rank === 2 || rank === 3) return rank
  throw new ShapeError(
    `${layer}: ${kind} takes images or volumes — expected [batch, channels, height, width] or one dim more, got ${formatShape(x.shape)}`,
  )
}
