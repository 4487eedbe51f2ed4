/** Other shapes of the same elements, and boxes within images: joined, cut out, surrounded by zeros. */
import { elementCount } from '../../../../graph/graph.ts'
import type { Recorder } from '../../../partition/recorder.ts'
import type { Operand } from '../../../partition/step.ts'
import { plainStrides } from '../dims.ts'
import { DnnError } from '../library.ts'
import type { Descriptor } from '../operations.ts'
import type { Resources } from '../resources.ts'
import { inputsOf, isImage } from './rule.ts'
import type { DnnRule } from './rule.ts'

/** Costs nothing but the way back to the usual order of memory. */
export const reshape: DnnRule<'reshape'> = {
  role: 'follower',
  supports: () => true,
  emit: ({ node, record }) => record.view(node.id, node.inputs[0] as string),
}

/** Extent d of the value is extent `permutation[d]` of the input. */
export const transpose: DnnRule<'transpose'> = {
  role: 'follower',
  supports: () => true,
  emit({ node, record, resources }) {
    const [x] = inputsOf(node)
    const strides = plainStrides(record.shapeOf(x))
    const shape = node.shape.map(Number)
    const seen = resources.strided(
      shape,
      node.attrs.permutation.map((dim) => strides[dim] as number),
    )
    const from = { slot: record.plainSlot(x), descriptor: seen }
    record.reorder(from, { slot: record.defineNew(node.id), descriptor: resources.plain(shape) })
  },
}

/** Where a box lies in a tensor. */
interface Box {
  readonly shape: readonly number[]
  readonly offsets: readonly number[]
}

/** Boxes of a tensor in the first of some orders whose blocks they do not cut; the last one is the usual order, which has none. */
function boxesIn(resources: Resources, orders: readonly Descriptor[], boxes: readonly Box[]): { order: Descriptor; parts: Descriptor[] } {
  for (const order of orders) {
    try {
      return { order, parts: boxes.map(({ shape, offsets }) => resources.part(order, shape, offsets)) }
    } catch (error) {
      if (!(error instanceof DnnError && error.isUnimplemented) || order === orders.at(-1)) throw error
    }
  }
  throw new RangeError('no order was given')
}

/** The orders that a new image may take: that of convolutions where its operands have one, and the usual one. */
function ordersFor(record: Recorder, resources: Resources, shape: readonly number[], inputs: readonly string[]): Descriptor[] {
  const isBlocked = isImage(shape) && inputs.some((input) => record.isBlocked(input))
  return [...(isBlocked ? [resources.imageOrder(shape)] : []), resources.plain(shape)]
}

/** A value as it lies. */
function asItLies(record: Recorder, value: string): Operand {
  return record.read(value, record.orderOf(value))
}

const firstIsImage = (_: unknown, [shape]: readonly (readonly number[])[]): boolean => isImage(shape)

/** Images one after the other along a dim. */
export const concat: DnnRule<'concat'> = {
  role: 'follower',
  supports: firstIsImage,
  emit({ node, record, resources }) {
    const shape = node.shape.map(Number)
    let start = 0
    const boxes = node.inputs.map((input) => {
      const box = { shape: record.shapeOf(input), offsets: shape.map((_, d) => (d === node.attrs.dim ? start : 0)) }
      start += box.shape[node.attrs.dim] as number
      return box
    })
    const { order, parts } = boxesIn(resources, ordersFor(record, resources, shape, node.inputs), boxes)
    const sources = node.inputs.map((input) => asItLies(record, input))
    const { slot } = record.write(node.id, order)
    for (const [i, source] of sources.entries()) record.reorder(source, { slot, descriptor: parts[i] as Descriptor })
  },
}

/** Positions start to end along a dim; what lies in one piece needs no copy. */
export const slice: DnnRule<'slice'> = {
  role: 'follower',
  supports: (node, [shape]) => isImage(shape) || node.attrs.dim === 0,
  emit({ node, record, resources }) {
    const [x] = inputsOf(node)
    const { dim, start } = node.attrs
    if (dim === 0) {
      record.view(node.id, x, start * elementCount(record.shapeOf(x).slice(1)))
      return
    }
    const shape = node.shape.map(Number)
    const box = { shape, offsets: shape.map((_, d) => (d === dim ? start : 0)) }
    const { order, parts } = boxesIn(resources, [record.orderOf(x), resources.plain(record.shapeOf(x))], [box])
    const { slot } = record.read(x, order)
    const [target] = ordersFor(record, resources, shape, [x]) as [Descriptor]
    record.reorder({ slot, descriptor: parts[0] as Descriptor }, record.write(node.id, target))
  },
}

/** Zeros around an image. */
export const pad: DnnRule<'pad'> = {
  role: 'follower',
  supports: firstIsImage,
  emit({ node, record, resources }) {
    const [x] = inputsOf(node)
    const box = { shape: record.shapeOf(x), offsets: node.attrs.before }
    const { order, parts } = boxesIn(resources, ordersFor(record, resources, node.shape.map(Number), [x]), [box])
    const source = asItLies(record, x)
    const { slot } = record.write(node.id, order)
    record.clear(slot)
    record.reorder(source, { slot, descriptor: parts[0] as Descriptor })
  },
}
