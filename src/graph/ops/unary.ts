/** Element-wise functions of one value. */
import { ConfigError } from '../../errors.ts'
import type { Value } from '../builder.ts'
import { elementwiseLayout, alike, inferLike } from './activations.ts'
import type { NoAttributes, OpAttributes } from './attributes.ts'
import { erf as errorFunction } from './erf.ts'
import type { GradientContext, OpRule, ReferenceTensor } from './rule.ts'

function unary(
  opType: string,
  compute: (x: number) => number,
  gradient: (context: GradientContext<NoAttributes>, x: Value) => Value,
): OpRule<NoAttributes> {
  return {
    arity: [1, 1],
    infer: inferLike,
    gradient: (context) => [gradient(context, context.inputs[0] as Value)],
    ...elementwiseLayout,
    lower: (context) => context.emit(opType, alike(context)),
    evaluate: ({ inputs }) => (inputs[0] as ReferenceTensor).data.map(compute),
  }
}

/** e^x */
export const exp = unary('Exp', Math.exp, ({ add, output, upstream }) => add('mul', [upstream, output], {}))

/** Natural logarithm; −∞ at 0. */
export const log = unary('Log', Math.log, ({ add, upstream }, x) => add('div', [upstream, x], {}))

/** √x; the derivative at 0 is infinite. */
export const sqrt = unary('Sqrt', Math.sqrt, ({ add, output, upstream }) =>
  add('scale', [add('div', [upstream, output], {})], { factor: 0.5 }),
)

/** 1/x */
export const reciprocal = unary(
  'Reciprocal',
  (x) => 1 / x,
  ({ add, output, upstream }) => add('scale', [add('mul', [upstream, add('mul', [output, output], {})], {})], { factor: -1 }),
)

/** 2/√π · ∫ e^(−t²) dt from 0 to x. */
export const erf = unary('Erf', errorFunction, ({ add, upstream }, x) => {
  const bell = add('exp', [add('scale', [add('square', [x], {})], { factor: -1 })], {})
  return add('scale', [add('mul', [upstream, bell], {})], { factor: 2 / Math.sqrt(Math.PI) })
})

/** |x|; the derivative at 0 is 0. */
export const abs = unary('Abs', Math.abs, ({ add, upstream }, x) => add('absGradient', [x, upstream], {}))

/** Inputs: x and dL/dy of {@link abs}; value: dy·sign x. */
export const absGradient: OpRule<NoAttributes> = {
  arity: [2, 2],
  infer: inferLike,
  ...elementwiseLayout,
  lower(context) {
    const [x, dy] = alike(context) as [string, string]
    return context.emit('Mul', [dy, context.emit('Sign', [x])])
  },
  evaluate({ inputs }) {
    const [x, dy] = inputs as [ReferenceTensor, ReferenceTensor]
    return x.data.map((value, i) => Math.sign(value) * (dy.data[i] as number))
  },
}

/** x² */
export const square: OpRule<NoAttributes> = {
  ...unary(
    'Mul',
    (x) => x * x,
    ({ add, upstream }, x) => add('scale', [add('mul', [upstream, x], {})], { factor: 2 }),
  ),
  lower(context) {
    const [x] = alike(context) as [string]
    return context.emit('Mul', [x, x])
  },
}

/** x between `min` and `max`; the derivative is 1 strictly between them, else 0. */
export const clip: OpRule<OpAttributes['clip']> = {
  arity: [1, 1],
  infer(inputs, { min, max }, context) {
    if (!(min < max)) throw new ConfigError(`${context.layer}: the bounds cannot be used — expected min < max, got ${min} and ${max}`)
    return inferLike(inputs, {}, context)
  },
  gradient: ({ add, output, upstream, attrs }) => [add('clipGradient', [output, upstream], attrs)],
  ...elementwiseLayout,
  lower(context) {
    const bound = (value: number): string => context.constant([value], [], 'float32')
    return context.emit('Clip', [...alike(context), bound(context.attrs.min), bound(context.attrs.max)])
  },
  evaluate: ({ inputs, attrs }) => (inputs[0] as ReferenceTensor).data.map((x) => Math.min(Math.max(x, attrs.min), attrs.max)),
}

/** Inputs: the value y of {@link clip} and dL/dy; value: dy where min < y < max, else 0. */
export const clipGradient: OpRule<OpAttributes['clipGradient']> = {
  arity: [2, 2],
  infer: inferLike,
  ...elementwiseLayout,
  lower(context) {
    const { emit, constant, attrs } = context
    const [y, dy] = alike(context) as [string, string]
    const bound = (value: number): string => constant([value], [], 'float32')
    const isInside = emit('And', [emit('Greater', [y, bound(attrs.min)]), emit('Less', [y, bound(attrs.max)])])
    return emit('Mul', [dy, emit('Cast', [isInside], { to: 1 })])
  },
  evaluate({ inputs, attrs }) {
    const [y, dy] = inputs as [ReferenceTensor, ReferenceTensor]
    return y.data.map((value, i) => (value > attrs.min && value < attrs.max ? (dy.data[i] as number) : 0))
  },
}
