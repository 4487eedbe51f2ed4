/**
 * The walk back through a layer of gated recurrent units. With dh the gradient of a step's value, everything else is dh times a factor that
 * is computed for all steps at once before the loop:
 *
 *   dn = dh·(1−z)(1−n²),  dz = dh·(h_{t−1}−n)·z(1−z),  dr = dn·q·r(1−r),  dq = dn·r,  dh_{t−1} = dh·z + [dr dz dq]·R
 */
import type { TensorType } from '../graph.ts'
import type { NoAttributes } from './attributes.ts'
import { gruReference, gruStepsKey } from './gru.ts'
import type { GruStep } from './gru.ts'
import { requireGates, requireRecurrent, Rows } from './recurrent.ts'
import { float32 } from './rule.ts'
import type { LowerContext, OpRule, ReferenceTensor } from './rule.ts'

/**
 * Inputs: projected, recurrent, bias, the value of `gru`, state (optional); value `[4, steps, batch, hidden]`: r, z, n after their activations,
 * and q, of all steps. Beside its `gru` in one graph it costs one copy.
 */
export const gruGates: OpRule<NoAttributes> = {
  arity: [4, 5],
  infer(inputs, _, { layer }) {
    const { steps, batch, hidden } = requireRecurrent(inputs, 3, layer)
    return float32([4, steps, batch, hidden])
  },
  lower(context) {
    const { inputs, inputTypes, type, shared, emit, constant } = context
    const [, steps, batch, hidden] = type.shape.map(Number) as [number, number, number, number]
    const rows = new Rows(context)
    const [projected, recurrent, bias] = [inputs[0] as string, inputs[1] as string, inputs[2] as string]
    const state = inputTypes[4] === undefined ? undefined : (inputs[4] as string)
    const joined = (gates: readonly string[]): string => rows.reshape(rows.join(gates, 0), [4, steps, -1, hidden])
    const known = shared<readonly GruStep[] | undefined>(gruStepsKey(projected, recurrent, bias, state), () => undefined)
    if (known !== undefined) {
      // Without a state the first product is the bias alone, one row.
      const whole = (name: string): string => (name === bias ? rows.add(rows.zeros(batch, hidden), bias) : name)
      return joined([0, 1, 2, 3].flatMap((gate) => known.map(({ gates }) => whole(gates[gate] as string))))
    }
    const before = [state ?? rows.zeros(batch, hidden), ...rows.blocks(rows.flat(inputs[3] as string, hidden), steps).slice(0, -1)]
    const [opening, own] = rows.columns(rows.flat(projected, 3 * hidden), [2 * hidden, hidden]) as [string, string]
    const padded = rows.join([constant(new Array<number>(2 * hidden).fill(0), [2 * hidden], 'float32'), bias], 0)
    const products = rows.productOfSteps(before, recurrent, padded, batch, true)
    const [sums, product] = rows.columns(products, [2 * hidden, hidden]) as [string, string]
    const [reset, update] = rows.columns(emit('Sigmoid', [rows.add(sums, opening)]), [hidden, hidden]) as [string, string]
    return joined([reset, update, emit('Tanh', [rows.add(rows.mul(reset, product), own)]), product])
  },
  evaluate({ inputs, shape }) {
    const [projected, recurrent, bias, value, state] = inputs as readonly ReferenceTensor[] & readonly [ReferenceTensor]
    const [, steps, batch, hidden] = shape as [number, number, number, number]
    const { resets, updates, candidates, products } = gruReference([projected, recurrent, bias, state], [steps, batch, hidden], value?.data)
    const result = new Float64Array(4 * resets.length)
    ;[resets, updates, candidates, products].forEach((gate, k) => {
      result.set(gate, k * gate.length)
    })
    return result
  },
}

/** The loop's results: [dr dz dq] and dn of all steps, and what the state before the first step gets. */
interface Walk {
  readonly sums: string
  readonly candidates: string
  readonly state: string
}

function rule(
  lower: (rows: Rows, walk: Walk, context: LowerContext<NoAttributes>) => string,
  part: keyof WalkReference,
): OpRule<NoAttributes> {
  return {
    arity: part === 'state' ? [5, 5] : [4, 5],
    infer(inputs, _, { layer }) {
      const { steps, batch, hidden } = requireGates(inputs, 3, layer)
      return float32(part === 'state' ? (inputs[4] as TensorType).shape : [steps, batch, 3 * hidden])
    },
    lower: (context) => lower(new Rows(context), walkOf(context), context),
    evaluate: ({ inputs }) => walkReference(inputs)[part],
  }
}

/** Inputs: the gates, recurrent, the value of `gru`, dL/dvalue, state (optional); value: dL/dprojected, of r, z, n, `[steps, batch, 3·hidden]`. */
export const gruGradient = rule((rows, { sums, candidates }, { type }) => {
  const [steps, , width] = type.shape.map(Number) as [number, number, number]
  const [gates] = rows.columns(sums, [(2 * width) / 3, width / 3]) as [string]
  return rows.reshape(rows.join([gates, candidates], 1), [steps, -1, width])
}, 'projected')

