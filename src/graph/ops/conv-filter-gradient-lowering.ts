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

/** So many elements of shifted images are put together at most: 8 MiB. */
const fewElements = 2 ** 21

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
  const { batch, groups, depth, filters, places } = geometry
  if (groups > 1) return depth === 1 && filters === groups ? ofDepthwise(context, geometry) : byTap(context, geometry, 1)
  if (places < fewPlaces) return ofPixels(context, geometry)
  return byTap(context, geometry, depth < fewChannels ? Math.max(1, Math.floor(fewElements / (batch * depth * places))) : 1)
}

const list = ({ constant }: Context, values: readonly number[]): string => constant(values, [values.length], 'int64')

const reshape = (context: Context, name: string, shape: readonly number[]): string => context.emit('Reshape', [name, list(context, shape)])

const sumOver = (context: Context, name: string, dim: number): string =>
  context.emit('ReduceSum', [name, list(context, [dim])], { keepdims: 0 })

/** Where the taps of a filter begin, in pixels of the padded image. */
function tapStarts({ kernel }: Geometry, dilation: readonly number[]): number[][] {
  return Array.from({ length: elementCount(kernel) }, (_, tap) => {
    let rest = tap
    return kernel.map((extent, d) => {
      const inner = elementCount(kernel.slice(d + 1))
      const at = Math.floor(rest / inner) % extent
      rest %= inner
      return at * (dilation[d] as number)
    })
  })
}

/** For every tap of the filter, the pixels that it meets: x moved by the tap, with every stride-th pixel. */
function shifted(context: Context, geometry: Geometry): string[] {
  const { emit, inputs, attrs } = context
  const { stride, padding, dilation } = attrs
  const { kernel, size, positions } = geometry
  if (stride.some((extent) => extent > 1) && elementCount(kernel) > 1) return shiftedPhases(context, geometry)
  const dims = kernel.map((_, d) => 2 + d)
  const isPadded = padding.some((extent) => extent > 0)
  const image = inputs[0] as string
  const padded = isPadded ? emit('Pad', [image, list(context, [0, 0, ...padding, 0, 0, ...padding])]) : image
  return tapStarts(geometry, dilation).map((starts) => {
    const ends = starts.map((start, d) => start + ((positions[d] as number) - 1) * (stride[d] as number) + 1)
    if (!isPadded && ends.every((end, d) => starts[d] === 0 && end === size[d])) return image
    return emit('Slice', [padded, list(context, starts), list(context, ends), list(context, dims), list(context, stride)])
  })
}

/**
 * The same for a stride: first the pixels are sorted by their place within a stride, so that those of a tap lie side by side. ONNX Runtime
 * copies with a step pixel by pixel.
 */
function shiftedPhases(context: Context, geometry: Geometry): string[] {
  const { emit, inputs, attrs } = context
  const { stride, padding, dilation } = attrs
  const { batch, groups, depth, size, kernel, positions } = geometry
  const channels = groups * depth
  const cells = size.map((extent, d) => Math.ceil((extent + 2 * (padding[d] as number)) / (stride[d] as number)))
  const behind = size.map((extent, d) => (cells[d] as number) * (stride[d] as number) - extent - (padding[d] as number))
  const padded = emit('Pad', [inputs[0] as string, list(context, [0, 0, ...padding, 0, 0, ...behind])])
  const split = reshape(context, padded, [batch, channels, ...cells.flatMap((count, d) => [count, stride[d] as number])])
  const [counts, phases] = [size.map((_, d) => 2 + 2 * d), size.map((_, d) => 3 + 2 * d)]
  const sorted = emit('Transpose', [split], { perm: [0, ...phases, 1, ...counts] })
  const byPhase = reshape(context, sorted, [batch, elementCount(stride) * channels, ...cells])
  const dims = [1, ...kernel.map((_, d) => 2 + d)]
  return tapStarts(geometry, dilation).map((starts) => {
    const phase = starts.reduce((number, start, d) => number * (stride[d] as number) + (start % (stride[d] as number)), 0)
    const from = [phase * channels, ...starts.map((start, d) => Math.floor(start / (stride[d] as number)))]
    const to = from.map((start, d) => start + (d === 0 ? channels : (positions[d - 1] as number)))
    return emit('Slice', [byPhase, list(context, from), list(context, to), list(context, dims)])
  })
}

/** dL/dy and something of x, `[batch, groups, …, places]` each, multiplied within samples and groups and summed over the samples. */
function productOf(context: Context, { batch, groups, filters, places }: Geometry, ofImage: string, rows: number): string {
  const upstream = reshape(context, context.inputs[1] as string, [batch, groups, filters / groups, places])
  const image = reshape(context, ofImage, [batch, groups, rows, places])
  return sumOver(context, context.emit('FusedMatMul', [upstream, image], { transB: 1 }, { domain: 'com.microsoft' }), 0)
}

/** Products of all taps, `atOnce` of them together. */
function byTap(context: Context, geometry: Geometry, atOnce: number): string {
  const { batch, groups, filters, depth, kernel, places } = geometry
  const join = (names: readonly string[]): string =>
    names.length === 1 ? (names[0] as string) : context.emit('Concat', names, { axis: 2 })
  const images = shifted(context, geometry)
  const parts: string[] = []
  for (let tap = 0; tap < images.length; tap += atOnce) {
    const some = images.slice(tap, tap + atOnce)
    const ofTaps = join(some.length === 1 ? some : some.map((image) => reshape(context, image, [batch, groups * depth, 1, places])))
    parts.push(reshape(context, productOf(context, geometry, ofTaps, depth * some.length), [filters, depth, some.length]))
  }
  return reshape(context, join(parts), [filters, depth, ...kernel])
}

/** {@link shifted} with channels last, where pixels are copied whole. */
function shiftedPixels(context: Context, image: string, geometry: Geometry): string[] {
  const { emit, attrs } = context
  const { stride, padding, dilation } = attrs
  const { kernel, positions } = geometry
  const dims = kernel.map((_, d) => 1 + d)
  const isPadded = padding.some((extent) => extent > 0)
  const padded = isPadded ? emit('Pad', [image, list(context, [0, ...padding, 0, 0, ...padding, 0])]) : image
  return tapStarts(geometry, dilation).map((starts) => {
    const ends = starts.map((start, d) => start + ((positions[d] as number) - 1) * (stride[d] as number) + 1)
    return emit('Slice', [padded, list(context, starts), list(context, ends), list(context, dims), list(context, stride)])
  })
}

/** One product over all pixels of all samples, channels last. */
function ofPixels(context: Context, geometry: Geometry): string {
  const { emit, inputs } = context
  const { batch, filters, depth, kernel, places } = geometry
  const spatial = kernel.map((_, d) => 2 + d)
  const taps = shiftedPixels(context, emit('Transpose', [inputs[0] as string], { perm: [0, ...spatial, 1] }), geometry)
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
  const taps = shifted(context, geometry).map((image) => {
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
