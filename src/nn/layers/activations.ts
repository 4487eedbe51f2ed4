import { traceOf } from '../trace.ts'
import type { Tensor } from '../trace.ts'
import type { LayerOptions } from './options.ts'

/** max(x, 0) */
export function relu(x: Tensor, options: LayerOptions = {}): Tensor {
  return x.builder.add('relu', [x], {}, traceOf(x).layer('relu', options.name))
}

/** tanh x */
export function tanh(x: Tensor, options: LayerOptions = {}): Tensor {
  return x.builder.add('tanh', [x], {}, traceOf(x).layer('tanh', options.name))
}

/** 1 / (1 + e^−x) */
export function sigmoid(x: Tensor, options: LayerOptions = {}): Tensor {
  return x.builder.add('sigmoid', [x], {}, traceOf(x).layer('sigmoid', options.name))
}
