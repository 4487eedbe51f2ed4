/**
 * Softmax, its logarithm, and the cross-entropy of class numbers as a weighted partial sum: Σᵢ wᵢ·ℓᵢ / divisor. Weights and divisor
 * are inputs of the graph, so a rank that holds a part of the global batch computes its part of the global mean, whatever the parts'
 * sizes are, and a padded row has weight 0. A target of −1 is ignored: its row counts nowhere.
 */
import { DTypeError, ShapeError } from '../../errors.ts'
import type { Value } from '../builder.ts'
import { formatShape } from '../graph.ts'
import type { TensorType } from '../graph.ts'
import type { NoAttributes, OpAttributes } from './attributes.ts'
import { requireFloat } from './elementwise.ts'
import { requireRank, requireSameShape } from './require-shape.ts'
import { float32 } from './rule.ts'
import type { GradientContext, LowerContext, OpRule, ReferenceTensor, ShapeContext } from './rule.ts'

function inferRows(inputs: readonly TensorType[], _: unknown, { layer }: ShapeContext): TensorType {
  requireFloat(inputs, layer)
  const { shape } = inputs[0] as TensorType
  if (typeof shape.at(-1) !== 'number') {
    throw new ShapeError(`${layer}: there are no classes in the last dim — expected [batch, …, classes], got ${formatShape(shape)}`)
  }
  return float32(shape)
}

/** Rows of log-probabilities, computed after subtracting the row's maximum. */
function logSoftmaxRows(logits: ReferenceTensor): Float64Array {
  const classes = logits.shape.at(-1) as number
  const result = new Float64Array(logits.data.length)
  for (let start = 0; start < result.length; start += classes) {
    const row = logits.data.subarray(start, start + classes)
    const max = row.reduce((a, b) => Math.max(a, b), -Infinity)
    const logSum = max + Math.log(row.reduce((sum, x) => sum + Math.exp(x - max), 0))
    for (let k = 0; k < classes; k++) result[start + k] = (row[k] as number) - logSum
  }
  return result
}

/** Sums over the last dim, which stays with extent 1. */
function rowSums(add: GradientContext<NoAttributes>['add'], value: Value): Value {
  const last = value.shape.length - 1
  return add('reshape', [add('reduceSum', [value], { dims: [last] })], { shape: [...value.shape.slice(0, last), 1] })
}

/** log softmax over the last dim */
export const logSoftmax: OpRule<NoAttributes> = {
  arity: [1, 1],
  infer: inferRows,
  gradient({ add, inputs, upstream }) {
    const probabilities = add('softmax', [inputs[0] as Value], {})
    return [add('sub', [upstream, add('mul', [probabilities, rowSums(add, upstream)], {})], {})]
  },
  lower: ({ emit, inputs }) => emit('LogSoftmax', inputs, { axis: -1 }),
  evaluate: ({ inputs }) => logSoftmaxRows(inputs[0] as ReferenceTensor),
}

/** softmax over the last dim */
export const softmax: OpRule<NoAttributes> = {
  arity: [1, 1],
  infer: inferRows,
  gradient: ({ add, output, upstream }) => [add('softmaxGradient', [output, upstream], {})],
  lower: ({ emit, inputs }) => emit('Softmax', inputs, { axis: -1 }),
  evaluate: ({ inputs }) => logSoftmaxRows(inputs[0] as ReferenceTensor).map(Math.exp),
}

/** Inputs: y = softmax(x), dL/dy; value: dL/dx = y·dL/dy − y·Σ y·dL/dy, the sum over the row. */
export const softmaxGradient: OpRule<NoAttributes> = {
  arity: [2, 2],
  infer(inputs, _, context) {
    const [y, upstream] = inputs as [TensorType, TensorType]
    requireSameShape(y.shape, upstream.shape, context.layer)
    return inferRows(inputs, _, context)
  },
  lower({ emit, inputs, constant }) {
    const [y] = inputs as [string]
    const product = emit('Mul', inputs)
    const sums = emit('ReduceSum', [product, constant([-1], [1], 'int64')], { keepdims: 1 })
    return emit('Sub', [product, emit('Mul', [y, sums])])
  },
  evaluate({ inputs, shape }) {
    const [y, upstream] = inputs as [ReferenceTensor, ReferenceTensor]
    const classes = shape.at(-1) as number
    const products = y.data.map((probability, i) => probability * (upstream.data[i] as number))
    return products.map((product, i) => {
      const start = i - (i % classes)
      const sum = products.subarray(start, start + classes).reduce((total, value) => total + value, 0)
      return product - (y.data[i] as number) * sum
    })
  },
}

