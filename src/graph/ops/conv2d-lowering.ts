import type { TensorType } from '../graph.ts'
import type { OpAttributes } from './attributes.ts'
import type { LowerContext } from './rule.ts'
import { onnxPads } from './window.ts'

/** Convolution as the standard operator. */
export function lowerConv2d({ emit, inputs, inputTypes, attrs }: LowerContext<OpAttributes['conv2d']>): string {
  const filter = inputTypes[1] as TensorType
  return emit('Conv', inputs, { kernel_shape: filter.shape.slice(2).map(Number), pads: onnxPads(attrs.padding), strides: attrs.stride })
}

/** dL/dx as a transposed convolution. */
export function lowerInputGradient({ emit, inputs, inputTypes, attrs }: LowerContext<OpAttributes['conv2dInputGradient']>): string {
  const [filter, upstream] = inputTypes as [TensorType, TensorType]
  const kernel = filter.shape.slice(2).map(Number)
  // Rows at the end that no window reached get no gradient: they are the output padding of the transposed convolution.
  const rest = attrs.size.map((size, d) => {
    const positions = Number(upstream.shape[2 + d])
    const reached = (positions - 1) * (attrs.stride[d] as number) + (kernel[d] as number) - 2 * (attrs.padding[d] as number)
    return size - reached
  })
  return emit('ConvTranspose', [inputs[1] as string, inputs[0] as string], {
    kernel_shape: kernel,
    pads: onnxPads(attrs.padding),
    strides: attrs.stride,
    output_padding: rest,
  })
}

/**
 * dL/dw as a convolution with batch and channels exchanged: x becomes `[in, batch, h, w]`, dL/dy becomes a filter
 * `[out, batch, h', w']` that is spread by the stride.
 */
export function lowerFilterGradient(context: LowerContext<OpAttributes['conv2dFilterGradient']>): string {
  const { emit, inputs, inputTypes, attrs, constant, shared } = context
  const [image, upstream] = inputs as [string, string]
  const [imageType, upstreamType] = inputTypes as [TensorType, TensorType]
  const exchange = (name: string): string => shared(`exchanged ${name}`, () => emit('Transpose', [name], { perm: [1, 0, 2, 3] }))
  const spread = upstreamType.shape.slice(2).map(Number)
  const product = emit('Conv', [exchange(image), exchange(upstream)], {
    kernel_shape: spread,
    pads: onnxPads(attrs.padding),
    dilations: attrs.stride,
  })
  // Where the stride does not divide, the last rows of x were never reached and give further taps that do not exist.
  const taps = spread.map((extent, d) => {
    const reach = (extent - 1) * (attrs.stride[d] as number) + 1
    return Number(imageType.shape[2 + d]) + 2 * (attrs.padding[d] as number) - reach + 1
  })
  const isExact = taps.every((tap, d) => tap === attrs.kernel[d])
  const cropped = isExact
    ? product
    : emit('Slice', [product, constant([0, 0], [2], 'int64'), constant(attrs.kernel, [2], 'int64'), constant([2, 3], [2], 'int64')])
  return emit('Transpose', [cropped], { perm: [1, 0, 2, 3] })
}
