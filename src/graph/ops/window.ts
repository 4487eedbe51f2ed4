import { ShapeError } from '../../errors.ts'
import type { Extents, WindowAttributes } from './attributes.ts'
import { requireNumber } from './require-shape.ts'
import type { Shape } from '../graph.ts'

/** A window whose taps may lie apart. */
type Window = WindowAttributes & { readonly dilation?: Extents }

/** Extent of a window along dim `d`, with the gaps between its taps. */
function reach(kernel: Extents, { dilation }: Window, d: number): number {
  return ((kernel[d] as number) - 1) * (dilation?.[d] ?? 1) + 1
}

/**
 * Number of positions of a window along each side: floor((size + 2·padding − reach) / stride) + 1, reach = (kernel − 1)·dilation + 1.
 * @throws {ShapeError} SHAPE when the window is larger than the padded image
 */
export function windowPositions(size: Extents, kernel: Extents, attrs: Window, layer: string): Extents {
  return size.map((extent, d) => {
    const padding = attrs.padding[d] as number
    const room = extent + 2 * padding - reach(kernel, attrs, d)
    if (room < 0) {
      throw new ShapeError(
        `${layer}: the window does not fit — expected at most ${extent + 2 * padding} (${extent} and padding), got ${reach(kernel, attrs, d)}`,
      )
    }
    return Math.floor(room / (attrs.stride[d] as number)) + 1
  })
}

/** Pixels at the end of each side that no window reaches, because the stride does not divide. */
export function unreached(size: Extents, kernel: Extents, positions: Extents, attrs: Window): Extents {
  return size.map((extent, d) => {
    const last = ((positions[d] as number) - 1) * (attrs.stride[d] as number)
    return extent + 2 * (attrs.padding[d] as number) - last - reach(kernel, attrs, d)
  })
}

/** Extents of the spatial dims of a `[batch, channels, …]` shape. */
export function imageSize(shape: Shape, layer: string): Extents {
  const names = shape.length === 5 ? ['the depth', 'the height', 'the width'] : ['the height', 'the width']
  return shape.slice(2).map((dim, d) => requireNumber(dim, layer, names[d] ?? `spatial dim ${d}`))
}

/**
 * An image has two or three spatial dims, and whatever moves over it as many.
 * @throws {ShapeError} SHAPE naming the layer
 */
export function requireImage(shape: Shape, attrs: WindowAttributes, layer: string): void {
  const spatial = shape.length - 2
  if ((spatial === 2 || spatial === 3) && attrs.stride.length === spatial && attrs.padding.length === spatial) return
  const expected = attrs.stride.length === 3 ? 'batch, channels, depth, height, width' : 'batch, channels, height, width'
  throw new ShapeError(
    `${layer}: the input has another number of dims — expected ${attrs.stride.length + 2} (${expected}), got [${shape.join(', ')}]`,
  )
}

/** Padding as ONNX writes it: before and after, by dimension. */
export function onnxPads(padding: Extents): readonly number[] {
  return [...padding, ...padding]
}

/** A pixel under a window: the number of the window's position, of the element of the window, and of the pixel in the image. */
export interface Tap {
  readonly position: number
  readonly tap: number
  readonly pixel: number
}

/** Every element of a window at every position over one image, where it lies inside the image. */
export function windowTaps(size: Extents, kernel: Extents, positions: Extents, { stride, padding, dilation }: Window): readonly Tap[] {
  let taps: Tap[] = [{ position: 0, tap: 0, pixel: 0 }]
  size.forEach((extent, d) => {
    const [window, places] = [kernel[d] as number, positions[d] as number]
    const along: Tap[] = []
    for (let position = 0; position < places; position++) {
      for (let tap = 0; tap < window; tap++) {
        const pixel = position * (stride[d] as number) - (padding[d] as number) + tap * (dilation?.[d] ?? 1)
        if (pixel >= 0 && pixel < extent) along.push({ position, tap, pixel })
      }
    }
    taps = taps.flatMap((outer) =>
      along.map((inner) => ({
        position: outer.position * places + inner.position,
        tap: outer.tap * window + inner.tap,
        pixel: outer.pixel * extent + inner.pixel,
      })),
    )
  })
  // Ascending positions and, within one, taps: the first of equal maxima is the first in memory.
  return taps.sort((a, b) => a.position - b.position || a.tap - b.tap)
}