/** Checks (logits `[batch, classes]`, target `[batch]` int32, weight `[batch]`, divisor `[]`). */
export function requireLossInputs(inputs: readonly TensorType[], layer: string): TensorType {
  const [logits, target, weight, divisor] = inputs as [TensorType, TensorType, TensorType, TensorType?]
  requireRank(2, logits.shape, layer, 'batch, classes')
  if (target.dtype !== 'int32') throw new DTypeError(`${layer}: the target holds other elements — expected int32, got ${target.dtype}`)
  requireFloat(divisor === undefined ? [logits, weight] : [logits, weight, divisor], layer)
  requireSameShape([logits.shape[0] as 'batch'], target.shape, layer)
  requireSameShape([logits.shape[0] as 'batch'], weight.shape, layer)
  if (divisor !== undefined) requireSameShape([], divisor.shape, layer)
  return logits
}

function logProbabilities({ emit, inputs, shared }: LowerContext<unknown>): string {
  return shared(`log softmax ${inputs[0]}`, () => emit('LogSoftmax', [inputs[0] as string], { axis: 1 }))
}

/** The target as a column `[rows, 1]`: −1, which counts from the end, reads some class, and the weight of its row is 0. */
function targetColumn({ emit, inputs, constant, shared }: LowerContext<unknown>): string {
  return shared(`target column ${inputs[1]}`, () => emit('Unsqueeze', [inputs[1] as string, constant([1], [1], 'int64')]))
}

/** Weights, 0 where the target is −1, as a column `[rows, 1]`. */
function countedWeights(context: LowerContext<unknown>): string {
  const { emit, inputs, constant, shared } = context
  return shared(`counted weights ${inputs[1]} ${inputs[2]}`, () => {
    const isCounted = emit('Cast', [emit('GreaterOrEqual', [targetColumn(context), constant([0], [], 'int32')])], { to: 1 })
    return emit('Mul', [emit('Unsqueeze', [inputs[2] as string, constant([1], [1], 'int64')]), isCounted])
  })
}

/**
 * Inputs: logits `[rows, classes]`, target `[rows]`, weight `[rows]`, divisor `[]`; value: Σᵢ −wᵢ·log softmax(logitsᵢ)[targetᵢ] / divisor, a scalar.
 * Rows with target −1 do not count. The log-probabilities of the targets are gathered, which is cheap for any number of classes.
 */
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
    const { emit, inputs } = context
    const chosen = emit('GatherElements', [logProbabilities(context), targetColumn(context)], { axis: 1 })
    const weighted = emit('ReduceSum', [emit('Mul', [chosen, countedWeights(context)])], { keepdims: 0 })
    return emit('Neg', [emit('Div', [weighted, inputs[3] as string])])
  },
  evaluate({ inputs }) {
    const [logits, target, weight, divisor] = inputs as [ReferenceTensor, ReferenceTensor, ReferenceTensor, ReferenceTensor]
    const logs = logSoftmaxRows(logits)
    const classes = logits.shape[1] as number
    let sum = 0
    target.data.forEach((k, i) => {
      if (k >= 0) sum -= (weight.data[i] as number) * (logs[i * classes + k] as number)
    })
    return Float64Array.of(sum / (divisor.data[0] as number))
  },
}

/** The gradient of {@link softmaxCrossEntropy} with respect to the logits: (softmax − one-hot)·wᵢ/divisor; 0 in rows with target −1. */
export const softmaxCrossEntropyGradient: OpRule<OpAttributes['softmaxCrossEntropyGradient']> = {
  arity: [4, 4],
  infer: (inputs, _, { layer }) => float32(requireLossInputs(inputs, layer).shape),
  lower(context) {
    const { emit, inputs, constant, type } = context
    const rows = Number(type.shape[0])
    const minusOne = constant(new Array<number>(rows).fill(-1), [rows, 1], 'float32')
    // Adds in place where the classes are: neither a one-hot matrix nor a copy of the probabilities.
    const probabilities = emit('Exp', [logProbabilities(context)])
    const error = emit('ScatterElements', [probabilities, targetColumn(context), minusOne], { axis: 1, reduction: 'add' })
    return emit('Mul', [error, emit('Div', [countedWeights(context), inputs[3] as string])])
  },
  evaluate({ inputs }) {
    const [logits, target, weight, divisor] = inputs as [ReferenceTensor, ReferenceTensor, ReferenceTensor, ReferenceTensor]
    const classes = logits.shape[1] as number
    return logSoftmaxRows(logits).map((log, element) => {
      const i = Math.floor(element / classes)
      const k = target.data[i] as number
      if (k < 0) return 0
      return ((Math.exp(log) - (k === element % classes ? 1 : 0)) * (weight.data[i] as number)) / (divisor.data[0] as number)
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
