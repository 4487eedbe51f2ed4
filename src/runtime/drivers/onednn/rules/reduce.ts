/** Sums over leading dims: those of rows, as the gradients of biases are. */
import { inputsOf } from './rule.ts'
import type { DnnRule } from './rule.ts'

const product = (extents: readonly number[]): number => extents.reduce((total, extent) => total * extent, 1)

/** As a product with a row of ones, since the library has no fast kernel for sums of this kind. */
export const reduceSum: DnnRule<'reduceSum'> = {
  role: 'follower',
  supports: (node, [shape = []]) => node.attrs.dims.length < shape.length && node.attrs.dims.every((dim, d) => dim === d),
  emit({ node, record, resources }) {
    const [x] = inputsOf(node)
    const shape = record.shapeOf(x)
    const rows = product(shape.slice(0, node.attrs.dims.length))
    const columns = product(node.shape.map(Number))
    const src = { slot: record.ones(rows), descriptor: resources.plain([1, rows]) }
    const weights = { slot: record.plainSlot(x), descriptor: resources.plain([rows, columns]) }
    const dst = { slot: record.defineNew(node.id), descriptor: resources.plain([1, columns]) }
    const operation = {
      kind: 'matmul',
      packs: false,
      src: src.descriptor,
      weights: weights.descriptor,
      bias: null,
      dst: dst.descriptor,
    } as const
    record.run(resources.primitive(operation), { src, weights, dst })
  },
}
