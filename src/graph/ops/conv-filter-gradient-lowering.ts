import { elementCount } from '../graph.ts'
import type { TensorType } from '../graph.ts'
import type { OpAttributes } from './attributes.ts'
import { convOfFilterGradient } from './conv-lowering.ts'
import type { LowerContext } from './rule.ts'
import { gatherFilter, patches } from './tiled-conv.ts'
import { onnxPads, unreached } from './window.ts'

type Context = LowerContext<OpAttributes['convFilterGradient']>

/** Extents of a convolution whose batch is bound. */
interface Geometry {
  readonly batch: number
  readonly groups: number
  readonly filters: number
  /** Channels of a group. */
  readonly depth: number
  readonly size: readonly number[]
  readonly kernel: readonly number[]
  readonly positions: readonly number[]
  /** Number of positions. */
  readonly places: number
}

function geometryOf({ inputTypes, attrs }: Context): Geometry {
  const [image, upstream] = inputTypes as [TensorType, TensorType]
  const [batch, channels, ...size] = image.shape.map(Number) as [number, number, ...number[]]
  const [, filters, ...positions] = upstream.shape.map(Number) as [number, number, ...number[]]
  const { groups, kernel } = attrs
  return { batch, groups, filters, depth: channels / groups, size, kernel, positions, places: elementCount(positions) }
}

/** With fewer channels than this, shifted images are put together into one wide product: one for each would be too thin. */
const fewChannels = 8

/** With fewer positions than this, samples are put together into one long product. */
const fewPlaces = 128

/**
 * dL/dw over tiles, or in the form that was fastest in ONNX Runtime for such extents (two to five times as fast as the one convolution
 * that files hold, whose "filter" is a whole image).
 */
export function lowerFilterGradient(context: Context): string {
  if (context.target === 'portable') return byConvolution(context)
  const conv = convOfFilterGradient(context)
  if (conv !== undefined) {
    return gatherFilter(context, conv, context.emit('Gemm', [patches(context, conv, 0), context.inputAs(1, conv.tile)], { transA: 1 }))
  }
  const geometry = geometryOf(context)
  const { groups, depth, filters, places } = geometry
  if (groups > 1) return depth === 1 && filters === groups ? ofDepthwise(context, geometry) : byTap(context, geometry)
  if (places < fewPlaces) return ofPixels(context, geometry)
  return depth < fewChannels ? ofWindows(context, geometry) : byTap(context, geometry)
}

const list = ({ constant }: Context, values: readonly number[]): string => constant(values, [values.length], 'int64')

const reshape = (context: Context, name: string, shape: readonly number[]): string => context.emit('Reshape', [name, list(context, shape)])

const sumOver = (context: Context, name: string, dim: number): string =>
  context.emit('ReduceSum', [name, list(context, [dim])], { keepdims: 0 })

/** For every tap of the filter, the pixels that it meets: x moved by the tap, with every stride-th pixel. `first` is the first spatial dim. */
function shifted(context: Context, image: string, { kernel, positions }: Geometry, first: number): string[] {
  const { emit, attrs } = context
  const { stride, padding, dilation } = attrs
  const dims = kernel.map((_, d) => first + d)
  const aside = (extents: readonly number[]): readonly number[] => (first === 1 ? [0, ...extents, 0] : [0, 0, ...extents])
  const isPadded = padding.some((extent) => extent > 0)
  const padded = isPadded ? emit('Pad', [image, list(context, [...aside(padding), ...aside(padding)])]) : image
  return Array.from({ length: elementCount(kernel) }, (_, tap) => {
    let rest = tap
    const starts = kernel.map((extent, d) => {
      const inner = elementCount(kernel.slice(d + 1))
      const at = Math.floor(rest / inner) % extent
      rest %= inner
      return at * (dilation[d] as number)
    })
    const ends = starts.map((start, d) => start + ((positions[d] as number) - 1) * (stride[d] as number) + 1)
    return emit('Slice', [padded, list(context, starts), list(context, ends), list(context, dims), list(context, stride)])
  })
}

/** dL/dy and something of x, `[batch, groups, …, places]` each, multiplied within samples and groups and summed over the samples. */
function productOf(context: Context, { batch, groups, filters, places }: Geometry, ofImage: string, rows: number): string {
  const upstream = reshape(context, context.inputs[1] as string, [batch, groups, filters / groups, places])
  const image = reshape(context, ofImage, [batch, groups, rows, places])
  return sumOver(context, context.emit('FusedMatMul', [upstream, image], { transB: 1 }, { domain: 'com.microsoft' }), 0)
}

