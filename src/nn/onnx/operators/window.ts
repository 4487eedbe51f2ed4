/** Where windows lie: what convolutions and pools share. Images have two or three spatial dims; one dim becomes two with a height of 1. */
import type { Value } from '../../../graph/builder.ts'
import { formatShape } from '../../../graph/graph.ts'
import type { Dim } from '../../../graph/graph.ts'
import type { Step } from '../step.ts'

/** A window of a file over an image of ours. */
export interface Window {
  readonly kernel: readonly number[]
  readonly stride: readonly number[]
  readonly dilation: readonly number[]
  /** Before and after the image, by dim. */
  readonly before: readonly number[]
  readonly after: readonly number[]
  /** Spatial extents of the image. */
  readonly size: readonly number[]
  /** Whether the image of the file has one spatial dim. */
  readonly isLine: boolean
}

/** The image as ours: at least two spatial dims. */
export function asImage(step: Step, value: Value): Value {
  const { shape } = value
  if (shape.length === 4 || shape.length === 5) return value
  if (shape.length !== 3) throw step.fault('has an image with other dims', 'one, two or three spatial dims', formatShape(shape))
  return step.reshape(value, [shape[0] as Dim, shape[1] as Dim, 1, shape[2] as Dim])
}

/** What {@link asImage} changed, back. */
export function fromImage(step: Step, value: Value, { isLine }: Pick<Window, 'isLine'>): Value {
  const [batch, channels, , width] = value.shape as [Dim, Dim, Dim, Dim]
  return isLine ? step.reshape(value, [batch, channels, width]) : value
}

/** Extents of a window or filter with a height of 1 in front where the image is a line. */
export function widened(extents: readonly number[], isLine: boolean, front: number): readonly number[] {
  return isLine ? [front, ...extents] : extents
}

/** The window of a node over an image, `image` as {@link asImage} gives it. */
export function windowOf(step: Step, image: Value, kernel: readonly number[]): Window {
  const { attributes } = step
  const isLine = kernel.length === 1
  const ones = kernel.map(() => 1)
  const stride = widened(attributes.ints('strides') ?? ones, isLine, 1)
  const dilation = widened(attributes.ints('dilations') ?? ones, isLine, 1)
  const size = step.extents(image, 2)
  const shape = widened(kernel, isLine, 1)
  const pads = attributes.ints('pads') ?? kernel.flatMap(() => [0, 0])
  const given = [pads.slice(0, kernel.length), pads.slice(kernel.length)].map((side) => widened(side, isLine, 0))
  const window = { kernel: shape, stride, dilation, size, isLine }
  const [before, after] = sides(attributes.string('auto_pad', 'NOTSET'), window, given as [readonly number[], readonly number[]])
  return { ...window, before, after }
}

type Sides = readonly [readonly number[], readonly number[]]

/** Padding as it is given, none, or as much as makes ⌈size / stride⌉ positions. */
function sides(mode: string, { kernel, stride, dilation, size }: Omit<Window, 'before' | 'after'>, given: Sides): Sides {
  if (mode === 'NOTSET' || mode === '') return given
  if (mode === 'VALID') return [size.map(() => 0), size.map(() => 0)]
  const all = size.map((extent, d) => {
    const reach = ((kernel[d] as number) - 1) * (dilation[d] as number) + 1
    return Math.max(0, (Math.ceil(extent / (stride[d] as number)) - 1) * (stride[d] as number) + reach - extent)
  })
  const halves = all.map((extent) => Math.floor(extent / 2))
  const rest = all.map((extent, d) => extent - (halves[d] as number))
  return mode === 'SAME_UPPER' ? [halves, rest] : [rest, halves]
}

/** The image with zeros around it, where the sides differ; else how many the operator is to add on both sides. */
export function padded(
  step: Step,
  image: Value,
  { before, after }: Window,
): { readonly image: Value; readonly padding: readonly number[] } {
  if (before.every((extent, d) => extent === after[d])) return { image, padding: before }
  const around = step.add('pad', [image], { before: [0, 0, ...before], after: [0, 0, ...after] })
  return { image: around, padding: before.map(() => 0) }
}
