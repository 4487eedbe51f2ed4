import { traceOf } from '../trace.ts'
import type { Tensor } from '../trace.ts'
import type { LayerOptions } from './options.ts'

/** Sum of two tensors, with broadcasting. */
export function add(a: Tensor, b: Tensor, options: LayerOptions = {}): Tensor {
  return a.builder.add('add', [a, b], {}, traceOf(a).layer('add', options.name))
}

/** Difference of two tensors, with broadcasting. */
export function sub(a: Tensor, b: Tensor, options: LayerOptions = {}): Tensor {
  return a.builder.add('sub', [a, b], {}, traceOf(a).layer('sub', options.name))
}

/** Product of two tensors, element by element, with broadcasting. */
export function mul(a: Tensor, b: Tensor, options: LayerOptions = {}): Tensor {
  return a.builder.add('mul', [a, b], {}, traceOf(a).layer('mul', options.name))
}

/** factor · x */
export function scale(x: Tensor, factor: number, options: LayerOptions = {}): Tensor {
  return x.builder.add('scale', [x], { factor }, traceOf(x).layer('scale', options.name))
}

/** Mean over `dims`, which disappear: `mean(x, [1])` of `[batch, steps, features]` is `[batch, features]`. The batch is none of them. */
export function mean(x: Tensor, dims: readonly number[], options: LayerOptions = {}): Tensor {
  return x.builder.add('reduceMean', [x], { dims }, traceOf(x).layer('mean', options.name))
}

/** Largest element over `dims`, which disappear; the batch is none of them. */
export function max(x: Tensor, dims: readonly number[], options: LayerOptions = {}): Tensor {
  return x.builder.add('reduceMax', [x], { dims }, traceOf(x).layer('max', options.name))
}
