/** Average and maximum over windows, and their gradients. */
import { elementCount } from '../graph.ts'
import type { Dim, TensorType } from '../graph.ts'
import type { OpAttributes, Pair, PoolAttributes } from './attributes.ts'
import { requireFloat } from './elementwise.ts'
import { requireRank } from './require-shape.ts'
import { float32 } from './rule.ts'
import type { LowerContext, OpRule, ReferenceTensor, ShapeContext } from './rule.ts'
import { forEachTap, imageSize, onnxPads, windowPositions } from './window.ts'

function inferPool(inputs: readonly TensorType[], attrs: PoolAttributes, { layer }: ShapeContext): TensorType {
  requireFloat(inputs, layer)
  const { shape } = inputs[0] as TensorType
  requireRank(4, shape, layer, 'batch, channels, height, width')
  return float32([shape[0] as Dim, shape[1] as Dim, ...windowPositions(imageSize(shape, layer), attrs.kernel, attrs, layer)])
}

function onnxPool(attrs: PoolAttributes): { kernel_shape: Pair; strides: Pair; pads: readonly number[] } {
  return { kernel_shape: attrs.kernel, strides: attrs.stride, pads: onnxPads(attrs.padding) }
}

/** Calls `visit(position, pixel)` for every pixel of every window, with numbers into the whole pooled and whole unpooled tensor. */
function forEachWindowPixel(
  image: readonly number[],
  pooled: readonly number[],
  attrs: PoolAttributes,
  visit: (position: number, pixel: number) => void,
): void {
  const planes = (image[0] as number) * (image[1] as number)
  const size = image.slice(2) as unknown as Pair
  const positions = pooled.slice(2) as unknown as Pair
  for (let plane = 0; plane < planes; plane++) {
    forEachTap(size, attrs.kernel, positions, attrs, (position, _, pixel) => {
      visit(plane * positions[0] * positions[1] + position, plane * size[0] * size[1] + pixel)
    })
  }
}

/** Mean of every window; padding counts as zeros. */
export const avgPool: OpRule<OpAttributes['avgPool']> = {
  arity: [1, 1],
  infer: inferPool,
  gradient: ({ add, inputs, upstream, attrs }) => [
    add('avgPoolGradient', [upstream], { ...attrs, size: imageSize((inputs[0] as TensorType).shape, 'avgPool') }),
  ],
  lower: ({ emit, inputs, attrs }) => emit('AveragePool', inputs, { ...onnxPool(attrs), count_include_pad: 1 }),
  evaluate({ inputs, shape, attrs }) {
    const image = inputs[0] as ReferenceTensor
    const result = new Float64Array(elementCount(shape))
    forEachWindowPixel(image.shape, shape, attrs, (position, pixel) => {
      result[position] = (result[position] as number) + (image.data[pixel] as number)
    })
    return result.map((sum) => sum / (attrs.kernel[0] * attrs.kernel[1]))
  },
}

/** dL/dx of the mean from dL/dy; `size` is the height and width of x. */
export const avgPoolGradient: OpRule<OpAttributes['avgPoolGradient']> = {
  arity: [1, 1],
  infer(inputs, { size }) {
    const { shape } = inputs[0] as TensorType
    return float32([shape[0] as Dim, shape[1] as Dim, ...size])
  },
  lower: lowerAvgPoolGradient,
  evaluate({ inputs, shape, attrs }) {
    const upstream = inputs[0] as ReferenceTensor
    const result = new Float64Array(elementCount(shape))
    const share = 1 / (attrs.kernel[0] * attrs.kernel[1])
    forEachWindowPixel(shape, upstream.shape, attrs, (position, pixel) => {
      result[pixel] = (result[pixel] as number) + (upstream.data[position] as number) * share
    })
    return result
  },
}

