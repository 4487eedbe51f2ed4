/**
 * A layer of long short-term memory over a sequence, after the product with its inputs:
 *
 *   [i f g o] = projected_t + h_{t−1}·Rᵀ,   c_t = σ(f)·c_{t−1} + σ(i)·tanh(g),   h_t = σ(o)·tanh(c_t)
 *
 * @see Hochreiter, Schmidhuber, Long short-term memory, Neural Computation 9(8), 1997
 * @see Gers, Schmidhuber, Cummins, Learning to forget, Neural Computation 12(10), 2000 (the gate f)
 */
import { perSample } from '../graph.ts'
import type { Shape, TensorType } from '../graph.ts'
import type { Value } from '../builder.ts'
import type { NoAttributes } from './attributes.ts'
import { dot, logistic, requireRecurrent, Rows } from './recurrent.ts'
import { requireSameShape } from './require-shape.ts'
import { float32 } from './rule.ts'
import type { GradientContext, LowerContext, OpRule, ReferenceTensor } from './rule.ts'

/** ONNX names of what every step of the forward pass computes; all `[batch, hidden]`. */
export interface LstmStep {
  /** i, f, g, o after their activations. */
  readonly gates: readonly [string, string, string, string]
  readonly cell: string
  readonly hidden: string
}

/** Key under which a lowering keeps its steps for the gates in the same graph. */
export function stepsKey(projected: string, recurrent: string, state: string | undefined): string {
  return `lstm steps ${projected} ${recurrent} ${state}`
}

/** Gates of one step, from their sums. */
export function gatesOf(rows: Rows, sums: string, hidden: number, { emit }: Pick<LowerContext<unknown>, 'emit'>): LstmStep['gates'] {
  const [input, forget, , output] = rows.columns(emit('Sigmoid', [sums]), [hidden, hidden, hidden, hidden])
  const [, candidate] = rows.columns(sums, [2 * hidden, hidden, hidden])
  return [input as string, forget as string, emit('Tanh', [candidate as string]), output as string]
}

/**
 * Inputs: projected `[steps, batch, 4·hidden]` (the gates i, f, g, o side by side, with their bias), recurrent `[4·hidden, hidden]`, and the state
 * before the first step `[2, batch, hidden]`, h then c (default zeros). Value `[2, steps, batch, hidden]`: h of all steps, then c of all steps.
 */
export const lstm: OpRule<NoAttributes> = {
  arity: [2, 3],
  infer(inputs, _, { layer }) {
    const { steps, batch, hidden } = requireRecurrent(inputs, 4, layer)
    const state = inputs[2]
    if (state !== undefined) requireSameShape([2, batch, hidden], state.shape, layer)
    return float32([2, steps, batch, hidden])
  },
  gradient(context) {
    const { add, inputs, output, upstream, needs } = context
    const [projected, recurrent, state] = inputs as [Value, Value, Value?]
    const initial = state === undefined ? [] : [state]
    const gates = add('lstmGates', [projected, recurrent, output, ...initial], {})
    const walk = [gates, recurrent, output, upstream, ...initial]
    const sums = add('lstmGradient', walk, {})
    return [
      sums,
      needs(1) ? recurrentGradient(context, sums) : undefined,
      state !== undefined && needs(2) ? add('lstmStateGradient', walk, {}) : undefined,
    ]
  },
  lower(context) {
    const { emit, inputs, inputTypes, type, shared } = context
    const [steps, hidden] = [Number(type.shape[1]), Number(type.shape[3])]
    const rows = new Rows(context)
    const state = inputTypes[2] === undefined ? undefined : (inputs[2] as string)
    let [h, c] = state === undefined ? [] : rows.blocks(rows.flat(state, hidden), 2)
    const walked = rows.blocks(rows.flat(inputs[0] as string, 4 * hidden), steps).map((projected): LstmStep => {
      const sums = h === undefined ? projected : rows.product(h, inputs[1] as string, projected)
      const gates = gatesOf(rows, sums, hidden, context)
      const [input, forget, candidate, output] = gates
      const written = rows.mul(input, candidate)
      c = c === undefined ? written : rows.add(rows.mul(forget, c), written)
      h = rows.mul(output, emit('Tanh', [c]))
      return { gates, cell: c, hidden: h }
    })
    shared(stepsKey(inputs[0] as string, inputs[1] as string, state), () => walked)
    const all = rows.join([...walked.map((step) => step.hidden), ...walked.map((step) => step.cell)], 0)
    return rows.reshape(all, [2, steps, -1, hidden])
  },
  evaluate({ inputs, shape }) {
    const { hiddens, cells } = lstmReference(inputs, shape as [number, number, number, number])
    const result = new Float64Array(2 * hiddens.length)
    result.set(hiddens)
    result.set(cells, hiddens.length)
    return result
  },
  flopsPerSample([, recurrent], type) {
    const [rows, hidden] = (recurrent as TensorType).shape as [number, number]
    return 2 * perSample(type.shape[1] as Shape[number]) * rows * hidden
  },
}