/** A product for every tap. */
function byTap(context: Context, geometry: Geometry): string {
  const { filters, depth, kernel } = geometry
  const taps = shifted(context, context.inputs[0] as string, geometry, 2).map((image) =>
    reshape(context, productOf(context, geometry, image, depth), [filters, depth, 1]),
  )
  return reshape(context, taps.length === 1 ? (taps[0] as string) : context.emit('Concat', taps, { axis: 2 }), [filters, depth, ...kernel])
}

/** One product for all taps. */
function ofWindows(context: Context, geometry: Geometry): string {
  const { batch, filters, depth, kernel, places } = geometry
  const taps = shifted(context, context.inputs[0] as string, geometry, 2).map((image) => reshape(context, image, [batch, depth, 1, places]))
  const windows = taps.length === 1 ? (taps[0] as string) : context.emit('Concat', taps, { axis: 2 })
  return reshape(context, productOf(context, geometry, windows, depth * taps.length), [filters, depth, ...kernel])
}

/** One product over all pixels of all samples, channels last. */
function ofPixels(context: Context, geometry: Geometry): string {
  const { emit, inputs } = context
  const { batch, filters, depth, kernel, places } = geometry
  const spatial = kernel.map((_, d) => 2 + d)
  const image = emit('Transpose', [inputs[0] as string], { perm: [0, ...spatial, 1] })
  const taps = shifted(context, image, geometry, 1)
  const windows = taps.length === 1 ? (taps[0] as string) : emit('Concat', taps, { axis: kernel.length + 1 })
  const upstream = emit('Transpose', [reshape(context, inputs[1] as string, [batch, filters, places])], { perm: [0, 2, 1] })
  const pixels = batch * places
  const product = emit('Gemm', [reshape(context, upstream, [pixels, filters]), reshape(context, windows, [pixels, taps.length * depth])], {
    transA: 1,
  })
  const byChannel = emit('Transpose', [reshape(context, product, [filters, taps.length, depth])], { perm: [0, 2, 1] })
  return reshape(context, byChannel, [filters, depth, ...kernel])
}

/** A filter for each channel: products without a sum over channels are element by element. */
function ofDepthwise(context: Context, geometry: Geometry): string {
  const { emit, inputs } = context
  const { batch, filters, kernel, places } = geometry
  const taps = shifted(context, inputs[0] as string, geometry, 2).map((image) => {
    const products = reshape(context, emit('Mul', [image, inputs[1] as string]), [batch * filters, places])
    const sums = reshape(context, sumOver(context, products, 1), [batch, filters])
    return reshape(context, sumOver(context, sums, 0), [filters, 1])
  })
  return reshape(context, taps.length === 1 ? (taps[0] as string) : emit('Concat', taps, { axis: 1 }), [filters, 1, ...kernel])
}

/**
 * A convolution with batch and channels exchanged: x becomes `[in/groups, groups·batch, …]`, dL/dy becomes a filter `[out, batch, …]` that is
 * spread by the stride; each group meets its own batch of images.
 */
function byConvolution(context: Context): string {
  const { emit, inputs, inputTypes, attrs } = context
  const { groups, stride, padding, dilation, kernel } = attrs
  const [imageType, upstreamType] = inputTypes as [TensorType, TensorType]
  const size = imageType.shape.slice(2).map(Number)
  const depth = Number(imageType.shape[1]) / groups
  const spatial = size.map((_, d) => 2 + d)
  const exchange = (name: string): string => emit('Transpose', [name], { perm: [1, 0, ...spatial] })
  const byGroup = (name: string): string => {
    if (groups === 1) return name
    const split = emit('Transpose', [reshape(context, name, [groups, depth, -1, ...size])], {
      perm: [1, 0, 2, ...spatial.map((d) => d + 1)],
    })
    return reshape(context, split, [depth, -1, ...size])
  }
  const positions = upstreamType.shape.slice(2).map(Number)
  const product = emit('Conv', [byGroup(exchange(inputs[0] as string)), exchange(inputs[1] as string)], {
    kernel_shape: positions,
    pads: onnxPads(padding),
    dilations: stride,
    strides: dilation,
    group: groups,
  })
  // Where the stride does not divide, the last pixels of x were never reached and give further taps that do not exist.
  const isExact = unreached(size, kernel, positions, attrs).every((rest, d) => rest < (dilation[d] as number))
  const taps = [
    list(
      context,
      kernel.map(() => 0),
    ),
    list(context, kernel),
    list(context, spatial),
  ]
  const cropped = isExact ? product : emit('Slice', [product, ...taps])
  return emit('Transpose', [cropped], { perm: [1, 0, ...spatial] })
}
