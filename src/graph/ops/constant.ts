/** Given numbers: causal masks, small tables of indices. And the comparison that makes masks of tokens. */
import { DTypeError, ShapeError } from '../../errors.ts'
import { elementCount, formatShape } from '../graph.ts'
import type { TensorType } from '../graph.ts'
import type { OpAttributes } from './attributes.ts'
import { float32 } from './rule.ts'
import type { OpRule, ReferenceTensor } from './rule.ts'

/** The numbers `values` in the shape `shape`, which does not grow with the batch. */
export const constant: OpRule<OpAttributes['constant']> = {
  arity: [0, 0],
  infer(_, { values, shape, dtype }, { layer }) {
    if (elementCount(shape) !== values.length) {
      throw new ShapeError(
        `${layer}: the constant has another length — expected ${elementCount(shape)} for ${formatShape(shape)}, got ${values.length}`,
      )
    }
    return { shape, dtype }
  },
  gradient: () => [],
  lower: (context) => context.constant(context.attrs.values, context.attrs.shape, context.attrs.dtype),
  evaluate: ({ attrs }) => Float64Array.from(attrs.values),
}

/** 1 where the int32 input equals `value`, else 0: where a text is padding, for example. */
export const equals: OpRule<OpAttributes['equals']> = {
  arity: [1, 1],
  infer(inputs, _, { layer }) {
    const { shape, dtype } = inputs[0] as TensorType
    if (dtype !== 'int32') throw new DTypeError(`${layer}: the operator takes other elements — expected int32, got ${dtype}`)
    return float32(shape)
  },
  gradient: () => [],
  lower: ({ emit, inputs, constant: given, attrs }) =>
    emit('Cast', [emit('Equal', [inputs[0] as string, given([attrs.value], [], 'int32')])], { to: 1 }),
  evaluate: ({ inputs, attrs }) => (inputs[0] as ReferenceTensor).data.map((x) => (x === attrs.value ? 1 : 0)),
}
