import { ShapeError } from '../../errors.ts'
import { formatShape, sameShape } from '../graph.ts'
import type { Dim, Shape } from '../graph.ts'
import type { Value } from '../builder.ts'
import type { GradientContext } from './rule.ts'

/**
 * Shape of an element-wise operator of two values: extents are aligned at the end; equal ones match, and 1 stretches to anything.
 * @throws {ShapeError} SHAPE when two extents differ and neither is 1
 */
export function broadcastShapes(a: Shape, b: Shape, layer: string): Dim[] {
  const rank = Math.max(a.length, b.length)
  const shape: Dim[] = []
  for (let d = 0; d < rank; d++) {
    const left = a[d - rank + a.length] ?? 1
    const right = b[d - rank + b.length] ?? 1
    if (left !== right && left !== 1 && right !== 1) {
      throw new ShapeError(
        `${layer}: the shapes do not broadcast — expected equal extents or 1 from the last on, got ${formatShape(a)} and ${formatShape(b)}`,
        { expected: a, got: b },
      )
    }
    shape.push(left === 1 ? right : left)
  }
  return shape
}

/** The adjoint of broadcasting: sums `gradient` over the extents that were stretched, giving a value of shape `shape`. */
export function sumTo(context: Pick<GradientContext<unknown>, 'add'>, gradient: Value, shape: Shape): Value {
  if (sameShape(gradient.shape, shape)) return gradient
  const added = gradient.shape.length - shape.length
  const dims = gradient.shape.flatMap((dim, d) => (d < added || (shape[d - added] === 1 && dim !== 1) ? [d] : []))
  const summed = context.add('reduceSum', [gradient], { dims })
  return sameShape(summed.shape, shape) ? summed : context.add('reshape', [summed], { shape })
}

/** Strides with which an array of shape `from` is read in the order of shape `to`: 0 where it is stretched. */
export function broadcastStrides(from: readonly number[], to: readonly number[]): number[] {
  const strides = new Array<number>(to.length).fill(0)
  let stride = 1
  for (let d = from.length - 1; d >= 0; d--) {
    const extent = from[d] as number
    strides[to.length - from.length + d] = extent === 1 ? 0 : stride
    stride *= extent
  }
  return strides
}

/** Calls `visit` for every element of `shape` in order, with its number and its offsets under each list of strides. */
export function forEachElement(
  shape: readonly number[],
  strides: readonly (readonly number[])[],
  visit: (element: number, offsets: readonly number[]) => void,
): void {
  const index = new Array<number>(shape.length).fill(0)
  const offsets = new Array<number>(strides.length).fill(0)
  const count = shape.reduce((product, dim) => product * dim, 1)
  for (let element = 0; element < count; element++) {
    visit(element, offsets)
    for (let d = shape.length - 1; d >= 0; d--) {
      const next = (index[d] as number) + 1
      const wraps = next === shape[d]
      index[d] = wraps ? 0 : next
      for (let s = 0; s < strides.length; s++) {
        const step = strides[s]?.[d] as number
        offsets[s] = (offsets[s] as number) + (wraps ? -step * (next - 1) : step)
      }
      if (!wraps) break
    }
  }
}
