/** Element-wise activations and their gradients in terms of the activation's value, and dropout with its mask as an input. */
import type { TensorType } from '../graph.ts'
import type { Layout } from '../layouts.ts'
import type { NoAttributes, OpAttributes } from './attributes.ts'
import { requireFloat } from './elementwise.ts'
import { float32 } from './rule.ts'
import type { LowerContext, OpRule, ReferenceTensor, ShapeContext, LayoutContext } from './rule.ts'
import { requireSameShape } from './require-shape.ts'

/** The type of the inputs, which are float32 and of one shape. */
export function inferLike(inputs: readonly TensorType[], _: unknown, { layer }: ShapeContext): TensorType {
  requireFloat(inputs, layer)
  const [first, ...others] = inputs as [TensorType, ...TensorType[]]
  for (const other of others) requireSameShape(first.shape, other.shape, layer)
  return float32(first.shape)
}

/** Element-wise operators of equal shapes take values as they are stored: all inputs in the layout of the value. */
export const elementwiseLayout = {
  layout: ({ inputLayouts, wanted }: LayoutContext<unknown>) => inputLayouts.find((layout) => layout !== undefined) ?? wanted,
  wants: ({ inputTypes, layout }: LayoutContext<unknown> & { readonly layout: Layout | undefined }) => inputTypes.map(() => layout),
}

/** The inputs in the layout of the value. */
export function alike({ inputTypes, layout, inputAs }: LowerContext<unknown>): readonly string[] {
  return inputTypes.map((_, i) => inputAs(i, layout))
}

function activation(
  opType: string,
  gradientOp: 'reluGradient' | 'tanhGradient' | 'sigmoidGradient',
  compute: (x: number) => number,
): OpRule<NoAttributes> {
  return {
    arity: [1, 1],
    infer: inferLike,
    gradient: ({ add, output, upstream }) => [add(gradientOp, [output, upstream], {})],
    ...elementwiseLayout,
    lower: (context) => context.emit(opType, alike(context)),
    evaluate: ({ inputs }) => (inputs[0] as ReferenceTensor).data.map(compute),
  }
}

/** Inputs: the activation's value y and dL/dy; value: dL/dx. */
function activationGradient(
  compute: (y: number, dy: number) => number,
  lower: (y: string, dy: string, context: LowerContext<NoAttributes>) => string,
): OpRule<NoAttributes> {
  return {
    arity: [2, 2],
    infer: inferLike,
    ...elementwiseLayout,
    lower(context) {
      const [y, dy] = alike(context) as [string, string]
      return lower(y, dy, context)
    },
    evaluate({ inputs }) {
      const [y, dy] = inputs as [ReferenceTensor, ReferenceTensor]
      return y.data.map((value, i) => compute(value, dy.data[i] as number))
    },
  }
}

/** max(x, 0); the derivative at 0 is 0 */
export const relu = activation('Relu', 'reluGradient', (x) => Math.max(x, 0))

/** dy where y > 0, else 0 */
export const reluGradient = activationGradient(
  (y, dy) => (y > 0 ? dy : 0),
  (y, dy, { emit, constant }) => {
    const zero = constant([0], [], 'float32')
    return emit('Mul', [dy, emit('Cast', [emit('Greater', [y, zero])], { to: 1 })])
  },
)

/** tanh x */
export const tanh = activation('Tanh', 'tanhGradient', Math.tanh)

/** dy·(1 − y²) */
export const tanhGradient = activationGradient(
  (y, dy) => dy * (1 - y * y),
  (y, dy, { emit, constant }) => {
    const one = constant([1], [], 'float32')
    return emit('Mul', [dy, emit('Sub', [one, emit('Mul', [y, y])])])
  },
)

/** 1 / (1 + e^−x) */
export const sigmoid = activation('Sigmoid', 'sigmoidGradient', (x) => 1 / (1 + Math.exp(-x)))

/** dy·y·(1 − y) */
export const sigmoidGradient = activationGradient(
  (y, dy) => dy * y * (1 - y),
  (y, dy, { emit, constant }) => {
    const one = constant([1], [], 'float32')
    return emit('Mul', [dy, emit('Mul', [y, emit('Sub', [one, y])])])
  },
)

/**
 * x · mask, where the mask holds 0 with probability `rate` and 1/(1 − rate) otherwise, and is an input of the graph: the same
 * mask whoever computes the sample. Without a mask (evaluation): x.
 */
export const dropout: OpRule<OpAttributes['dropout']> = {
  arity: [1, 2],
  infer: inferLike,
  gradient({ add, inputs, upstream }) {
    const mask = inputs[1]
    return [mask === undefined ? upstream : add('mul', [upstream, mask], {})]
  },
  ...elementwiseLayout,
  lower: (context) => context.emit(context.inputTypes.length === 2 ? 'Mul' : 'Identity', alike(context)),
  evaluate({ inputs }) {
    const [x, mask] = inputs as [ReferenceTensor, ReferenceTensor | undefined]
    return mask === undefined ? x.data.slice() : x.data.map((value, i) => value * (mask.data[i] as number))
  },
}
