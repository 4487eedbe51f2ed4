/** Softmax over the last dim, and its gradient. */
import type { Resources } from '../resources.ts'
import type { Primitive } from '../resources.ts'
import { inputsOf, rowsOf } from './rule.ts'
import type { DnnRule } from './rule.ts'

/** The softmax of rows `[rows, classes]`. */
export function forward(resources: Resources, rows: readonly number[]): Primitive {
  return resources.primitive({ kind: 'softmax', data: resources.plain(rows), dim: 1 })
}

const hasRows = (_: unknown, [shape]: readonly (readonly number[])[]): boolean => (shape?.length ?? 0) >= 2

/** Input: scores `[…, classes]`. */
export const softmax: DnnRule<'softmax'> = {
  role: 'follower',
  supports: hasRows,
  emit({ node, record, resources }) {
    const [x] = inputsOf(node)
    const rows = rowsOf(record.shapeOf(x))
    const descriptor = resources.plain(rows)
    const src = { slot: record.plainSlot(x), descriptor }
    const dst = { slot: record.defineNew(node.id), descriptor }
    record.run(forward(resources, rows), { src, dst }, [src, dst])
  },
}

/** Inputs: probabilities, dL/dprobabilities. */
export const softmaxGradient: DnnRule<'softmaxGradient'> = {
  role: 'follower',
  supports: hasRows,
  emit({ node, record, resources }) {
    const [y, upstream] = inputsOf(node)
    const rows = rowsOf(record.shapeOf(y))
    const descriptor = resources.plain(rows)
    const hint = forward(resources, rows).operation
    const primitive = resources.primitive({ kind: 'softmax-gradient', data: descriptor, dim: 1, hint })
    const dst = { slot: record.plainSlot(y), descriptor }
    const diffDst = { slot: record.plainSlot(upstream), descriptor }
    const diffSrc = { slot: record.defineNew(node.id), descriptor }
    record.run(primitive, { dst, diffDst, diffSrc }, [diffDst, diffSrc])
  },
}
