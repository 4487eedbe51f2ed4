import { elementCount } from '../graph.ts'
import type { TensorType } from '../graph.ts'
import type { OpAttributes } from './attributes.ts'
import { convOfInputGradient, onnxConv } from './conv-lowering.ts'
import type { LowerContext } from './rule.ts'
import { addPatches, spreadFilter } from './tiled-conv.ts'
import type { TiledConv } from './tiled-conv.ts'
import { unreached } from './window.ts'

type Context = LowerContext<OpAttributes['convInputGradient']>

/** dL/dx as a transposed convolution, as a convolution with turned filters, or over tiles. */
export function lowerInputGradient(context: Context): string {
  const { emit, inputs, inputTypes, attrs, target } = context
  const [filter, upstream] = inputTypes as [TensorType, TensorType]
  const conv = target === 'native' ? convOfInputGradient(context) : undefined
  if (conv !== undefined) return overTiles(context, conv)
  if (prefersTurned(context)) return byTurnedFilters(context)
  const kernel = filter.shape.slice(2).map(Number)
  // Pixels at the end that no window reached get no gradient: they are the output padding of the transposed convolution.
  const rest = unreached(attrs.size, kernel, upstream.shape.slice(2).map(Number), attrs)
  return emit('ConvTranspose', [inputs[1] as string, inputs[0] as string], { ...onnxConv(kernel, attrs), output_padding: rest })
}

/** From so many positions on, ONNX Runtime's convolution of images is faster than its transposed convolution, up to twice as fast. */
const manyPlaces = 512

/**
 * ONNX Runtime's transposed convolution of volumes is ten times as slow as its convolution, even where that must read zeros that a stride
 * puts between the pixels. Over images the convolution wins if these are large or the groups are thin, and there is no stride.
 */
function prefersTurned({ inputTypes: [filter, upstream], attrs, target }: Context): boolean {
  const [filters, , ...kernel] = (filter as TensorType).shape.map(Number) as [number, number, ...number[]]
  const [batch, , ...positions] = (upstream as TensorType).shape
  const isInside = kernel.every((extent, d) => (extent - 1) * (attrs.dilation[d] as number) >= (attrs.padding[d] as number))
  const isStrided = attrs.stride.some((extent) => extent > 1)
  if (!isInside || (isStrided && (target === 'portable' || typeof batch !== 'number'))) return false
  if (kernel.length === 3) return true
  return !isStrided && (filters === attrs.groups || elementCount(positions.map(Number)) >= manyPlaces)
}

/** The convolution of dL/dy with every filter turned by half a turn; the stride spreads dL/dy. */
function byTurnedFilters(context: Context): string {
  const { emit, inputs, inputTypes, attrs, constant } = context
  const reshape = (name: string, shape: readonly number[]): string => emit('Reshape', [name, constant(shape, [shape.length], 'int64')])
  const { groups, stride, padding, dilation, size } = attrs
  const [filters, depth, ...kernel] = (inputTypes[0] as TensorType).shape.map(Number) as [number, number, ...number[]]
  const taps = elementCount(kernel)
  const byGroup = reshape(inputs[0] as string, [groups, filters / groups, depth, taps])
  const reversed = Array.from({ length: taps }, (_, tap) => taps - 1 - tap)
  const turned = taps === 1 ? byGroup : emit('Gather', [byGroup, constant(reversed, [taps], 'int64')], { axis: 3 })
  const exchanged = emit('Transpose', [turned], { perm: [0, 2, 1, 3] })
  const weight = reshape(exchanged, [groups * depth, filters / groups, ...kernel])
  const positions = (inputTypes[1] as TensorType).shape.slice(2).map(Number)
  const before = kernel.map((extent, d) => (extent - 1) * (dilation[d] as number) - (padding[d] as number))
  // Behind, as much as makes the result as long as x; a stride leaves zeros behind the last pixel as well.
  const after = kernel.map((extent, d) => {
    const spread = (positions[d] as number) * (stride[d] as number)
    return (size[d] as number) - spread - (before[d] as number) + (extent - 1) * (dilation[d] as number)
  })
  // Those zeros may be more than there is room for.
  const surplus = after.map((extent) => Math.max(0, -extent))
  const image = spreadByStride(context, positions, surplus)
  return emit('Conv', [image, weight], {
    kernel_shape: kernel,
    pads: [...before, ...after.map((extent) => Math.max(0, extent))],
    dilations: dilation,
    group: groups,
  })
}

/** dL/dy with stride − 1 zeros behind every pixel, but for `surplus` at the end. */
function spreadByStride(
  { emit, inputs, inputTypes, attrs, constant }: Context,
  positions: readonly number[],
  surplus: readonly number[],
): string {
  const upstream = inputs[1] as string
  const { stride } = attrs
  if (stride.every((extent) => extent === 1)) return upstream
  const list = (values: readonly number[]): string => constant(values, [values.length], 'int64')
  const outer = (inputTypes[1] as TensorType).shape.slice(0, 2).map(Number)
  const apart = emit('Reshape', [upstream, list([...outer, ...positions.flatMap((extent) => [extent, 1])])])
  const zeros = [0, 0, ...stride.flatMap((extent) => [0, extent - 1])]
  const padded = emit('Pad', [apart, list([...zeros.map(() => 0), ...zeros])])
  const spread = positions.map((extent, d) => extent * (stride[d] as number))
  const image = emit('Reshape', [padded, list([...outer, ...spread])])
  if (surplus.every((extent) => extent === 0)) return image
  const ends = spread.map((extent, d) => extent - (surplus[d] as number))
  return emit('Slice', [image, list(ends.map(() => 0)), list(ends), list(ends.map((_, d) => 2 + d))])
}

function overTiles(context: Context, conv: TiledConv): string {
  const { emit, inputs, type, constant } = context
  const [batch, channels, height, width] = type.shape.map(Number) as [number, number, number, number]
  const spread = spreadFilter(context, conv, inputs[0] as string)
  const ofPatches = emit('Gemm', [context.inputAs(1, conv.tile), spread], { transB: 1 })
  const tiles = addPatches(context, conv, ofPatches, batch)
  if (conv.isAligned) return tiles
  const padded = context.fromTiles(tiles, [batch, channels, conv.grid[0] * conv.tile, conv.grid[1] * conv.tile], conv.tile)
  const [top, left] = conv.padding
  return emit('Slice', [
    padded,
    constant([top, left], [2], 'int64'),
    constant([top + height, left + width], [2], 'int64'),
    constant([2, 3], [2], 'int64'),
  ])
}
