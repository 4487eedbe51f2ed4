import { batchNorm, conv2d, conv3d, relu, relu6 } from '../layers/index.ts'
import type { Conv2dOptions, Conv3dOptions, Size, Size3 } from '../layers/index.ts'
import type { Tensor } from '../trace.ts'

/** Options of {@link convNorm}. */
export interface ConvNormOptions extends Conv2dOptions {
  /** Name of the batch norm; that of the convolution is `name`. */
  readonly normName?: string
  /** Default ReLU. */
  readonly activation?: 'relu' | 'relu6' | 'none'
  /** Added to the variance (default 1e-5). */
  readonly epsilon?: number
  /** First value of the scale (default 1). */
  readonly gamma?: number
}

/** Convolution without bias, batch norm, activation. */
export function convNorm(x: Tensor, channels: number, kernel: Size, options: ConvNormOptions = {}): Tensor {
  const { normName, activation = 'relu', epsilon, gamma, ...conv } = options
  const norm = {
    ...(normName === undefined ? {} : { name: normName }),
    ...(epsilon === undefined ? {} : { epsilon }),
    ...(gamma === undefined ? {} : { gamma }),
  }
  const value = batchNorm(conv2d(x, channels, kernel, { ...conv, bias: false }), norm)
  if (activation === 'none') return value
  return activation === 'relu' ? relu(value) : relu6(value)
}

/** The same over volumes; always with ReLU. */
export function convNorm3d(x: Tensor, channels: number, kernel: Size3, name: string, options: Conv3dOptions = {}): Tensor {
  return relu(batchNorm(conv3d(x, channels, kernel, { ...options, name: `${name}.conv`, bias: false }), { name: `${name}.norm` }))
}
