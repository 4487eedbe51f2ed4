import { ShapeError } from '../../errors.ts'
import { formatShape } from '../../graph/graph.ts'
import { init as initializers } from '../parameter.ts'
import { traceOf } from '../trace.ts'
import type { Tensor } from '../trace.ts'
import { nameLayer, weightedOptions, extents, requirePositive } from './options.ts'
import type { Size, Size3, WeightedLayerOptions } from './options.ts'

/** Options of {@link conv2d}; {@link conv3d} takes three numbers where this takes two. */
export interface Conv2dOptions<S = Size> extends WeightedLayerOptions {
  /** Rows and columns of zeros around the image (default 0). */
  readonly padding?: S
  /** Distance between positions (default 1). */
  readonly stride?: S
  /** Distance between the taps of a filter (default 1). */
  readonly dilation?: S
  /** Groups of channels, each with filters of its own (default 1); as many as channels: a depthwise convolution. */
  readonly groups?: number
}

/** Options of {@link conv3d}. */
export type Conv3dOptions = Conv2dOptions<Size3>

/**
 * Two-dimensional convolution (cross-correlation).
 * @param x - `[batch, in, height, width]`
 * @param channels - Number of filters
 * @param kernel - Height and width of the filters
 * @returns `[batch, channels, height', width']`, height' = ⌊(height + 2·padding − (kernel − 1)·dilation − 1) / stride⌋ + 1. Parameters:
 *   `<name>.weight` `[channels, in / groups, kh, kw]`, `<name>.bias` `[channels]`
 * @throws {ShapeError} SHAPE unless x is an image at least as large as the kernel, with channels that the groups divide
 */
export function conv2d(x: Tensor, channels: number, kernel: Size, options: Conv2dOptions = {}): Tensor {
  return conv(x, 'conv2d', 2, channels, kernel, options)
}

/**
 * Three-dimensional convolution (cross-correlation).
 * @param x - `[batch, in, depth, height, width]`
 * @param channels - Number of filters
 * @param kernel - Depth, height and width of the filters
 * @returns `[batch, channels, depth', height', width']`. Parameters: `<name>.weight` `[channels, in / groups, kd, kh, kw]`, `<name>.bias`
 * @throws {ShapeError} SHAPE unless x is a volume at least as large as the kernel, with channels that the groups divide
 */
export function conv3d(x: Tensor, channels: number, kernel: Size3, options: Conv3dOptions = {}): Tensor {
  return conv(x, 'conv3d', 3, channels, kernel, options)
}

function conv(
  x: Tensor,
  kind: 'conv2d' | 'conv3d',
  rank: 2 | 3,
  channels: number,
  kernel: Size | Size3,
  options: Conv2dOptions<Size | Size3>,
): Tensor {
  const { init = initializers.heNormal(), bias = true, padding = 0, stride = 1, dilation = 1, groups = 1 } = options
  const layer = nameLayer(x, kind, options, { ...weightedOptions, padding: true, stride: true, dilation: true, groups: true })
  const trace = traceOf(x)
  requirePositive(layer, 'channels', channels)
  requirePositive(layer, 'groups', groups)
  const inChannels = channelsOf(x, layer, kind, rank)
  if (inChannels % groups !== 0 || channels % groups !== 0) {
    throw new ShapeError(
      `${layer}: the groups do not divide the channels — expected a divisor of ${inChannels} in and ${channels} out, got ${groups}`,
    )
  }
  const shape = [channels, inChannels / groups, ...extents(layer, 'kernel', kernel, rank, 1)]
  const inputs = [x, trace.parameter({ name: `${layer}.weight`, shape, init, decay: true })]
  if (bias) inputs.push(trace.parameter({ name: `${layer}.bias`, shape: [channels], init: initializers.zeros(), decay: false }))
  const attrs = {
    stride: extents(layer, 'stride', stride, rank, 1),
    padding: extents(layer, 'padding', padding, rank, 0),
    dilation: extents(layer, 'dilation', dilation, rank, 1),
    groups,
  }
  return x.builder.add('conv', inputs, attrs, layer)
}

/** The number of channels of an image. @throws {ShapeError} SHAPE unless x has as many spatial dims */
export function channelsOf(x: Tensor, layer: string, kind: string, spatial: 2 | 3): number {
  const channels = x.shape[1]
  if (x.shape.length === spatial + 2 && typeof channels === 'number') return channels
  const [what, expected] =
    spatial === 3 ? ['volumes', '[batch, channels, depth, height, width]'] : ['images', '[batch, channels, height, width]']
  throw new ShapeError(`${layer}: ${kind} takes ${what} — expected ${expected}, got ${formatShape(x.shape)}`)
}
