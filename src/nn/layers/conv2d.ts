import { ShapeError } from '../../errors.ts'
import { formatShape } from '../../graph/graph.ts'
import { init as initializers } from '../parameter.ts'
import { traceOf } from '../trace.ts'
import type { Tensor } from '../trace.ts'
import { pair, requirePositive } from './options.ts'
import type { Size, WeightedLayerOptions } from './options.ts'

/** Options of {@link conv2d}. */
export interface Conv2dOptions extends WeightedLayerOptions {
  /** Rows and columns of zeros around the image (default 0). */
  readonly padding?: Size
  /** Distance between positions (default 1). */
  readonly stride?: Size
}

/**
 * Two-dimensional convolution (cross-correlation).
 * @param x - `[batch, in, height, width]`
 * @param channels - Number of filters
 * @param kernel - Height and width of the filters
 * @returns `[batch, channels, height', width']`, height' = ⌊(height + 2·padding − kernel) / stride⌋ + 1. Parameters: `<name>.weight`
 *   `[channels, in, kh, kw]`, `<name>.bias` `[channels]`
 * @throws {ShapeError} SHAPE unless x is an image at least as large as the kernel
 */
export function conv2d(x: Tensor, channels: number, kernel: Size, options: Conv2dOptions = {}): Tensor {
  const { init = initializers.heNormal(), bias = true, padding = 0, stride = 1 } = options
  const trace = traceOf(x)
  const layer = trace.layer('conv2d', options.name)
  requirePositive(layer, 'channels', channels)
  const inChannels = x.shape[1]
  if (x.shape.length !== 4 || typeof inChannels !== 'number') {
    throw new ShapeError(`${layer}: conv2d takes images — expected [batch, channels, height, width], got ${formatShape(x.shape)}`)
  }
  const shape = [channels, inChannels, ...pair(layer, 'kernel', kernel, 1)]
  const inputs = [x, trace.parameter({ name: `${layer}.weight`, shape, init, decay: true })]
  if (bias) inputs.push(trace.parameter({ name: `${layer}.bias`, shape: [channels], init: initializers.zeros(), decay: false }))
  return x.builder.add('conv2d', inputs, { stride: pair(layer, 'stride', stride, 1), padding: pair(layer, 'padding', padding, 0) }, layer)
}
