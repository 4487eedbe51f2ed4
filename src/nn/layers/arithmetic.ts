import { traceOf } from '../trace.ts'
import type { Tensor } from '../trace.ts'
import type { LayerOptions } from './options.ts'

/** Sum of two tensors, with broadcasting. */
export function add(a: Tensor, b: Tensor, options: LayerOptions = {}): Tensor {
  return a.builder.add('add', [a, b], {}, traceOf(a).layer('add', options.name))
}
