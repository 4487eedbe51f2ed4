import { ShapeError } from '../../errors.ts'
import { formatShape, perSample, timesBatch } from '../../graph/graph.ts'
import { kinds } from '../../option-checks.ts'
import { init as initializers } from '../parameter.ts'
import type { Initializer } from '../parameter.ts'
import { traceOf } from '../trace.ts'
import type { Tensor } from '../trace.ts'
import { nameLayer, weightedOptions, requirePositive } from './options.ts'
import type { WeightedLayerOptions } from './options.ts'

/** Options of {@link dense}. */
export interface DenseOptions extends WeightedLayerOptions {
  /** First values of the bias (default 0). */
  readonly biasInit?: Initializer
  /** A weight declared elsewhere, `[units, features]`: see `nn.parameter`. */
  readonly weight?: Tensor
}

/**
 * x·Wᵀ + b.
 * @param x - `[batch, features]`, or a sequence `[batch, steps, features]`, every position of which is a row
 * @param units - Number of outputs
 * @returns `[batch, units]` or `[batch, steps, units]`. Parameters: `<name>.weight` `[units, features]`, `<name>.bias` `[units]`
 * @throws {ShapeError} SHAPE unless x is a matrix or a sequence
 */
export function dense(x: Tensor, units: number, options: DenseOptions = {}): Tensor {
  const { init = initializers.heNormal(), biasInit = initializers.zeros(), bias = true } = options
  const layer = nameLayer(x, 'dense', options, { ...weightedOptions, biasInit: kinds.object, weight: kinds.object })
  const trace = traceOf(x)
  requirePositive(layer, 'units', units)
  const features = x.shape.at(-1)
  const [batch, steps] = x.shape
  const isSequence = x.shape.length === 3 && batch !== undefined && typeof steps === 'number'
  if ((x.shape.length !== 2 && !isSequence) || typeof features !== 'number') {
    throw new ShapeError(
      `${layer}: dense takes rows of features — expected [batch, features], got ${formatShape(x.shape)} (use nn.flatten)`,
    )
  }
  const rows = isSequence ? x.builder.add('reshape', [x], { shape: [timesBatch(steps * perSample(batch)), features] }, layer) : x
  const weight = options.weight ?? trace.parameter({ name: `${layer}.weight`, shape: [units, features], init, decay: true })
  const inputs = [rows, weight]
  if (bias) inputs.push(trace.parameter({ name: `${layer}.bias`, shape: [units], init: biasInit, decay: false }))
  const product = x.builder.add('matmul', inputs, { transposeA: false, transposeB: true }, layer)
  return isSequence ? x.builder.add('reshape', [product], { shape: [batch, steps, units] }, layer) : product
}
