/** The cross-entropy of yes and no, as a weighted partial sum like that of classes: Σᵢ wᵢ·ℓᵢ / divisor. */
import type { TensorType } from '../graph.ts'
import type { NoAttributes } from './attributes.ts'
import { requireFloat } from './elementwise.ts'
import { logistic } from './recurrent.ts'
import { requireRank, requireSameShape } from './require-shape.ts'
import { float32 } from './rule.ts'
import type { OpRule, ReferenceTensor } from './rule.ts'

function requireInputs(inputs: readonly TensorType[], layer: string): TensorType {
  const [logits, target, weight, divisor] = inputs as [TensorType, TensorType, TensorType, TensorType]
  requireFloat(inputs, layer)
  requireRank(1, logits.shape, layer, 'batch')
  requireSameShape(logits.shape, target.shape, layer)
  requireSameShape(logits.shape, weight.shape, layer)
  requireSameShape([], divisor.shape, layer)
  return logits
}

/**
 * Inputs: logits x `[rows]`, target t float32 `[rows]`, weight w `[rows]`, divisor `[]`; value: Σᵢ wᵢ·(max(x, 0) − x·t + log(1 + e^−|x|)) / divisor,
 * which is −log σ(x) where t is 1 and −log(1 − σ(x)) where t is 0, without overflow. The target has no gradient.
 */
export const binaryCrossEntropy: OpRule<NoAttributes> = {
  arity: [4, 4],
  infer(inputs, _, { layer }) {
    requireInputs(inputs, layer)
    return float32([])
  },
  gradient: ({ add, inputs, upstream }) => [add('mul', [add('binaryCrossEntropyGradient', inputs, {}), upstream], {})],
  lower({ emit, inputs, constant }) {
    const [x, target, weight, divisor] = [0, 1, 2, 3].map((i) => inputs[i] as string) as [string, string, string, string]
    const tail = emit('Log', [emit('Add', [emit('Exp', [emit('Neg', [emit('Abs', [x])])]), constant([1], [], 'float32')])])
    const losses = emit('Add', [emit('Sub', [emit('Relu', [x]), emit('Mul', [x, target])]), tail])
    return emit('Div', [emit('ReduceSum', [emit('Mul', [losses, weight])], { keepdims: 0 }), divisor])
  },
  evaluate({ inputs }) {
    const [logits, target, weight, divisor] = inputs as [ReferenceTensor, ReferenceTensor, ReferenceTensor, ReferenceTensor]
    let sum = 0
    logits.data.forEach((x, i) => {
      const loss = Math.max(x, 0) - x * (target.data[i] as number) + Math.log1p(Math.exp(-Math.abs(x)))
      sum += loss * (weight.data[i] as number)
    })
    return Float64Array.of(sum / (divisor.data[0] as number))
  },
}

/** The gradient of {@link binaryCrossEntropy} with respect to the logits: (σ(x) − t)·w/divisor. */
export const binaryCrossEntropyGradient: OpRule<NoAttributes> = {
  arity: [4, 4],
  infer: (inputs, _, { layer }) => float32(requireInputs(inputs, layer).shape),
  lower({ emit, inputs }) {
    const [x, target, weight, divisor] = [0, 1, 2, 3].map((i) => inputs[i] as string) as [string, string, string, string]
    return emit('Mul', [emit('Sub', [emit('Sigmoid', [x]), target]), emit('Div', [weight, divisor])])
  },
  evaluate({ inputs }) {
    const [logits, target, weight, divisor] = inputs as [ReferenceTensor, ReferenceTensor, ReferenceTensor, ReferenceTensor]
    return logits.data.map(
      (x, i) => ((logistic(x) - (target.data[i] as number)) * (weight.data[i] as number)) / (divisor.data[0] as number),
    )
  },
}
