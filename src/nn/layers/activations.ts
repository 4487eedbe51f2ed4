import { traceOf } from '../trace.ts'
import type { Tensor } from '../trace.ts'
import type { LayerOptions } from './options.ts'

/** max(x, 0) */
export function relu(x: Tensor, options: LayerOptions = {}): Tensor {
  return x.builder.add('relu', [x], {}, traceOf(x).layer('relu', options.name))
}

/** min(max(x, 0), 6) */
export function relu6(x: Tensor, options: LayerOptions = {}): Tensor {
  return x.builder.add('clip', [x], { min: 0, max: 6 }, traceOf(x).layer('relu6', options.name))
}

/** x where x > 0, else slope·x (default slope 0.01). */
export function leakyRelu(x: Tensor, slope = 0.01, options: LayerOptions = {}): Tensor {
  return x.builder.add('leakyRelu', [x], { slope }, traceOf(x).layer('leakyRelu', options.name))
}

/** x·Φ(x), with the exact normal distribution function. @see Hendrycks, Gimpel, Gaussian error linear units (GELUs), 2016 */
export function gelu(x: Tensor, options: LayerOptions = {}): Tensor {
  return x.builder.add('gelu', [x], {}, traceOf(x).layer('gelu', options.name))
}

/** x·σ(x) */
export function silu(x: Tensor, options: LayerOptions = {}): Tensor {
  return x.builder.add('silu', [x], {}, traceOf(x).layer('silu', options.name))
}

/** tanh x */
export function tanh(x: Tensor, options: LayerOptions = {}): Tensor {
  return x.builder.add('tanh', [x], {}, traceOf(x).layer('tanh', options.name))
}

/** 1 / (1 + e^−x) */
export function sigmoid(x: Tensor, options: LayerOptions = {}): Tensor {
  return x.builder.add('sigmoid', [x], {}, traceOf(x).layer('sigmoid', options.name))
}

/** e^x, divided by its sum over the last dim. */
export function softmax(x: Tensor, options: LayerOptions = {}): Tensor {
  return x.builder.add('softmax', [x], {}, traceOf(x).layer('softmax', options.name))
}
