import type { TensorType } from '../graph.ts'
import type { ConvAttributes, OpAttributes } from './attributes.ts'
import type { LowerContext, LayoutContext } from './rule.ts'
import { chooseTile, patches, spreadFilter } from './tiled-conv.ts'
import type { TiledConv } from './tiled-conv.ts'
import { onnxPads } from './window.ts'

/** Where a window lies, as ONNX's Conv and ConvTranspose are told. */
export function onnxConv(kernel: readonly number[], { stride, padding, dilation, groups }: ConvAttributes) {
  return { kernel_shape: kernel, pads: onnxPads(padding), strides: stride, dilations: dilation, group: groups }
}

/** The tile of a convolution's value. */
export function tileConv({ inputTypes: [image, filter], attrs }: LayoutContext<OpAttributes['conv']>): number | undefined {
  return chooseTile(image as TensorType, filter as TensorType, attrs)?.tile
}

/** What a convolution reads: the image in the tiles of the value, where they are the image's own. */
export function convWants({ inputTypes: [image, filter], attrs }: LayoutContext<OpAttributes['conv']>): readonly (number | undefined)[] {
  const conv = chooseTile(image as TensorType, filter as TensorType, attrs)
  return [conv?.isAligned ? conv.tile : undefined]
}

/** Convolution as the standard operator, or over tiles. */
export function lowerConv(context: LowerContext<OpAttributes['conv']>): string {
  const { emit, inputs, inputTypes, attrs, layout, constant } = context
  const [image, filter, bias] = inputTypes as [TensorType, TensorType, TensorType?]
  const conv = layout === undefined ? undefined : chooseTile(image, filter, attrs)
  if (conv !== undefined) {
    const operands = [patches(context, conv, 0), spreadFilter(context, conv, inputs[1] as string)]
    if (bias !== undefined) operands.push(emit('Tile', [inputs[2] as string, constant([conv.tile ** 2], [1], 'int64')]))
    return emit('Gemm', operands)
  }
  return emit('Conv', inputs, onnxConv(filter.shape.slice(2).map(Number), attrs))
}

/** The convolution over tiles whose input gradient a node is. */
export function convOfInputGradient({
  type,
  inputTypes: [filter],
  attrs,
}: Pick<LayoutContext<OpAttributes['convInputGradient']>, 'type' | 'inputTypes' | 'attrs'>): TiledConv | undefined {
  return chooseTile(type, filter as TensorType, attrs)
}

/** The tile of dL/dx: that of the convolution, where the tiles are the image's own. */
export function tileInputGradient(context: LayoutContext<OpAttributes['convInputGradient']>): number | undefined {
  const conv = convOfInputGradient(context)
  return conv?.isAligned ? conv.tile : undefined
}

/** dL/dx reads dL/dy in the tiles of the convolution's value. */
export function inputGradientWants(context: LayoutContext<OpAttributes['convInputGradient']>): readonly (number | undefined)[] {
  return [undefined, convOfInputGradient(context)?.tile]
}

/** The convolution over tiles whose filter gradient a node is. */
export function convOfFilterGradient({
  type,
  inputTypes: [image],
  attrs,
}: Pick<LayoutContext<OpAttributes['convFilterGradient']>, 'type' | 'inputTypes' | 'attrs'>): TiledConv | undefined {
  return chooseTile(image as TensorType, type, attrs)
}

/** dL/dw reads both images in the tiles of the convolution. */
export function filterGradientWants(context: LayoutContext<OpAttributes['convFilterGradient']>): readonly (number | undefined)[] {
  const conv = convOfFilterGradient(context)
  return [conv?.isAligned ? conv.tile : undefined, conv?.tile]
}
