/** What average and maximum pools share. */
import { elementCount } from '../graph.ts'
import type { Dim, TensorType } from '../graph.ts'
import type { Extents, PoolAttributes } from './attributes.ts'
import { requireFloat } from './elementwise.ts'
import { float32 } from './rule.ts'
import type { ShapeContext } from './rule.ts'
import { imageSize, onnxPads, requireImage, windowPositions, windowTaps } from './window.ts'

/** `[batch, c, …]` → `[batch, c, positions…]`; two or three spatial dims. */
export function inferPool(inputs: readonly TensorType[], attrs: PoolAttributes, { layer }: ShapeContext): TensorType {
  requireFloat(inputs, layer)
  const { shape } = inputs[0] as TensorType
  requireImage(shape, attrs, layer)
  return float32([shape[0] as Dim, shape[1] as Dim, ...windowPositions(imageSize(shape, layer), attrs.kernel, attrs, layer)])
}

/** A pooling window, as ONNX is told. */
export function onnxPool({ kernel, stride, padding }: PoolAttributes): {
  readonly kernel_shape: Extents
  readonly strides: Extents
  readonly pads: Extents
} {
  return { kernel_shape: kernel, strides: stride, pads: onnxPads(padding) }
}

/** Calls `visit(position, pixel)` for every pixel of every window, with numbers into the whole pooled and whole unpooled tensor. */
export function forEachWindowPixel(
  image: readonly number[],
  pooled: readonly number[],
  attrs: PoolAttributes,
  visit: (position: number, pixel: number) => void,
): void {
  const planes = (image[0] as number) * (image[1] as number)
  const [size, positions] = [image.slice(2), pooled.slice(2)]
  const [pixels, places] = [elementCount(size), elementCount(positions)]
  const taps = windowTaps(size, attrs.kernel, positions, attrs)
  for (let plane = 0; plane < planes; plane++) {
    for (const { position, pixel } of taps) visit(plane * places + position, plane * pixels + pixel)
  }
}
