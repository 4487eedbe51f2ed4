/** Element-wise operators of two values, with broadcasting, and scaling by a number. */
import { DTypeError } from '../../errors.ts'
import type { TensorType } from '../graph.ts'
import type { NoAttributes, OpAttributes } from './attributes.ts'
import { broadcastShapes, broadcastStrides, forEachElement, sumTo } from './broadcast.ts'
import { bindShapeAttribute, float32 } from './rule.ts'
import type { EvaluateContext, GradientContext, LowerContext, OpRule } from './rule.ts'

/** All inputs must be float32. @throws {DTypeError} DTYPE */
export function requireFloat(inputs: readonly TensorType[], layer: string): void {
  for (const input of inputs) {
    if (input.dtype !== 'float32')
      throw new DTypeError(`${layer}: the operator takes other elements — expected float32, got ${input.dtype}`)
  }
}

type Binary = OpRule<NoAttributes>

function binary(
  opType: string,
  compute: (a: number, b: number) => number,
  gradient: (context: GradientContext<NoAttributes>) => ReturnType<NonNullable<Binary['gradient']>>,
): Binary {
  return {
    arity: [2, 2],
    infer(inputs, _, { layer }) {
      requireFloat(inputs, layer)
      const [a, b] = inputs as [TensorType, TensorType]
      return float32(broadcastShapes(a.shape, b.shape, layer))
    },
    gradient,
    lower: ({ emit, inputs }) => emit(opType, inputs),
    evaluate({ inputs, shape }) {
      const [a, b] = inputs as [EvaluateContext<NoAttributes>['inputs'][0], EvaluateContext<NoAttributes>['inputs'][0]]
      const result = new Float64Array(shape.reduce((product, dim) => product * dim, 1))
      forEachElement(shape, [broadcastStrides(a.shape, shape), broadcastStrides(b.shape, shape)], (element, [i, j]) => {
        result[element] = compute(a.data[i as number] as number, b.data[j as number] as number)
      })
      return result
    },
  }
}

/** a + b */
export const add = binary(
  'Add',
  (a, b) => a + b,
  (context) => {
    return context.inputs.map((input, i) => (context.needs(i) ? sumTo(context, context.upstream, input.shape) : undefined))
  },
)

/** a − b */
export const sub = binary(
  'Sub',
  (a, b) => a - b,
  (context) => {
    const { inputs, upstream, needs } = context
    return inputs.map((input, i) => {
      if (!needs(i)) return undefined
      const summed = sumTo(context, upstream, input.shape)
      return i === 0 ? summed : context.add('scale', [summed], { factor: -1 })
    })
  },
)

/** a · b */
export const mul = binary(
  'Mul',
  (a, b) => a * b,
  (context) => {
    const { inputs, upstream, needs } = context
    return inputs.map((input, i) => {
      const other = inputs[1 - i]
      if (!needs(i) || other === undefined) return undefined
      return sumTo(context, context.add('mul', [upstream, other], {}), input.shape)
    })
  },
)

/** a / b */
export const div = binary(
  'Div',
  (a, b) => a / b,
  (context) => {
    const { inputs, output, upstream, needs } = context
    return inputs.map((input, i) => {
      const divisor = inputs[1]
      if (!needs(i) || divisor === undefined) return undefined
      const quotient = context.add('div', [upstream, divisor], {})
      if (i === 0) return sumTo(context, quotient, input.shape)
      // d(a/b)/db = -(a/b)/b
      const product = context.add('mul', [quotient, output], {})
      return sumTo(context, context.add('scale', [product], { factor: -1 }), input.shape)
    })
  },
)

/** factor · x */
export const scale: OpRule<OpAttributes['scale']> = {
  arity: [1, 1],
  infer(inputs, _, { layer }) {
    requireFloat(inputs, layer)
    return float32((inputs[0] as TensorType).shape)
  },
  gradient: ({ add: emit, upstream, attrs }) => [emit('scale', [upstream], attrs)],
  lower({ emit, inputs, constant, attrs }: LowerContext<OpAttributes['scale']>) {
    if (attrs.factor === -1) return emit('Neg', inputs)
    return emit('Mul', [...inputs, constant([attrs.factor], [], 'float32')])
  },
  evaluate: ({ inputs, attrs }) => (inputs[0] as { data: Float64Array }).data.map((value) => attrs.factor * value),
}

/** A constant: every element is `value`. */
export const fill: OpRule<OpAttributes['fill']> = {
  arity: [0, 0],
  infer: (_, attrs) => float32(attrs.shape),
  gradient: () => [],
  bind: bindShapeAttribute,
  lower({ emit, constant, attrs, type, shapeTensor }) {
    if (type.shape.length === 0) return constant([attrs.value], [], 'float32')
    return emit('Expand', [constant([attrs.value], [], 'float32'), shapeTensor(type.shape)])
  },
  evaluate: ({ shape, attrs }) => new Float64Array(shape.reduce((product, dim) => product * dim, 1)).fill(attrs.value),
}
