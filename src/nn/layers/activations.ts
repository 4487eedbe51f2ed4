import type { Tensor } from '../trace.ts'
import { kinds, requireKind } from '../../option-checks.ts'
import { nameLayer } from './options.ts'
import type { LayerOptions } from './options.ts'

/** max(x, 0) */
export function relu(x: Tensor, options: LayerOptions = {}): Tensor {
  const layer = nameLayer(x, 'relu', options)
  return x.builder.add('relu', [x], {}, layer)
}

/** min(max(x, 0), 6) */
export function relu6(x: Tensor, options: LayerOptions = {}): Tensor {
  const layer = nameLayer(x, 'relu6', options)
  return x.builder.add('clip', [x], { min: 0, max: 6 }, layer)
}

/** x where x > 0, else slope·x (default slope 0.01). */
export function leakyRelu(x: Tensor, slope = 0.01, options: LayerOptions = {}): Tensor {
  const layer = nameLayer(x, 'leakyRelu', options)
  requireKind(layer, 'slope', kinds.number, slope)
  return x.builder.add('leakyRelu', [x], { slope }, layer)
}

/** x·Φ(x), with the exact normal distribution function. @see Hendrycks, Gimpel, Gaussian error linear units (GELUs), 2016 */
export function gelu(x: Tensor, options: LayerOptions = {}): Tensor {
  const layer = nameLayer(x, 'gelu', options)
  return x.builder.add('gelu', [x], {}, layer)
}

/** x·σ(x) */
export function silu(x: Tensor, options: LayerOptions = {}): Tensor {
  const layer = nameLayer(x, 'silu', options)
  return x.builder.add('silu', [x], {}, layer)
}

/** tanh x */
export function tanh(x: Tensor, options: LayerOptions = {}): Tensor {
  const layer = nameLayer(x, 'tanh', options)
  return x.builder.add('tanh', [x], {}, layer)
}

/** 1 / (1 + e^−x) */
export function sigmoid(x: Tensor, options: LayerOptions = {}): Tensor {
  const layer = nameLayer(x, 'sigmoid', options)
  return x.builder.add('sigmoid', [x], {}, layer)
}

/** e^x, divided by its sum over the last dim. */
export function softmax(x: Tensor, options: LayerOptions = {}): Tensor {
  const layer = nameLayer(x, 'softmax', options)
  return x.builder.add('softmax', [x], {}, layer)
}
