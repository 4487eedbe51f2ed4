import { ConfigError } from '../../errors.ts'
import { requireNumber } from '../../graph/ops/require-shape.ts'
import { init as initializers } from '../parameter.ts'
import { traceOf } from '../trace.ts'
import type { Tensor } from '../trace.ts'
import { channelsOf } from './conv.ts'
import { nameLayer, weightedOptions, extents, requirePositive } from './options.ts'
import type { Size, WeightedLayerOptions } from './options.ts'

/** Options of {@link convTranspose2d}. */
export interface ConvTranspose2dOptions extends WeightedLayerOptions {
  /** Rows and columns that are cut off around the result (default 0). */
  readonly padding?: Size
  /** How many times the result is larger (default 1). */
  readonly stride?: Size
  /** Rows and columns more at the end of the result, less than the stride (default 0). */
  readonly outputPadding?: Size
}

/**
 * Transposed convolution ("deconvolution"): every pixel of x adds the filter, scaled by it, to the result. With kernel 2 and stride 2 it
 * doubles height and width.
 * @param x - `[batch, in, height, width]`
 * @param channels - Channels of the result
 * @param kernel - Height and width of the filters
 * @returns `[batch, channels, height', width']`, height' = (height − 1)·stride − 2·padding + kernel + outputPadding. Parameters:
 *   `<name>.weight` `[in, channels, kh, kw]`, `<name>.bias` `[channels]`
 * @throws {ShapeError} SHAPE unless x is an image
 * @see Zeiler, Krishnan, Taylor, Fergus, Deconvolutional networks, CVPR 2010
 */
export function convTranspose2d(x: Tensor, channels: number, kernel: Size, options: ConvTranspose2dOptions = {}): Tensor {
  const { init = initializers.heNormal(), bias = true, padding = 0, stride = 1, outputPadding = 0 } = options
  const layer = nameLayer(x, 'convTranspose2d', options, { ...weightedOptions, padding: true, stride: true, outputPadding: true })
  const trace = traceOf(x)
  requirePositive(layer, 'channels', channels)
  const window = extents(layer, 'kernel', kernel, 2, 1)
  const rest = extents(layer, 'outputPadding', outputPadding, 2, 0)
  const attrs = {
    stride: extents(layer, 'stride', stride, 2, 1),
    padding: extents(layer, 'padding', padding, 2, 0),
    dilation: [1, 1],
    groups: 1,
  }
  if (rest.some((extent, d) => extent >= (attrs.stride[d] as number))) {
    throw new ConfigError(
      `${layer}: the output padding is too large — expected less than the stride [${attrs.stride.join(', ')}], got [${rest.join(', ')}]`,
    )
  }
  const shape = [channelsOf(x, layer, 'convTranspose2d', 2), channels, ...window]
  const weight = trace.parameter({ name: `${layer}.weight`, shape, init, decay: true })
  const size = window.map((extent, d) => {
    const positions = requireNumber(x.shape[2 + d], layer, 'the size')
    return (positions - 1) * (attrs.stride[d] as number) - 2 * (attrs.padding[d] as number) + extent + (rest[d] as number)
  })
  const value = x.builder.add('convInputGradient', [weight, x], { ...attrs, size }, layer)
  if (!bias) return value
  const shift = trace.parameter({ name: `${layer}.bias`, shape: [channels], init: initializers.zeros(), decay: false })
  const ofChannel = x.builder.add('reshape', [shift], { shape: [channels, 1, 1] }, layer)
  return x.builder.add('add', [value, ofChannel], {}, layer)
}
