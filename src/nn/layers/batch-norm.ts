import { ConfigError, ShapeError } from '../../errors.ts'
import { formatShape } from '../../graph/graph.ts'
import { kinds } from '../../option-checks.ts'
import { init } from '../parameter.ts'
import type { ParameterSpec } from '../parameter.ts'
import { traceOf } from '../trace.ts'
import type { Tensor } from '../trace.ts'
import { nameLayer } from './options.ts'
import type { LayerOptions } from './options.ts'

/** Options of {@link batchNorm}. */
export interface BatchNormOptions extends LayerOptions {
  /** Added to the variance (default 1e-5). */
  readonly epsilon?: number
  /** Share of a batch in the running statistics (default 0.1). */
  readonly momentum?: number
  /** First value of the scale γ (default 1); 0 in the last one of a residual branch makes the block start as the identity. */
  readonly gamma?: number
}

/**
 * Normalises every channel to mean β and deviation γ over the batch and all pixels. In training with the statistics of the batch (of the rows
 * of this rank and micro-batch), while running statistics follow them (the variance divided by n − 1); in evaluation with the running ones.
 * @param x - `[batch, channels, …]`
 * @returns The shape of x. Parameters: `<name>.weight` (γ) and `<name>.bias` (β), which do not decay; `<name>.running_mean` and
 *   `<name>.running_var`, which the optimiser leaves alone. All `[channels]`
 * @throws {ShapeError} SHAPE unless x has channels
 * @see Ioffe, Szegedy, Batch normalization: accelerating deep network training by reducing internal covariate shift, ICML 2015
 */
export function batchNorm(x: Tensor, options: BatchNormOptions = {}): Tensor {
  const { epsilon = 1e-5, momentum = 0.1, gamma = 1 } = options
  const layer = nameLayer(x, 'batchNorm', options, { epsilon: true, momentum: true, gamma: kinds.number })
  const trace = traceOf(x)
  const channels = x.shape[1]
  if (x.shape.length < 2 || typeof channels !== 'number') {
    throw new ShapeError(`${layer}: batchNorm takes channels — expected [batch, channels, …], got ${formatShape(x.shape)}`)
  }
  if (!(epsilon > 0 && momentum >= 0 && momentum <= 1)) {
    throw new ConfigError(
      `${layer}: the options cannot be used — expected epsilon > 0 and 0 ≤ momentum ≤ 1, got epsilon ${epsilon}, momentum ${momentum}`,
    )
  }
  const parameter = (role: string, value: number, update: NonNullable<ParameterSpec['update']>): Tensor =>
    trace.parameter({
      name: `${layer}.${role}`,
      shape: [channels],
      init: init.constant(value),
      decay: false,
      ...(update === 'optimizer' ? {} : { update }),
    })
  const inputs = [
    x,
    parameter('weight', gamma, 'optimizer'),
    parameter('bias', 0, 'optimizer'),
    parameter('running_mean', 0, 'statistic'),
    parameter('running_var', 1, 'statistic'),
  ]
  return x.builder.add('batchNorm', inputs, { epsilon, momentum }, layer)
}
