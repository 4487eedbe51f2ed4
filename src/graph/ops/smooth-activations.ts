/** Activations whose gradients are computed from x: GELU, SiLU, leaky ReLU. */
import { erf } from './erf.ts'
import { alike, elementwiseLayout, inferLike } from './activations.ts'
import type { OpAttributes, OpName } from './attributes.ts'
import type { LowerContext, OpRule, ReferenceTensor } from './rule.ts'

type Lower<A> = (x: string, context: LowerContext<A>) => string
type LowerGradient<A> = (x: string, dy: string, context: LowerContext<A>) => string

/** The activation and its gradient operator (inputs x and dL/dy) from formulas for one element. */
function pairOf<A extends object>(
  gradientOp: OpName,
  compute: (x: number, attrs: A) => number,
  derivative: (x: number, attrs: A) => number,
  lower: Lower<A>,
  lowerGradient: LowerGradient<A>,
): readonly [OpRule<A>, OpRule<A>] {
  const forward: OpRule<A> = {
    arity: [1, 1],
    infer: inferLike,
    gradient: ({ add, inputs, upstream, attrs }) => [add(gradientOp, [...inputs, upstream], attrs as never)],
    ...elementwiseLayout,
    lower: (context) => lower(alike(context)[0] as string, context),
    evaluate: ({ inputs, attrs }) => (inputs[0] as ReferenceTensor).data.map((x) => compute(x, attrs)),
  }
  const backward: OpRule<A> = {
    arity: [2, 2],
    infer: inferLike,
    ...elementwiseLayout,
    lower(context) {
      const [x, dy] = alike(context) as [string, string]
      return lowerGradient(x, dy, context)
    },
    evaluate({ inputs, attrs }) {
      const [x, dy] = inputs as [ReferenceTensor, ReferenceTensor]
      return x.data.map((value, i) => derivative(value, attrs) * (dy.data[i] as number))
    },
  }
  return [forward, backward]
}

/**
 * gelu: x·Φ(x), with the exact normal distribution function Φ; geluGradient: dy·(Φ(x) + x·φ(x)).
 * @see Hendrycks, Gimpel, Gaussian error linear units (GELUs), arXiv 1606.08415, 2016
 */
export const [gelu, geluGradient] = pairOf<OpAttributes['gelu']>(
  'geluGradient',
  (x) => (x * (1 + erf(x * Math.SQRT1_2))) / 2,
  (x) => (1 + erf(x * Math.SQRT1_2)) / 2 + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI),
  (x, { emit, constant, target }) => {
    if (target === 'native') return emit('Gelu', [x], {}, { domain: 'com.microsoft' })
    const scaled = emit('Erf', [emit('Mul', [x, constant([Math.SQRT1_2], [], 'float32')])])
    const sum = emit('Add', [scaled, constant([1], [], 'float32')])
    return emit('Mul', [emit('Mul', [x, constant([0.5], [], 'float32')]), sum])
  },
  (x, dy, { emit, constant }) => {
    const number = (value: number): string => constant([value], [], 'float32')
    // With u = x/√2: Φ = (1 + erf u)/2, by an operator that scales and shifts in one pass (and clips what cannot be), and xφ = u·e^(−u²)/√π.
    const u = emit('Mul', [x, number(Math.SQRT1_2)])
    const bell = emit('Exp', [emit('Neg', [emit('Mul', [u, u])])])
    const slope = emit('Mul', [emit('Mul', [u, bell]), number(1 / Math.sqrt(Math.PI))])
    const share = emit('HardSigmoid', [emit('Erf', [u])], { alpha: { float: 0.5 }, beta: { float: 0.5 } })
    return emit('Mul', [dy, emit('Add', [share, slope])])
  },
)

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

/**
 * silu: x·σ(x), also called swish; siluGradient: dy·σ(x)·(1 + x·(1 − σ(x))).
 * @see Elfwing, Uchibe, Doya, Sigmoid-weighted linear units for neural network function approximation, Neural Networks 107, 2018
 */
export const [silu, siluGradient] = pairOf<OpAttributes['silu']>(
  'siluGradient',
  (x) => x * sigmoid(x),
  (x) => sigmoid(x) * (1 + x * (1 - sigmoid(x))),
  (x, { emit }) => emit('Mul', [x, emit('Sigmoid', [x])]),
  (x, dy, { emit, constant }) => {
    const one = constant([1], [], 'float32')
    const s = emit('Sigmoid', [x])
    const slope = emit('Add', [emit('Mul', [x, emit('Sub', [one, s])]), one])
    return emit('Mul', [dy, emit('Mul', [s, slope])])
  },
)

/**
 * leakyRelu: x where x > 0, else slope·x; the derivative at 0 is `slope`.
 * @see Maas, Hannun, Ng, Rectifier nonlinearities improve neural network acoustic models, ICML 2013
 */
export const [leakyRelu, leakyReluGradient] = pairOf<OpAttributes['leakyRelu']>(
  'leakyReluGradient',
  (x, { slope }) => (x > 0 ? x : slope * x),
  (x, { slope }) => (x > 0 ? 1 : slope),
  (x, { emit, attrs }) => emit('LeakyRelu', [x], { alpha: { float: attrs.slope } }),
  (x, dy, { emit, constant, attrs }) => {
    const number = (value: number): string => constant([value], [], 'float32')
    const factor = emit('Where', [emit('Greater', [x, number(0)]), number(1), number(attrs.slope)])
    return emit('Mul', [dy, factor])
  },
)