function lowerAvgPoolGradient({ emit, inputs, inputTypes, type, attrs, constant }: LowerContext<OpAttributes['avgPoolGradient']>): string {
  const [samples, channels, height, width] = (inputTypes[0] as TensorType).shape.map(Number) as [number, number, number, number]
  const { kernel, stride, padding, size } = attrs
  const share = 1 / (kernel[0] * kernel[1])
  const [upstream] = inputs as [string]
  const reshaped = (name: string, shape: readonly number[]): string => emit('Reshape', [name, constant(shape, [shape.length], 'int64')])
  const tiles = size.every((extent, d) => kernel[d] === stride[d] && padding[d] === 0 && extent % (kernel[d] as number) === 0)
  if (tiles) {
    // Each mean goes back to a tile of its own: an outer product with a tile of equal shares.
    const tile = constant(new Array<number>(kernel[0] * kernel[1]).fill(share), [1, kernel[0], 1, kernel[1]], 'float32')
    return reshaped(emit('Mul', [reshaped(upstream, [samples * channels * height, 1, width, 1]), tile]), type.shape.map(Number))
  }
  const rest = size.map((extent, d) => {
    const positions = d === 0 ? height : width
    return extent - ((positions - 1) * (stride[d] as number) + (kernel[d] as number) - 2 * (padding[d] as number))
  })
  const filter = constant(new Array<number>(kernel[0] * kernel[1]).fill(share), [1, 1, ...kernel], 'float32')
  const spread = emit('ConvTranspose', [reshaped(upstream, [samples * channels, 1, height, width]), filter], {
    kernel_shape: kernel,
    strides: stride,
    pads: onnxPads(padding),
    output_padding: rest,
  })
  return reshaped(spread, type.shape.map(Number))
}

/** Largest pixel of every window, the first one among equals; padding is never chosen. */
export const maxPool: OpRule<OpAttributes['maxPool']> = {
  arity: [1, 1],
  infer: inferPool,
  gradient: ({ add, inputs, upstream, attrs }) => [add('maxPoolGradient', [inputs[0] as (typeof inputs)[0], upstream], attrs)],
  lower: (context) =>
    context.usedBy('maxPoolGradient', 0) ? maxPoolWithPlaces(context)[0] : context.emit('MaxPool', context.inputs, onnxPool(context.attrs)),
  evaluate({ inputs, shape, attrs }) {
    const image = inputs[0] as ReferenceTensor
    return placesOfMaxima(image, shape, attrs).map((pixel) => image.data[pixel] as number)
  },
}

/** dL/dx of the maximum from x and dL/dy: goes to the pixel that was chosen. */
export const maxPoolGradient: OpRule<OpAttributes['maxPoolGradient']> = {
  arity: [2, 2],
  infer: (inputs) => float32((inputs[0] as TensorType).shape),
  lower(context) {
    const { emit, inputs, constant, type } = context
    const [, places] = maxPoolWithPlaces(context)
    const shape = type.shape.map(Number)
    const flat = (name: string): string => emit('Reshape', [name, constant([-1], [1], 'int64')])
    const zeros = emit('Expand', [constant([0], [1], 'float32'), constant([elementCount(shape)], [1], 'int64')])
    // Overlapping windows may choose the same pixel: add.
    const scattered = emit('ScatterElements', [zeros, flat(places), flat(inputs[1] as string)], { axis: 0, reduction: 'add' })
    return emit('Reshape', [scattered, constant(shape, [shape.length], 'int64')])
  },
  evaluate({ inputs, shape, attrs }) {
    const [image, upstream] = inputs as [ReferenceTensor, ReferenceTensor]
    const result = new Float64Array(elementCount(shape))
    placesOfMaxima(image, upstream.shape, attrs).forEach((pixel, position) => {
      result[pixel] = (result[pixel] as number) + (upstream.data[position] as number)
    })
    return result
  },
}

/** ONNX's MaxPool with both of its outputs: maxima, and their numbers in the whole input tensor. */
function maxPoolWithPlaces({ emitMany, inputs, attrs, shared }: LowerContext<PoolAttributes>): [string, string] {
  const image = inputs[0] as string
  const key = `max pool ${image} ${JSON.stringify(attrs)}`
  return shared(key, () => emitMany('MaxPool', [image], onnxPool(attrs), 2) as [string, string])
}

function placesOfMaxima(image: ReferenceTensor, pooled: readonly number[], attrs: PoolAttributes): Float64Array {
  const places = new Float64Array(elementCount(pooled)).fill(-1)
  forEachWindowPixel(image.shape, pooled, attrs, (position, pixel) => {
    const best = places[position] as number
    if (best < 0 || (image.data[pixel] as number) > (image.data[best] as number)) places[position] = pixel
  })
  return places
}
