/**
 * A layer of gated recurrent units over a sequence, after the product with its inputs:
 *
 *   r = σ(x_r + h_{t−1}·R_rᵀ),  z = σ(x_z + h_{t−1}·R_zᵀ),  q = h_{t−1}·R_nᵀ + b,  n = tanh(x_n + r·q),  h_t = n + z·(h_{t−1} − n)
 *
 * The reset gate r acts after the product, so that one product serves all gates; the paper's own form applies it before.
 * @see Cho et al., Learning phrase representations using RNN encoder-decoder, EMNLP 2014
 * @see Chung et al., Empirical evaluation of gated recurrent neural networks on sequence modeling, arXiv 1412.3555, 2014
 */
import { perSample } from '../graph.ts'
import type { Shape, TensorType } from '../graph.ts'
import type { Value } from '../builder.ts'
import type { NoAttributes } from './attributes.ts'
import { recurrentProduct } from './lstm.ts'
import { dot, logistic, requireRecurrent, Rows } from './recurrent.ts'
import { requireSameShape } from './require-shape.ts'
import { float32 } from './rule.ts'
import type { OpRule, ReferenceTensor } from './rule.ts'

/** ONNX names of what every step of the forward pass computes; all `[batch, hidden]`. */
export interface GruStep {
  /** r, z, n after their activations, and q: the candidate's product with the state, before the reset gate. */
  readonly gates: readonly [string, string, string, string]
  readonly hidden: string
}

/** Key under which a lowering keeps its steps for the gates in the same graph. */
export function gruStepsKey(projected: string, recurrent: string, bias: string, state: string | undefined): string {
  return `gru steps ${projected} ${recurrent} ${bias} ${state}`
}

/**
 * Inputs: projected `[steps, batch, 3·hidden]` (r, z, n side by side, with their bias), recurrent `[3·hidden, hidden]`, bias `[hidden]` inside of
 * the reset gate, and the state before the first step `[batch, hidden]` (default zeros). Value: h of all steps `[steps, batch, hidden]`.
 */
export const gru: OpRule<NoAttributes> = {
  arity: [3, 4],
  infer(inputs, _, { layer }) {
    const { steps, batch, hidden } = requireRecurrent(inputs, 3, layer)
    requireSameShape([hidden], (inputs[2] as TensorType).shape, layer)
    const state = inputs[3]
    if (state !== undefined) requireSameShape([batch, hidden], state.shape, layer)
    return float32([steps, batch, hidden])
  },
  gradient({ add, inputs, output, upstream, needs }) {
    const [projected, recurrent, bias, state] = inputs as [Value, Value, Value, Value?]
    const before = state === undefined ? [] : [state]
    const gates = add('gruGates', [projected, recurrent, bias, output, ...before], {})
    const walk = [gates, recurrent, output, upstream, ...before]
    const hidden = output.shape[2] as number
    const sums = needs(1) || needs(2) ? add('gruRecurrentGradient', walk, {}) : undefined
    const initial = state === undefined ? undefined : add('reshape', [state], { shape: [1, ...state.shape] })
    const ofProducts = (value: Value): Value => add('slice', [value], { dim: 2, start: 2 * hidden, end: 3 * hidden })
    return [
      needs(0) ? add('gruGradient', walk, {}) : undefined,
      sums !== undefined && needs(1) ? recurrentProduct(add, sums, output, initial) : undefined,
      sums !== undefined && needs(2) ? add('reduceSum', [ofProducts(sums)], { dims: [0, 1] }) : undefined,
      needs(3) ? add('gruStateGradient', walk, {}) : undefined,
    ]
  },
  lower(context) {
    const { emit, inputs, inputTypes, type, shared, constant } = context
    const [steps, hidden] = [Number(type.shape[0]), Number(type.shape[2])]
    const [projected, recurrent, bias] = [inputs[0] as string, inputs[1] as string, inputs[2] as string]
    const state = inputTypes[3] === undefined ? undefined : (inputs[3] as string)
    const rows = new Rows(context)
    const [gates, candidates] = rows.columns(rows.flat(projected, 3 * hidden), [2 * hidden, hidden]) as [string, string]
    const gatesOf = rows.blocks(gates, steps)
    const padded = rows.join([constant(new Array<number>(2 * hidden).fill(0), [2 * hidden], 'float32'), bias], 0)
    let h = state
    const walked = rows.blocks(candidates, steps).map((own, t): GruStep => {
      const gateInput = gatesOf[t] as string
      const [sums, product] = h === undefined ? [] : rows.columns(rows.product(h, recurrent, padded), [2 * hidden, hidden])
      const open = emit('Sigmoid', [sums === undefined ? gateInput : rows.add(sums, gateInput)])
      const [reset, update] = rows.columns(open, [hidden, hidden]) as [string, string]
      const inner = product ?? bias
      const candidate = emit('Tanh', [rows.add(rows.mul(reset, inner), own)])
      const distance = h === undefined ? emit('Neg', [candidate]) : rows.sub(h, candidate)
      h = rows.add(rows.mul(update, distance), candidate)
      return { gates: [reset, update, candidate, inner], hidden: h }
    })
    shared(gruStepsKey(projected, recurrent, bias, state), () => walked)
    const all = rows.join(
      walked.map((step) => step.hidden),
      0,
    )
    return rows.reshape(all, [steps, -1, hidden])
  },
  evaluate: ({ inputs, shape }) => gruReference(inputs, shape as [number, number, number]).hiddens,
  flopsPerSample([, recurrent], type) {
    const [rows, hidden] = (recurrent as TensorType).shape as [number, number]
    return 2 * perSample(type.shape[0] as Shape[number]) * rows * hidden
  },
}

