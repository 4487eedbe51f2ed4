import { ConfigError } from '../../errors.ts'
import type { Tensor } from '../trace.ts'
import { kinds, shown } from '../../option-checks.ts'
import { nameLayer } from './options.ts'
import type { LayerOptions } from './options.ts'

/**
 * In training, sets each element to 0 with probability `rate` and scales the others by 1/(1 − rate); in evaluation, does nothing.
 * The mask is an input `mask:<name>` of the training graph.
 * @throws {ConfigError} CONFIG unless 0 ≤ rate < 1
 * @see Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting, JMLR 15, 2014
 */
export function dropout(x: Tensor, rate: number, options: LayerOptions = {}): Tensor {
  const layer = nameLayer(x, 'dropout', options)
  if (!(kinds.notNegative.fits(rate) && rate < 1))
    throw new ConfigError(`${layer}: the dropout rate cannot be used — expected 0 ≤ rate < 1, got ${shown(rate)}`)
  return x.builder.add('dropout', [x], { rate }, layer)
}
