import type { Tensor } from '../trace.ts'
import { kinds, requireKind } from '../../option-checks.ts'
import { nameLayer, requireIntegers } from './options.ts'
import type { LayerOptions } from './options.ts'

/** Sum of two tensors, with broadcasting. */
export function add(a: Tensor, b: Tensor, options: LayerOptions = {}): Tensor {
  const layer = nameLayer(a, 'add', options)
  return a.builder.add('add', [a, b], {}, layer)
}

/** Difference of two tensors, with broadcasting. */
export function sub(a: Tensor, b: Tensor, options: LayerOptions = {}): Tensor {
  const layer = nameLayer(a, 'sub', options)
  return a.builder.add('sub', [a, b], {}, layer)
}

/** Product of two tensors, element by element, with broadcasting. */
export function mul(a: Tensor, b: Tensor, options: LayerOptions = {}): Tensor {
  const layer = nameLayer(a, 'mul', options)
  return a.builder.add('mul', [a, b], {}, layer)
}

/** factor · x */
export function scale(x: Tensor, factor: number, options: LayerOptions = {}): Tensor {
  const layer = nameLayer(x, 'scale', options)
  requireKind(layer, 'factor', kinds.number, factor)
  return x.builder.add('scale', [x], { factor }, layer)
}

/** Mean over `dims`, which disappear: `mean(x, [1])` of `[batch, steps, features]` is `[batch, features]`. The batch is none of them. */
export function mean(x: Tensor, dims: readonly number[], options: LayerOptions = {}): Tensor {
  const layer = nameLayer(x, 'mean', options)
  requireIntegers(layer, 'dims', dims)
  return x.builder.add('reduceMean', [x], { dims }, layer)
}

/** Largest element over `dims`, which disappear; the batch is none of them. */
export function max(x: Tensor, dims: readonly number[], options: LayerOptions = {}): Tensor {
  const layer = nameLayer(x, 'max', options)
  requireIntegers(layer, 'dims', dims)
  return x.builder.add('reduceMax', [x], { dims }, layer)
}
