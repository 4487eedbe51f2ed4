import { ConfigError } from '../../errors.ts'
import { traceOf } from '../trace.ts'
import type { Tensor } from '../trace.ts'
import type { LayerOptions } from './options.ts'

/**
 * In training, sets each element to 0 with probability `rate` and scales the others by 1/(1 − rate); in evaluation, does nothing.
 * The mask is an input `mask:<name>` of the training graph.
 * @throws {ConfigError} CONFIG unless 0 ≤ rate < 1
 * @see Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting, JMLR 15, 2014
 */
export function dropout(x: Tensor, rate: number, options: LayerOptions = {}): Tensor {
  const layer = traceOf(x).layer('dropout', options.name)
  if (!(rate >= 0 && rate < 1)) throw new ConfigError(`${layer}: the dropout rate cannot be used — expected 0 ≤ rate < 1, got ${rate}`)
  return x.builder.add('dropout', [x], { rate }, layer)
}
