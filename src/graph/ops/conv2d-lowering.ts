import type { TensorType } from '../graph.ts'
import type { OpAttributes } from './attributes.ts'
import type { LowerContext, LayoutContext } from './rule.ts'
import { addPatches, chooseTile, gatherFilter, patches, spreadFilter } from './tiled-conv.ts'
import type { TiledConv } from './tiled-conv.ts'
import { onnxPads } from './window.ts'

/** The tile of a convolution's value. */
export function tileConv2d({ inputTypes: [image, filter], attrs }: LayoutContext<OpAttributes['conv2d']>): number | undefined {
  return chooseTile(image as TensorType, filter as TensorType, attrs)?.tile
}

/** What a convolution reads: the image in the tiles of the value, where they are the image's own. */
export function conv2dWants({
  inputTypes: [image, filter],
  attrs,
}: LayoutContext<OpAttributes['conv2d']>): readonly (number | undefined)[] {
  const conv = chooseTile(image as TensorType, filter as TensorType, attrs)
  return [conv?.isAligned ? conv.tile : undefined]
}

/** Convolution as the standard operator, or over tiles. */
export function lowerConv2d(context: LowerContext<OpAttributes['conv2d']>): string {
  const { emit, inputs, inputTypes, attrs, layout, constant } = context
  const [image, filter, bias] = inputTypes as [TensorType, TensorType, TensorType?]
  const conv = layout === undefined ? undefined : chooseTile(image, filter, attrs)
  if (conv !== undefined) {
    const operands = [patches(context, conv, 0), spreadFilter(context, conv, inputs[1] as string)]
    if (bias !== undefined) operands.push(emit('Tile', [inputs[2] as string, constant([conv.tile ** 2], [1], 'int64')]))
    return emit('Gemm', operands)
  }
  return emit('Conv', inputs, { kernel_shape: filter.shape.slice(2).map(Number), pads: onnxPads(attrs.padding), strides: attrs.stride })
}

/** The convolution whose input gradient a node is. */
function convOfInputGradient({
  type,
  inputTypes: [filter],
  attrs,
}: Pick<LayoutContext<OpAttributes['conv2dInputGradient']>, 'type' | 'inputTypes' | 'attrs'>): TiledConv | undefined {
  return chooseTile(type, filter as TensorType, attrs)
}

/** The tile of dL/dx: that of the convolution, where the tiles are the image's own. */
export function tileInputGradient(context: LayoutContext<OpAttributes['conv2dInputGradient']>): number | undefined {
  const conv = convOfInputGradient(context)
  return conv?.isAligned ? conv.tile : undefined
}

/** dL/dx reads dL/dy in the tiles of the convolution's value. */
export function inputGradientWants(context: LayoutContext<OpAttributes['conv2dInputGradient']>): readonly (number | undefined)[] {
  return [undefined, convOfInputGradient(context)?.tile]
}

/** dL/dx as a transposed convolution, or over tiles. */
export function lowerInputGradient(context: LowerContext<OpAttributes['conv2dInputGradient']>): string {
  const { emit, inputs, inputTypes, attrs, type, target, constant } = context
  const [filter, upstream] = inputTypes as [TensorType, TensorType]
  const conv = target === 'native' ? convOfInputGradient(context) : undefined
  if (conv !== undefined) {
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

/** The convolution whose filter gradient a node is. */
function convOfFilterGradient({
  type,
  inputTypes: [image],
  attrs,
}: Pick<LayoutContext<OpAttributes['conv2dFilterGradient']>, 'type' | 'inputTypes' | 'attrs'>): TiledConv | undefined {
  return chooseTile(image as TensorType, type, attrs)
}

/** dL/dw reads both images in the tiles of the convolution. */
export function filterGradientWants(context: LayoutContext<OpAttributes['conv2dFilterGradient']>): readonly (number | undefined)[] {
  const conv = convOfFilterGradient(context)
  return [conv?.isAligned ? conv.tile : undefined, conv?.tile]
}

/**
 * dL/dw over tiles, or as a convolution with batch and channels exchanged: x becomes `[in, batch, h, w]`, dL/dy becomes a filter
 * `[out, batch, h', w']` that is spread by the stride.
 */
export function lowerFilterGradient(context: LowerContext<OpAttributes['conv2dFilterGradient']>): string {
  const { emit, inputTypes, attrs, constant, shared, target } = context
  const conv = target === 'native' ? convOfFilterGradient(context) : undefined
  if (conv !== undefined) {
    return gatherFilter(context, conv, emit('Gemm', [patches(context, conv, 0), context.inputAs(1, conv.tile)], { transA: 1 }))
  }
  const [image, upstream] = context.inputs as [string, string]
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