/** Inputs as {@link gruGradient}; value: the gradient of h_{t−1}·Rᵀ of all steps, `[steps, batch, 3·hidden]`. */
export const gruRecurrentGradient = rule((rows, { sums }, { type }) => {
  const [steps, , width] = type.shape.map(Number) as [number, number, number]
  return rows.reshape(sums, [steps, -1, width])
}, 'products')

/** Inputs as {@link gruGradient}, with the state; value: dL/dstate `[batch, hidden]`. */
export const gruStateGradient = rule((_, { state }) => state, 'state')

function walkOf(context: LowerContext<NoAttributes>): Walk {
  const names = context.inputTypes.map((_, i) => context.inputs[i])
  return context.shared(`gru walk ${names.join(' ')}`, () => walk(context))
}

function walk(context: LowerContext<NoAttributes>): Walk {
  const { inputs, inputTypes } = context
  const [steps, batch, hidden] = (inputTypes[2] as TensorType).shape.map(Number) as [number, number, number]
  const rows = new Rows(context)
  const [reset, update, candidate, product] = rows.blocks(rows.flat(inputs[0] as string, hidden), 4) as [string, string, string, string]
  const initial = inputTypes[4] === undefined ? rows.zeros(batch, hidden) : (inputs[4] as string)
  const before = rows.join([initial, ...rows.blocks(rows.flat(inputs[2] as string, hidden), steps).slice(0, -1)], 0)
  const ofCandidate = rows.mul(rows.complement(update), rows.complementOfSquare(candidate))
  const factors = rows.join(
    [
      rows.mul(rows.mul(ofCandidate, product), rows.bump(reset)),
      rows.mul(rows.sub(before, candidate), rows.bump(update)),
      rows.mul(ofCandidate, reset),
    ],
    1,
  )
  const factorOf = rows.blocks(factors, steps)
  const updateOf = rows.blocks(update, steps)
  const upstream = rows.blocks(rows.flat(inputs[3] as string, hidden), steps)
  const [sums, hiddens]: [string[], string[]] = [[], []]
  let earlier: string | undefined
  for (let t = steps - 1; t >= 0; t--) {
    const ofHidden = upstream[t] as string
    const gradient: string = earlier === undefined ? ofHidden : rows.add(earlier, ofHidden)
    const ofSums = rows.mul(rows.join([gradient, gradient, gradient], 1), factorOf[t] as string)
    earlier = rows.productBack(ofSums, inputs[1] as string, rows.mul(gradient, updateOf[t] as string))
    sums.unshift(ofSums)
    hiddens.unshift(gradient)
  }
  return { sums: rows.join(sums, 0), candidates: rows.mul(rows.join(hiddens, 0), ofCandidate), state: earlier as string }
}

interface WalkReference {
  readonly projected: Float64Array
  readonly products: Float64Array
  readonly state: Float64Array
}

function walkReference(inputs: readonly ReferenceTensor[]): WalkReference {
  const [gates, recurrent, value, upstream, state] = inputs as readonly ReferenceTensor[] &
    readonly [ReferenceTensor, ReferenceTensor, ReferenceTensor, ReferenceTensor, ReferenceTensor?]
  const shape = value.shape as readonly [number, number, number]
  const [steps, batch, hidden] = shape
  const size = batch * hidden
  const [ofProjected, ofProducts] = [new Float64Array(3 * steps * size), new Float64Array(3 * steps * size)]
  const later = new Float64Array(size)
  for (let t = steps - 1; t >= 0; t--) {
    const kept = new Float64Array(size)
    for (let e = 0; e < size; e++) {
      const here = t * size + e
      const dh = (upstream.data[here] as number) + (later[e] as number)
      const [r, z, n, q] = [0, 1, 2, 3].map((k) => gates.data[k * steps * size + here]) as [number, number, number, number]
      const before = (t === 0 ? state?.data[e] : value.data[here - size]) ?? 0
      const dn = dh * (1 - z) * (1 - n * n)
      const column = (t * batch + Math.floor(e / hidden)) * 3 * hidden + (e % hidden)
      const opening = [dn * q * r * (1 - r), dh * (before - n) * z * (1 - z)] as const
      for (const gradient of [ofProjected, ofProducts]) gradient.set([opening[0]], column)
      for (const gradient of [ofProjected, ofProducts]) gradient.set([opening[1]], column + hidden)
      ofProjected[column + 2 * hidden] = dn
      ofProducts[column + 2 * hidden] = dn * r
      kept[e] = dh * z
    }
    for (let e = 0; e < size; e++) {
      let sum = kept[e] as number
      const row = (t * batch + Math.floor(e / hidden)) * 3 * hidden
      for (let k = 0; k < 3 * hidden; k++) sum += (ofProducts[row + k] as number) * (recurrent.data[k * hidden + (e % hidden)] as number)
      later[e] = sum
    }
  }
  return { projected: ofProjected, products: ofProducts, state: later }
}
