/** Average and maximum over windows, and their gradients. */
import { elementCount } from '../graph.ts'
import type { Dim, TensorType } from '../graph.ts'
import type { Layout } from '../layouts.ts'
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
  // A pool whose windows tile the tiles is one product with a constant matrix.
  layout: ({ inputLayouts: [tile], attrs }) => (isTiledBy(attrs, tile) ? tile / attrs.kernel[0] : undefined),
  lower(context) {
    const { emit, attrs, layout, inputTypes } = context
    if (typeof layout === 'number') {
      const source = layout * attrs.kernel[0]
      return emit('Gemm', [context.inputAs(0, source), poolMatrix(context, inputTypes[0] as TensorType, source, layout)])
    }
    return emit('AveragePool', context.inputs, { ...onnxPool(attrs), count_include_pad: 1 })
  },
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
  layout: ({ inputLayouts: [tile], wanted, attrs }) => {
    const own = wanted ?? (typeof tile === 'number' ? tile * attrs.kernel[0] : undefined)
    return isTiledBy(attrs, own) ? own : undefined
  },
  wants: ({ layout, attrs }) => [typeof layout === 'number' ? layout / attrs.kernel[0] : undefined],
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

/** True when windows do not overlap, have no padding, are square and fill tiles of this side. */
function isTiledBy({ kernel, stride, padding }: PoolAttributes, tile: Layout | undefined): tile is number {
  return (
    typeof tile === 'number' &&
    kernel[0] === kernel[1] &&
    tile % kernel[0] === 0 &&
    [0, 1].every((d) => kernel[d] === stride[d] && padding[d] === 0)
  )
}

/** Means of a tile of side `from` as a product: `[from²·c, to²·c]`. */
function poolMatrix({ constant }: LowerContext<unknown>, image: TensorType, from: number, to: number): string {
  const channels = Number(image.shape[1])
  const kernel = from / to
  const matrix = new Array<number>(from ** 2 * channels * to ** 2 * channels).fill(0)
  for (let y = 0; y < from; y++) {
    for (let x = 0; x < from; x++) {
      const mean = Math.floor(y / kernel) * to + Math.floor(x / kernel)
      for (let c = 0; c < channels; c++)
        matrix[((y * from + x) * channels + c) * to ** 2 * channels + mean * channels + c] = 1 / kernel ** 2
    }
  }
  return constant(matrix, [from ** 2 * channels, to ** 2 * channels], 'float32')
}

function lowerAvgPoolGradient(context: LowerContext<OpAttributes['avgPoolGradient']>): string {
  const { emit, inputTypes, type, attrs, constant, layout } = context
  if (typeof layout === 'number') {
    const pooled = layout / attrs.kernel[0]
    return emit('Gemm', [context.inputAs(0, pooled), poolMatrix(context, type, layout, pooled)], { transB: 1 })
  }
  const [samples, channels, height, width] = (inputTypes[0] as TensorType).shape.map(Number) as [number, number, number, number]
  const { kernel, stride, padding, size } = attrs
  const share = 1 / (kernel[0] * kernel[1])
  const [upstream] = context.inputs as [string]
  const reshaped = (name: string, shape: readonly number[]): string => emit('Reshape', [name, constant(shape, [shape.length], 'int64')])
  const tiles = size.every((extent, d) => kernel[d] === stride[d] && padding[d] === 0 && extent % (kernel[d] as number) === 0)
  if (tiles) {
    // Each mean goes back to a tile of its own: along rows by a product, which is faster than copying pixels, then row by row.
    const along = constant(
      Array.from({ length: width * size[1] }, (_, i) => (Math.floor((i % size[1]) / kernel[1]) === Math.floor(i / size[1]) ? share : 0)),
      [width, size[1]],
      'float32',
    )
    const rows = reshaped(emit('Gemm', [reshaped(upstream, [samples * channels * height, width]), along]), [
      samples * channels * height,
      1,
      size[1],
    ])
    return reshaped(emit('Concat', new Array<string>(kernel[0]).fill(rows), { axis: 1 }), type.shape.map(Number))
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
