import { ShapeError } from '../../errors.ts'
import { elementCount, formatShape } from '../../graph/graph.ts'
import type { Dim } from '../../graph/graph.ts'
import { kinds } from '../../option-checks.ts'
import { init } from '../parameter.ts'
import { requireTensor, traceOf } from '../trace.ts'
import type { Tensor } from '../trace.ts'
import { nameLayer, requirePositive } from './options.ts'
import type { LayerOptions } from './options.ts'

/** Options of {@link groupNorm} and {@link instanceNorm}. */
export interface GroupNormOptions extends LayerOptions {
  /** Added to the variance (default 1e-5). */
  readonly epsilon?: number
  /** Whether channels are scaled and shifted afterwards (default true for groups, false for instances). */
  readonly affine?: boolean
}

/**
 * Normalises every sample over each of `groups` groups of channels and all pixels: like batch norm, but the same in training and evaluation
 * and for any batch size.
 * @param x - `[batch, channels, …]`
 * @returns The shape of x. Parameters: `<name>.weight` and `<name>.bias`, `[channels]`, which do not decay
 * @throws {ShapeError} SHAPE unless the groups divide the channels
 * @see Wu, He, Group normalization, ECCV 2018
 */
export function groupNorm(x: Tensor, groups: number, options: GroupNormOptions = {}): Tensor {
  return normalise(x, 'groupNorm', groups, options, true)
}

/**
 * Normalises every channel of every sample over its pixels: group norm with one channel a group.
 * @param x - `[batch, channels, …]`
 * @returns The shape of x. Parameters, if affine: `<name>.weight` and `<name>.bias`, `[channels]`
 * @see Ulyanov, Vedaldi, Lempitsky, Instance normalization: the missing ingredient for fast stylization, arXiv 1607.08022, 2016
 */
export function instanceNorm(x: Tensor, options: GroupNormOptions = {}): Tensor {
  requireTensor('instanceNorm', x)
  return normalise(x, 'instanceNorm', Number(x.shape[1]), options, false)
}

function normalise(x: Tensor, kind: string, groups: number, options: GroupNormOptions, isAffine: boolean): Tensor {
  const layer = nameLayer(x, kind, options, { epsilon: kinds.positive, affine: kinds.flag })
  const { epsilon = 1e-5, affine = isAffine } = options
  const { builder, shape } = x
  const trace = traceOf(x)
  const [batch, channels, ...size] = shape as [Dim, number, ...number[]]
  requirePositive(layer, 'groups', groups)
  if (shape.length < 3 || channels % groups !== 0) {
    throw new ShapeError(
      `${layer}: ${kind} takes images whose channels the groups divide — expected [batch, channels, …] and a divisor of the channels, got ${formatShape(shape)} and ${groups}`,
    )
  }
  const width = (channels / groups) * elementCount(size)
  const filled = (value: number): Tensor => builder.add('fill', [], { value, shape: [width] }, layer)
  const rows = builder.add('reshape', [x], { shape: [batch, groups, width] }, layer)
  const normalised = builder.add('layerNorm', [rows, filled(1), filled(0)], { epsilon }, layer)
  const value = builder.add('reshape', [normalised], { shape }, layer)
  if (!affine) return value
  const parameter = (role: string, first: number): Tensor => {
    const declared = trace.parameter({ name: `${layer}.${role}`, shape: [channels], init: init.constant(first), decay: false })
    return builder.add('reshape', [declared], { shape: [channels, ...size.map(() => 1)] }, layer)
  }
  const scaled = builder.add('mul', [value, parameter('weight', 1)], {}, layer)
  return builder.add('add', [scaled, parameter('bias', 0)], {}, layer)
}
