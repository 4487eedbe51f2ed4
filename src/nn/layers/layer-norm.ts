import { kinds } from '../../option-checks.ts'
import { init as initializers } from '../parameter.ts'
import { traceOf } from '../trace.ts'
import type { Tensor } from '../trace.ts'
import { nameLayer } from './options.ts'
import type { LayerOptions } from './options.ts'

/** Options of {@link layerNorm}. */
export interface LayerNormOptions extends LayerOptions {
  /** Added to the variance (default 1e-5). */
  readonly epsilon?: number
}

/**
 * Every row of the last dim with mean 0 and variance 1, then gain·x + bias.
 * @param x - `[batch, …, features]`
 * @returns The same shape. Parameters: `<name>.gain` (ones) and `<name>.bias` (zeros), `[features]`
 * @see Ba, Kiros, Hinton, Layer normalization, arXiv 1607.06450, 2016
 */
export function layerNorm(x: Tensor, options: LayerNormOptions = {}): Tensor {
  const layer = nameLayer(x, 'layerNorm', options, { epsilon: kinds.positive })
  const trace = traceOf(x)
  const shape = [x.shape.at(-1) as number]
  const gain = trace.parameter({ name: `${layer}.gain`, shape, init: initializers.constant(1), decay: false })
  const bias = trace.parameter({ name: `${layer}.bias`, shape, init: initializers.zeros(), decay: false })
  return x.builder.add('layerNorm', [x, gain, bias], { epsilon: options.epsilon ?? 1e-5 }, layer)
}
