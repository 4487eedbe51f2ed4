/** Average over windows, and its gradient. */
import { elementCount } from '../graph.ts'
import type { Dim, TensorType } from '../graph.ts'
import type { Layout } from '../layouts.ts'
import type { OpAttributes, PoolAttributes } from './attributes.ts'
import { forEachWindowPixel, inferPool, onnxPool } from './pool-window.ts'
import { float32 } from './rule.ts'
import type { LowerContext, OpRule, ReferenceTensor } from './rule.ts'
import { imageSize, unreached } from './window.ts'

/** Mean of every window; padding counts as zeros. */
export const avgPool: OpRule<OpAttributes['avgPool']> = {
  arity: [1, 1],
  infer: inferPool,
  gradient: ({ add, inputs, upstream, attrs }) => [
    add('avgPoolGradient', [upstream], { ...attrs, size: imageSize((inputs[0] as TensorType).shape, 'avgPool') }),
  ],
  // A pool whose windows tile the tiles is one product with a constant matrix.
  layout: ({ inputLayouts: [tile], attrs }) => (isTiledBy(attrs, tile) ? tile / sideOf(attrs) : undefined),
  lower(context) {
    const { emit, attrs, layout, inputTypes } = context
    if (typeof layout === 'number') {
      const source = layout * sideOf(attrs)
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
    return result.map((sum) => sum / elementCount(attrs.kernel))
  },
}

/** dL/dx of the mean from dL/dy; `size` holds the spatial extents of x. */
export const avgPoolGradient: OpRule<OpAttributes['avgPoolGradient']> = {
  arity: [1, 1],
  infer(inputs, { size }) {
    const { shape } = inputs[0] as TensorType
    return float32([shape[0] as Dim, shape[1] as Dim, ...size])
  },
  layout: ({ inputLayouts: [tile], wanted, attrs }) => {
    const own = wanted ?? (typeof tile === 'number' ? tile * sideOf(attrs) : undefined)
    return isTiledBy(attrs, own) ? own : undefined
  },
  wants: ({ layout, attrs }) => [typeof layout === 'number' ? layout / sideOf(attrs) : undefined],
  lower: lowerAvgPoolGradient,
  evaluate({ inputs, shape, attrs }) {
    const upstream = inputs[0] as ReferenceTensor
    const result = new Float64Array(elementCount(shape))
    const share = 1 / elementCount(attrs.kernel)
    forEachWindowPixel(shape, upstream.shape, attrs, (position, pixel) => {
      result[pixel] = (result[pixel] as number) + (upstream.data[position] as number) * share
    })
    return result
  },
}

/** Side of a square window. */
function sideOf({ kernel }: PoolAttributes): number {
  return kernel[0] as number
}

/** True when windows do not overlap, have no padding, are square and fill tiles of this side. */
function isTiledBy({ kernel, stride, padding }: PoolAttributes, tile: Layout | undefined): tile is number {
  return (
    typeof tile === 'number' &&
    kernel.length === 2 &&
    kernel[0] === kernel[1] &&
    tile % (kernel[0] as number) === 0 &&
    kernel.every((extent, d) => extent === stride[d] && padding[d] === 0)
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
    const pooled = layout / sideOf(attrs)
    return emit('Gemm', [context.inputAs(0, pooled), poolMatrix(context, type, layout, pooled)], { transB: 1 })
  }
  const { kernel, stride, padding, size } = attrs
  const [samples, channels, ...positions] = (inputTypes[0] as TensorType).shape.map(Number) as [number, number, ...number[]]
  const reshaped = (name: string, shape: readonly number[]): string => emit('Reshape', [name, constant(shape, [shape.length], 'int64')])
  const isTiling = size.every((extent, d) => kernel[d] === stride[d] && padding[d] === 0 && extent % (kernel[d] as number) === 0)
  if (isTiling) return reshaped(repeatMeans(context, samples * channels, positions), type.shape.map(Number))
  const share = 1 / elementCount(kernel)
  const filter = constant(new Array<number>(elementCount(kernel)).fill(share), [1, 1, ...kernel], 'float32')
  const spread = emit('ConvTranspose', [reshaped(context.inputs[0] as string, [samples * channels, 1, ...positions]), filter], {
    ...onnxPool(attrs),
    output_padding: unreached(size, kernel, positions, attrs),
  })
  return reshaped(spread, type.shape.map(Number))
}

/** Each mean goes back to a window of its own: along rows by a product, which is faster than copying pixels, then row by row. */
function repeatMeans(
  { emit, inputs, attrs, constant }: LowerContext<OpAttributes['avgPoolGradient']>,
  planes: number,
  positions: readonly number[],
): string {
  const { kernel, size } = attrs
  const reshaped = (name: string, shape: readonly number[]): string => emit('Reshape', [name, constant(shape, [shape.length], 'int64')])
  const [width, extent, window] = [positions.at(-1) as number, size.at(-1) as number, kernel.at(-1) as number]
  const share = 1 / elementCount(kernel)
  const along = constant(
    Array.from({ length: width * extent }, (_, i) => (Math.floor((i % extent) / window) === Math.floor(i / extent) ? share : 0)),
    [width, extent],
    'float32',
  )
  let rows = planes * elementCount(positions.slice(0, -1))
  let inner = extent
  let spread = emit('Gemm', [reshaped(inputs[0] as string, [rows, width]), along])
  for (let d = kernel.length - 2; d >= 0; d--) {
    const copies = new Array<string>(kernel[d] as number).fill(reshaped(spread, [rows, 1, inner]))
    spread = emit('Concat', copies, { axis: 1 })
    rows /= positions[d] as number
    inner *= size[d] as number
  }
  return spread
}
