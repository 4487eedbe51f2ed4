/** Rows of a table by number, and the sum of gradients into them. */
import { DTypeError, ShapeError } from '../../errors.ts'
import { elementCount, formatShape, sameShape } from '../graph.ts'
import type { TensorType } from '../graph.ts'
import type { Value } from '../builder.ts'
import type { OpAttributes } from './attributes.ts'
import { requireFloat } from './elementwise.ts'
import { requireNumber, requireRank } from './require-shape.ts'
import { float32 } from './rule.ts'
import type { OpRule, ReferenceTensor } from './rule.ts'

function requireIndices({ dtype }: TensorType, layer: string): void {
  if (dtype !== 'int32') throw new DTypeError(`${layer}: the numbers of the rows have other elements — expected int32, got ${dtype}`)
}

/** Inputs: table `[rows, width]`, int32 row numbers `[…]` from 0 to rows − 1; value: `[…, width]`. */
export const embedding: OpRule<OpAttributes['embedding']> = {
  arity: [2, 2],
  infer(inputs, _, { layer }) {
    const [table, indices] = inputs as [TensorType, TensorType]
    requireFloat([table], layer)
    requireIndices(indices, layer)
    requireRank(2, table.shape, layer, 'rows, width')
    return float32([...indices.shape, requireNumber(table.shape[1], layer, 'the width')])
  },
  gradient({ add, inputs, upstream }) {
    const [table, indices] = inputs as [Value, Value]
    return [add('embeddingGradient', [indices, upstream], { rows: table.shape[0] as number })]
  },
  lower: ({ emit, inputs }) => emit('Gather', inputs, { axis: 0 }),
  evaluate({ inputs, shape }) {
    const [table, indices] = inputs as [ReferenceTensor, ReferenceTensor]
    const width = shape.at(-1) as number
    const result = new Float64Array(indices.data.length * width)
    indices.data.forEach((row, i) => {
      result.set(table.data.subarray(row * width, (row + 1) * width), i * width)
    })
    return result
  },
}

/**
 * Inputs: int32 row numbers `[…]`, upstream gradient `[…, width]`; value `[rows, width]`: every row the sum of the gradients of its uses.
 * Costs one pass over the table (zeros) and one over the upstream gradient, whatever the number of rows is; a training graph leaves it out where
 * `sparseRows` can hand out the inputs instead.
 */
export const embeddingGradient: OpRule<OpAttributes['embeddingGradient']> = {
  arity: [2, 2],
  infer(inputs, { rows }, { layer }) {
    const [indices, upstream] = inputs as [TensorType, TensorType]
    requireFloat([upstream], layer)
    requireIndices(indices, layer)
    if (!sameShape(indices.shape, upstream.shape.slice(0, -1))) {
      throw new ShapeError(
        `${layer}: there is not one gradient for each row number — expected ${formatShape(indices.shape)} and the width, got ${formatShape(upstream.shape)}`,
      )
    }
    return float32([rows, requireNumber(upstream.shape.at(-1), layer, 'the width')])
  },
  lower({ emit, inputs, constant, inputTypes, type }) {
    const count = elementCount((inputTypes[0] as TensorType).shape.map(Number))
    const [rows, width] = type.shape.map(Number) as [number, number]
    const flat = (name: string, columns: number): string => emit('Reshape', [name, constant([count, columns], [2], 'int64')])
    const numbers = emit('Cast', [flat(inputs[0] as string, 1)], { to: 7 })
    const zeros = emit('Expand', [constant([0], [], 'float32'), constant([rows, width], [2], 'int64')])
    return emit('ScatterND', [zeros, numbers, flat(inputs[1] as string, width)], { reduction: 'add' })
  },
  evaluate({ inputs, shape }) {
    const [indices, upstream] = inputs as [ReferenceTensor, ReferenceTensor]
    const [rows, width] = shape as [number, number]
    const result = new Float64Array(rows * width)
    indices.data.forEach((row, i) => {
      for (let j = 0; j < width; j++) {
        result[row * width + j] = (result[row * width + j] as number) + (upstream.data[i * width + j] as number)
      }
    })
    return result
  },
}
