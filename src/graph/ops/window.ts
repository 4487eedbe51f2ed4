import { ShapeError } from '../../errors.ts'
import type { Pair, WindowAttributes } from './attributes.ts'
import { requireNumber } from './require-shape.ts'
import type { Shape } from '../graph.ts'

/**
 * Number of positions of a window along each side: floor((size + 2·padding − kernel) / stride) + 1.
 * @throws {ShapeError} SHAPE when the window is larger than the padded image
 */
export function windowPositions(size: Pair, kernel: Pair, { stride, padding }: WindowAttributes, layer: string): Pair {
  const along = (d: 0 | 1): number => {
    const room = size[d] + 2 * padding[d] - kernel[d]
    if (room < 0) {
      throw new ShapeError(
        `${layer}: the window does not fit — expected at most ${size[d] + 2 * padding[d]} (${size[d]} and padding), got ${kernel[d]}`,
      )
    }
    return Math.floor(room / stride[d]) + 1
  }
  return [along(0), along(1)]
}

/** Height and width of a `[batch, channels, height, width]` shape. */
export function imageSize(shape: Shape, layer: string): Pair {
  return [requireNumber(shape[2], layer, 'the height'), requireNumber(shape[3], layer, 'the width')]
}

/** Padding as ONNX writes it: before and after, by dimension. */
export function onnxPads([vertical, horizontal]: Pair): readonly number[] {
  return [vertical, horizontal, vertical, horizontal]
}

/**
 * Calls `visit` for every position of a window over one image and every element of the window that lies inside the image:
 * with the position's number, the element's number in the window, and the pixel's number in the image.
 */
export function forEachTap(
  size: Pair,
  kernel: Pair,
  positions: Pair,
  { stride, padding }: WindowAttributes,
  visit: (position: number, tap: number, pixel: number) => void,
): void {
  for (let py = 0; py < positions[0]; py++) {
    for (let px = 0; px < positions[1]; px++) {
      for (let ky = 0; ky < kernel[0]; ky++) {
        const y = py * stride[0] - padding[0] + ky
        if (y < 0 || y >= size[0]) continue
        for (let kx = 0; kx < kernel[1]; kx++) {
          const x = px * stride[1] - padding[1] + kx
          if (x < 0 || x >= size[1]) continue
          visit(py * positions[1] + px, ky * kernel[1] + kx, y * size[1] + x)
        }
      }
    }
  }
}
