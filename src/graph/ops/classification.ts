/**
 * Softmax, its logarithm, and the cross-entropy of class numbers as a weighted partial sum: Σᵢ wᵢ·ℓᵢ / divisor. Weights and divisor
 * are inputs of the graph, so a rank that holds a part of the global batch computes its part of the global mean, whatever the parts'
 * sizes are, and a padded row has weight 0.
 */
import { DTypeError } from '../../errors.ts'
import type { TensorType } from '../graph.ts'
import type { NoAttributes, OpAttributes } from './attributes.ts'
import { requireFloat } from './elementwise.ts'
import { requireRank, requireSameShape } from './require-shape.ts'
import { float32 } from './rule.ts'
import type { LowerContext, OpRule, ReferenceTensor, ShapeContext } from './rule.ts'

function inferRows(inputs: readonly TensorType[], _: unknown, { layer }: ShapeContext): TensorType {
  requireFloat(inputs, layer)
  const { shape } = inputs[0] as TensorType
  requireRank(2, shape, layer, 'batch, classes')
  return float32(shape)
}

/** Rows of log-probabilities, computed after subtracting the row's maximum. */
function logSoftmaxRows(logits: ReferenceTensor): Float64Array {
  const classes = logits.shape[1] as number
  const result = new Float64Array(logits.data.length)
  for (let start = 0; start < result.length; start += classes) {
    const row = logits.data.subarray(start, start + classes)
    const max = row.reduce((a, b) => Math.max(a, b), -Infinity)
    const logSum = max + Math.log(row.reduce((sum, x) => sum + Math.exp(x - max), 0))
    for (let k = 0; k < classes; k++) result[start + k] = (row[k] as number) - logSum
  }
  return result
}

/** log softmax of each row of `[batch, classes]` */
export const logSoftmax: OpRule<NoAttributes> = {
  arity: [1, 1],
  infer: inferRows,
  gradient({ add, inputs, upstream }) {
    const logits = inputs[0] as (typeof inputs)[0]
    const sums = add('reshape', [add('reduceSum', [upstream], { dims: [1] })], { shape: [logits.shape[0] as 'batch', 1] })
    return [add('sub', [upstream, add('mul', [add('softmax', [logits], {}), sums], {})], {})]
  },
  lower: ({ emit, inputs }) => emit('LogSoftmax', inputs, { axis: 1 }),
  evaluate: ({ inputs }) => logSoftmaxRows(inputs[0] as ReferenceTensor),
}

/** softmax of each row of `[batch, classes]` */
export const softmax: OpRule<NoAttributes> = {
  arity: [1, 1],
  infer: inferRows,
  gradient({ add, output, upstream }) {
    const product = add('mul', [output, upstream], {})
    const sums = add('reshape', [add('reduceSum', [product], { dims: [1] })], { shape: [output.shape[0] as 'batch', 1] })
    return [add('sub', [product, add('mul', [output, sums], {})], {})]
  },
  lower: ({ emit, inputs }) => emit('Softmax', inputs, { axis: 1 }),
  evaluate: ({ inputs }) => logSoftmaxRows(inputs[0] as ReferenceTensor).map(Math.exp),
}

/** Checks (logits `[batch, classes]`, target `[batch]` int32, weight `[batch]`, divisor `[]`). */
function requireLossInputs(inputs: readonly TensorType[], layer: string): TensorType {
  const [logits, target, weight, divisor] = inputs as [TensorType, TensorType, TensorType, TensorType?]
  requireRank(2, logits.shape, layer, 'batch, classes')
  if (target.dtype !== 'int32') throw new DTypeError(`${layer}: the target holds other elements — expected int32, got ${target.dtype}`)
  requireFloat(divisor === undefined ? [logits, weight] : [logits, weight, divisor], layer)
  requireSameShape([logits.shape[0] as 'batch'], target.shape, layer)
  requireSameShape([logits.shape[0] as 'batch'], weight.shape, layer)
  if (divisor !== undefined) requireSameShape([], divisor.shape, layer)
  return logits
}

/** 1 where the column is the row's class, as float32 `[batch, classes]`. */
function oneHot({ emit, constant, inputs, inputTypes, shared }: LowerContext<unknown>): string {
  const target = inputs[1] as string
  const classes = Number((inputTypes[0] as TensorType).shape[1])
  return shared(`one-hot ${target} ${classes}`, () => {
    const column = emit('Unsqueeze', [target, constant([1], [1], 'int64')])
    const numbers = constant(
      Array.from({ length: classes }, (_, k) => k),
      [classes],
      'int32',
    )
    return emit('Cast', [emit('Equal', [column, numbers])], { to: 1 })
  })
}

