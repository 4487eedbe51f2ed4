/** How often each class was predicted, was true, and was both: what an intersection over union is computed from. */
import type { TensorType } from '../graph.ts'
import type { OpAttributes } from './attributes.ts'
import { requireLossInputs } from './classification.ts'
import { float32 } from './rule.ts'
import type { OpRule, ReferenceTensor } from './rule.ts'

/**
 * Inputs: logits `[rows, classes]`, target int32 `[rows]`, weight `[rows]`; value `[3, classes]`: Σᵢ wᵢ over the rows where the class is
 * predicted and true, where it is predicted, where it is true. The prediction is the first largest logit. Rows with target −1 do not count.
 */
export const classCounts: OpRule<OpAttributes['classCounts']> = {
  arity: [3, 3],
  infer(inputs, _, { layer }) {
    const { shape } = requireLossInputs(inputs, layer)
    return float32([3, shape[1] as number])
  },
  lower({ emit, inputs, constant, inputTypes }) {
    const [logits, target, weight] = inputs as [string, string, string]
    const classes = Number((inputTypes[0] as TensorType).shape[1])
    const numbers = constant(
      Array.from({ length: classes }, (_, k) => k),
      [classes],
      'int32',
    )
    const column = (name: string): string => emit('Unsqueeze', [name, constant([1], [1], 'int64')])
    const hot = (name: string): string => emit('Cast', [emit('Equal', [column(name), numbers])], { to: 1 })
    const predicted = hot(emit('Cast', [emit('ArgMax', [logits], { axis: 1, keepdims: 0 })], { to: 6 }))
    const actual = hot(target)
    // A row whose target is none has no hot column.
    const counted = column(emit('Mul', [weight, emit('ReduceSum', [actual, constant([1], [1], 'int64')], { keepdims: 0 })]))
    const sums = [emit('Mul', [predicted, actual]), predicted, actual].map((rows) =>
      emit('ReduceSum', [emit('Mul', [rows, counted]), constant([0], [1], 'int64')], { keepdims: 1 }),
    )
    return emit('Concat', sums, { axis: 0 })
  },
  evaluate({ inputs }) {
    const [logits, target, weight] = inputs as [ReferenceTensor, ReferenceTensor, ReferenceTensor]
    const classes = logits.shape[1] as number
    const counts = new Float64Array(3 * classes)
    const count = (row: number, k: number, by: number): void => {
      counts[row * classes + k] = (counts[row * classes + k] as number) + by
    }
    target.data.forEach((actual, i) => {
      if (actual < 0) return
      const row = logits.data.subarray(i * classes, (i + 1) * classes)
      const predicted = row.indexOf(Math.max(...row))
      const by = weight.data[i] as number
      count(1, predicted, by)
      count(2, actual, by)
      if (predicted === actual) count(0, actual, by)
    })
    return counts
  },
}
