import { ShapeError } from '../../errors.ts'
import { formatShape } from '../../graph/graph.ts'
import { init as initializers } from '../parameter.ts'
import { traceOf } from '../trace.ts'
import type { Tensor } from '../trace.ts'
import { requirePositive } from './options.ts'
import type { WeightedLayerOptions } from './options.ts'

/**
 * x·Wᵀ + b.
 * @param x - `[batch, features]`
 * @param units - Number of outputs
 * @returns `[batch, units]`. Parameters: `<name>.weight` `[units, features]`, `<name>.bias` `[units]`
 * @throws {ShapeError} SHAPE unless x is a matrix
 */
export function dense(x: Tensor, units: number, options: WeightedLayerOptions = {}): Tensor {
  const { init = initializers.heNormal(), bias = true } = options
  const trace = traceOf(x)
  const layer = trace.layer('dense', options.name)
  requirePositive(layer, 'units', units)
  const features = x.shape[1]
  if (x.shape.length !== 2 || typeof features !== 'number') {
    throw new ShapeError(
      `${layer}: dense takes rows of features — expected [batch, features], got ${formatShape(x.shape)} (use nn.flatten)`,
    )
  }
  const inputs = [x, trace.parameter({ name: `${layer}.weight`, shape: [units, features], init, decay: true })]
  if (bias) inputs.push(trace.parameter({ name: `${layer}.bias`, shape: [units], init: initializers.zeros(), decay: false }))
  return x.builder.add('matmul', inputs, { transposeA: false, transposeB: true }, layer)
}