function logProbabilities({ emit, inputs, shared }: LowerContext<unknown>): string {
  return shared(`log softmax ${inputs[0]}`, () => emit('LogSoftmax', [inputs[0] as string], { axis: 1 }))
}

/** Inputs: logits, target, weight, divisor; value: Σᵢ −wᵢ·log softmax(logitsᵢ)[targetᵢ] / divisor, a scalar. */
export const softmaxCrossEntropy: OpRule<OpAttributes['softmaxCrossEntropy']> = {
  arity: [4, 4],
  infer(inputs, _, { layer }) {
    requireLossInputs(inputs, layer)
    return float32([])
  },
  gradient({ add, inputs, upstream }) {
    return [add('mul', [add('softmaxCrossEntropyGradient', inputs, {}), upstream], {})]
  },
  lower(context) {
    const { emit, inputs, constant } = context
    const chosen = emit('Mul', [logProbabilities(context), oneHot(context)])
    const perSample = emit('ReduceSum', [chosen, constant([1], [1], 'int64')], { keepdims: 0 })
    const weighted = emit('ReduceSum', [emit('Mul', [perSample, inputs[2] as string])], { keepdims: 0 })
    return emit('Neg', [emit('Div', [weighted, inputs[3] as string])])
  },
  evaluate({ inputs }) {
    const [logits, target, weight, divisor] = inputs as [ReferenceTensor, ReferenceTensor, ReferenceTensor, ReferenceTensor]
    const logs = logSoftmaxRows(logits)
    const classes = logits.shape[1] as number
    let sum = 0
    target.data.forEach((k, i) => {
      sum -= (weight.data[i] as number) * (logs[i * classes + k] as number)
    })
    return Float64Array.of(sum / (divisor.data[0] as number))
  },
}

/** The gradient of {@link softmaxCrossEntropy} with respect to the logits: (softmax − one-hot)·wᵢ/divisor. */
export const softmaxCrossEntropyGradient: OpRule<OpAttributes['softmaxCrossEntropyGradient']> = {
  arity: [4, 4],
  infer: (inputs, _, { layer }) => float32(requireLossInputs(inputs, layer).shape),
  lower(context) {
    const { emit, inputs, constant } = context
    const error = emit('Sub', [emit('Exp', [logProbabilities(context)]), oneHot(context)])
    const share = emit('Div', [inputs[2] as string, inputs[3] as string])
    return emit('Mul', [error, emit('Unsqueeze', [share, constant([1], [1], 'int64')])])
  },
  evaluate({ inputs }) {
    const [logits, target, weight, divisor] = inputs as [ReferenceTensor, ReferenceTensor, ReferenceTensor, ReferenceTensor]
    const classes = logits.shape[1] as number
    return logSoftmaxRows(logits).map((log, element) => {
      const i = Math.floor(element / classes)
      const hot = target.data[i] === element % classes ? 1 : 0
      return ((Math.exp(log) - hot) * (weight.data[i] as number)) / (divisor.data[0] as number)
    })
  },
}

/** Inputs: logits, target, weight; value: Σᵢ wᵢ·[the first largest logit is the target's], a scalar. */
export const correctCount: OpRule<OpAttributes['correctCount']> = {
  arity: [3, 3],
  infer(inputs, _, { layer }) {
    requireLossInputs(inputs, layer)
    return float32([])
  },
  lower({ emit, inputs }) {
    const [logits, target, weight] = inputs as [string, string, string]
    const best = emit('Cast', [emit('ArgMax', [logits], { axis: 1, keepdims: 0 })], { to: 6 })
    const hits = emit('Cast', [emit('Equal', [best, target])], { to: 1 })
    return emit('ReduceSum', [emit('Mul', [hits, weight])], { keepdims: 0 })
  },
  evaluate({ inputs }) {
    const [logits, target, weight] = inputs as [ReferenceTensor, ReferenceTensor, ReferenceTensor]
    const classes = logits.shape[1] as number
    let sum = 0
    target.data.forEach((k, i) => {
      const row = logits.data.subarray(i * classes, (i + 1) * classes)
      if (row.indexOf(Math.max(...row)) === k) sum += weight.data[i] as number
    })
    return Float64Array.of(sum)
  },
}