/** dL/dR = Σ over the steps of (dL/dsums)ᵀ·h_{t−1}, as one product. */
function recurrentGradient({ add, inputs, output }: GradientContext<NoAttributes>, sums: Value): Value | undefined {
  const [, steps, batch, hidden] = output.shape as [number, number, 'batch', number]
  const state = inputs[2]
  const first = add('reshape', [add('slice', [output], { dim: 0, start: 0, end: 1 })], { shape: [steps, batch, hidden] })
  return recurrentProduct(add, sums, first, state === undefined ? undefined : add('slice', [state], { dim: 0, start: 0, end: 1 }))
}

/**
 * Σ over the steps of sums_tᵀ·h_{t−1}.
 * @param hiddens - h of all steps `[steps, batch, hidden]`
 * @param initial - h before the first step `[1, batch, hidden]`; undefined for zeros
 */
export function recurrentProduct(
  add: GradientContext<unknown>['add'],
  sums: Value,
  hiddens: Value,
  initial: Value | undefined,
): Value | undefined {
  const [steps, batch] = sums.shape as [number, 'batch', number]
  if (steps === 1 && initial === undefined) return undefined
  const earlier = steps === 1 ? [] : [add('slice', [hiddens], { dim: 0, start: 0, end: steps - 1 })]
  const previous = initial === undefined ? earlier : [initial, ...earlier]
  const before = previous.length === 1 ? (previous[0] as Value) : add('concat', previous, { dim: 0 })
  const after = initial === undefined ? add('slice', [sums], { dim: 0, start: 1, end: steps }) : sums
  const flat = (value: Value): Value => {
    const rows = flatRows([value.shape[0] as number, batch])
    return add('reshape', [value], { shape: [rows, value.shape[2] as number] })
  }
  return add('matmul', [flat(after), flat(before)], { transposeA: true, transposeB: false })
}

/** One extent for the steps of a batch. */
function flatRows([steps, batch]: readonly [number, Shape[number]]): Shape[number] {
  return typeof batch === 'number' ? steps * batch : `batch*${steps * perSample(batch)}`
}

/** All quantities of the forward pass in float64, `[steps, batch, hidden]` each; gates after their activations. */
export interface LstmReference {
  readonly hiddens: Float64Array
  readonly cells: Float64Array
  /** i, f, g, o. */
  readonly gates: readonly Float64Array[]
}

/**
 * The forward pass, step by step.
 * @param inputs - projected, recurrent, state
 * @param value - The value, where it is known: then only the gates are computed
 */
export function lstmReference(
  inputs: readonly (ReferenceTensor | undefined)[],
  [, steps, batch, hidden]: readonly [number, number, number, number],
  value?: Float64Array,
): LstmReference {
  const [projected, recurrent, state] = inputs as [ReferenceTensor, ReferenceTensor, ReferenceTensor?]
  const size = batch * hidden
  const both = value ?? new Float64Array(2 * steps * size)
  const [hiddens, cells] = [both.subarray(0, steps * size), both.subarray(steps * size)]
  const gates = [0, 1, 2, 3].map(() => new Float64Array(steps * size))
  for (let t = 0; t < steps; t++) {
    const before = t === 0 ? state?.data.subarray(0, size) : hiddens.subarray((t - 1) * size, t * size)
    const cellBefore = t === 0 ? state?.data.subarray(size) : cells.subarray((t - 1) * size, t * size)
    for (let e = 0; e < size; e++) {
      const [b, j] = [Math.floor(e / hidden), e % hidden]
      gates.forEach((gate, k) => {
        let sum = projected.data[(t * batch + b) * 4 * hidden + k * hidden + j] as number
        if (before !== undefined) sum += dot(recurrent.data, k * hidden + j, hidden, before, b * hidden)
        gate[t * size + e] = k === 2 ? Math.tanh(sum) : logistic(sum)
      })
      const [i, f, g, o] = gates.map((gate) => gate[t * size + e]) as [number, number, number, number]
      if (value !== undefined) continue
      const cell = f * (cellBefore?.[e] ?? 0) + i * g
      cells[t * size + e] = cell
      hiddens[t * size + e] = o * Math.tanh(cell)
    }
  }
  return { hiddens, cells, gates }
}
