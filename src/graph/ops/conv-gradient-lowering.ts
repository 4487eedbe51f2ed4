import type { TensorType } from '../graph.ts'
import type { OpAttributes } from './attributes.ts'
import { convOfFilterGradient, convOfInputGradient, onnxConv } from './conv-lowering.ts'
import type { LowerContext } from './rule.ts'
import { addPatches, gatherFilter, patches, spreadFilter } from './tiled-conv.ts'
import type { TiledConv } from './tiled-conv.ts'
import { onnxPads, unreached } from './window.ts'

/** dL/dx as a transposed convolution, or over tiles. */
export function lowerInputGradient(context: LowerContext<OpAttributes['convInputGradient']>): string {
  const { emit, inputs, inputTypes, attrs, target } = context
  const [filter, upstream] = inputTypes as [TensorType, TensorType]
  const conv = target === 'native' ? convOfInputGradient(context) : undefined
  if (conv !== undefined) return inputGradientOverTiles(context, conv)
  const kernel = filter.shape.slice(2).map(Number)
  // Pixels at the end that no window reached get no gradient: they are the output padding of the transposed convolution.
  const rest = unreached(attrs.size, kernel, upstream.shape.slice(2).map(Number), attrs)
  return emit('ConvTranspose', [inputs[1] as string, inputs[0] as string], { ...onnxConv(kernel, attrs), output_padding: rest })
}

function inputGradientOverTiles(context: LowerContext<OpAttributes['convInputGradient']>, conv: TiledConv): string {
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

/**
 * dL/dw over tiles, or as a convolution with batch and channels exchanged: x becomes `[in/groups, groups·batch, …]`, dL/dy becomes a filter
 * `[out, batch, …]` that is spread by the stride; each group meets its own batch of images.
 */
export function lowerFilterGradient(context: LowerContext<OpAttributes['convFilterGradient']>): string {
  const { emit, inputTypes, attrs, constant, shared, target } = context
  const conv = target === 'native' ? convOfFilterGradient(context) : undefined
  if (conv !== undefined) {
    return gatherFilter(context, conv, emit('Gemm', [patches(context, conv, 0), context.inputAs(1, conv.tile)], { transA: 1 }))
  }
  const [image, upstream] = context.inputs as [string, string]
  const [imageType, upstreamType] = inputTypes as [TensorType, TensorType]
  const [batch, channels, ...size] = imageType.shape.map(Number) as [number, number, ...number[]]
  const spatial = size.map((_, d) => 2 + d)
  const exchange = (name: string): string => shared(`exchanged ${name}`, () => emit('Transpose', [name], { perm: [1, 0, ...spatial] }))
  const { groups, stride, padding, dilation, kernel } = attrs
  const byGroup = (name: string): string => {
    if (groups === 1) return name
    const depth = channels / groups
    const reshaped = (value: string, shape: readonly number[]): string => emit('Reshape', [value, constant(shape, [shape.length], 'int64')])
    if (depth === 1) return reshaped(name, [1, groups * batch, ...size])
    const split = reshaped(name, [groups, depth, batch, ...size])
    return reshaped(emit('Transpose', [split], { perm: [1, 0, 2, ...spatial.map((d) => d + 1)] }), [depth, groups * batch, ...size])
  }
  const positions = upstreamType.shape.slice(2).map(Number)
  const product = emit('Conv', [byGroup(exchange(image)), exchange(upstream)], {
    kernel_shape: positions,
    pads: onnxPads(padding),
    dilations: stride,
    strides: dilation,
    group: groups,
  })
  // Where the stride does not divide, the last pixels of x were never reached and give further taps that do not exist.
  const isExact = unreached(size, kernel, positions, attrs).every((rest, d) => rest < (dilation[d] as number))
  const list = (values: readonly number[]): string => constant(values, [values.length], 'int64')
  const cropped = isExact ? product : emit('Slice', [product, list(kernel.map(() => 0)), list(kernel), list(spatial)])
  return emit('Transpose', [cropped], { perm: [1, 0, ...spatial] })
}