/** All quantities of the forward pass in float64, `[steps, batch, hidden]` each; gates after their activations. */
export interface GruReference {
  readonly hiddens: Float64Array
  readonly resets: Float64Array
  readonly updates: Float64Array
  readonly candidates: Float64Array
  readonly products: Float64Array
}

/**
 * The forward pass, step by step.
 * @param inputs - projected, recurrent, bias, state
 * @param value - The value, where it is known: then only the gates are computed
 */
export function gruReference(
  inputs: readonly (ReferenceTensor | undefined)[],
  [steps, batch, hidden]: readonly [number, number, number],
  value?: Float64Array,
): GruReference {
  const [projected, recurrent, bias, state] = inputs as [ReferenceTensor, ReferenceTensor, ReferenceTensor, ReferenceTensor?]
  const size = batch * hidden
  const made = (): Float64Array => new Float64Array(steps * size)
  const [hiddens, resets, updates, candidates, products] = [value ?? made(), made(), made(), made(), made()]
  const zeros = new Float64Array(size)
  for (let t = 0; t < steps; t++) {
    const before = t === 0 ? (state?.data ?? zeros) : hiddens.subarray((t - 1) * size, t * size)
    for (let e = 0; e < size; e++) {
      const [b, j] = [Math.floor(e / hidden), e % hidden]
      const [ofReset, ofUpdate, ofCandidate] = [0, 1, 2].map((k) => dot(recurrent.data, k * hidden + j, hidden, before, b * hidden)) as [
        number,
        number,
        number,
      ]
      const own = (k: number): number => projected.data[(t * batch + b) * 3 * hidden + k * hidden + j] as number
      const here = t * size + e
      const reset = logistic(own(0) + ofReset)
      const update = logistic(own(1) + ofUpdate)
      const product = ofCandidate + (bias.data[j] as number)
      const candidate = Math.tanh(own(2) + reset * product)
      resets[here] = reset
      updates[here] = update
      products[here] = product
      candidates[here] = candidate
      if (value === undefined) hiddens[here] = candidate + update * ((before[e] as number) - candidate)
    }
  }
  return { hiddens, resets, updates, candidates, products }
}
