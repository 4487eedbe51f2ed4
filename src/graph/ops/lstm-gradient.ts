/**
 * The walk back through a layer of long short-term memory. Everything that does not depend on the gradient is computed for all steps at
 * once before the loop: with dc the gradient of a cell and dh that of its output, the gradients of the gate sums are
 *
 *   [dc dc dc dh] · [g·i(1−i)  c_{t−1}·f(1−f)  i(1−g²)  tanh(c)·o(1−o)],   dc_t = dh_t·o(1−tanh²c) + dc_{t+1}·f_{t+1}
 */
import { elementCount } from '../graph.ts'
import type { TensorType } from '../graph.ts'
import type { NoAttributes } from './attributes.ts'
import { gatesOf, lstmReference, stepsKey } from './lstm.ts'
import type { LstmStep } from './lstm.ts'
import { requireGates, requireRecurrent, Rows } from './recurrent.ts'
import { float32 } from './rule.ts'
import type { LowerContext, OpRule, ReferenceTensor } from './rule.ts'

/**
 * Inputs: projected, recurrent, the value of `lstm`, state (optional); value `[4, steps, batch, hidden]`: the gates i, f, g, o of all steps
 * after their activations. Beside its `lstm` in one graph it costs one copy.
 */
export const lstmGates: OpRule<NoAttributes> = {
  arity: [3, 4],
  infer: (inputs, _, { layer }) => {
    const { steps, batch, hidden } = requireRecurrent(inputs, 4, layer)
    return float32([4, steps, batch, hidden])
  },
  lower(context) {
    const { inputs, inputTypes, type, shared } = context
    const [, steps, batch, hidden] = type.shape.map(Number) as [number, number, number, number]
    const rows = new Rows(context)
    const [projected, recurrent] = [inputs[0] as string, inputs[1] as string]
    const state = inputTypes[3] === undefined ? undefined : (inputs[3] as string)
    const known = shared<readonly LstmStep[] | undefined>(stepsKey(projected, recurrent, state), () => undefined)
    const joined = (gates: readonly string[]): string => rows.reshape(rows.join(gates, 0), [4, steps, -1, hidden])
    if (known !== undefined) return joined([0, 1, 2, 3].flatMap((gate) => known.map(({ gates }) => gates[gate] as string)))
    const hiddens = rows.blocks(rows.flat(inputs[2] as string, hidden), 2 * steps).slice(0, steps - 1)
    const [initial] = initialState(rows, state, batch, hidden)
    const sums = rows.productOfSteps([initial, ...hiddens], recurrent, rows.flat(projected, 4 * hidden), batch)
    return joined(gatesOf(rows, sums, hidden, context))
  },
  evaluate({ inputs, shape }) {
    const [projected, recurrent, value, state] = inputs as [ReferenceTensor, ReferenceTensor, ReferenceTensor, ReferenceTensor?]
    const [, steps, batch, hidden] = shape as [number, number, number, number]
    const { gates } = lstmReference([projected, recurrent, state], [2, steps, batch, hidden], value.data)
    const result = new Float64Array(elementCount(shape))
    gates.forEach((gate, k) => {
      result.set(gate, k * gate.length)
    })
    return result
  },
}

/** h and c before the first step. */
function initialState(rows: Rows, state: string | undefined, batch: number, hidden: number): [string, string] {
  if (state === undefined) return [rows.zeros(batch, hidden), rows.zeros(batch, hidden)]
  return rows.blocks(rows.flat(state, hidden), 2) as [string, string]
}

/** The loop's results: gradients of the gate sums by step, and those of the state before the first step. */
interface Walk {
  readonly sums: string
  readonly firstSums: string
  readonly cell: string
}

/** Inputs: the gates, recurrent, the value of `lstm`, dL/dvalue, state (optional); value: dL/dprojected `[steps, batch, 4·hidden]`. */
export const lstmGradient: OpRule<NoAttributes> = {
  arity: [4, 5],
  infer: (inputs, _, { layer }) => {
    const { steps, batch, hidden } = requireGates(inputs, 4, layer)
    return float32([steps, batch, 4 * hidden])
  },
  lower(context) {
    const [steps, , width] = context.type.shape.map(Number) as [number, number, number]
    return new Rows(context).reshape(walkOf(context).sums, [steps, -1, width])
  },
  evaluate: ({ inputs }) => walkReference(inputs).sums,
}

/** Inputs as {@link lstmGradient}, with the state; value: dL/dstate `[2, batch, hidden]`. */
export const lstmStateGradient: OpRule<NoAttributes> = {
  arity: [5, 5],
  infer: (inputs, _, { layer }) => {
    requireGates(inputs, 4, layer)
    return float32((inputs[4] as TensorType).shape)
  },
  lower(context) {
    const rows = new Rows(context)
    const { firstSums, cell } = walkOf(context)
    const both = rows.join([rows.productBack(firstSums, context.inputs[1] as string), cell], 0)
    return rows.reshape(both, context.type.shape.map(Number))
  },
  evaluate: ({ inputs }) => walkReference(inputs).state,
}

function walkOf(context: LowerContext<NoAttributes>): Walk {
  const { inputs, shared } = context
  const names = context.inputTypes.map((_, i) => inputs[i])
  return shared(`lstm walk ${names.join(' ')}`, () => walk(context))
}

function walk(context: LowerContext<NoAttributes>): Walk {
  const { inputs, inputTypes, emit } = context
  const [, steps, batch, hidden] = (inputTypes[2] as TensorType).shape.map(Number) as [number, number, number, number]
  const rows = new Rows(context)
  const [input, forget, candidate, output] = rows.blocks(rows.flat(inputs[0] as string, hidden), 4) as [string, string, string, string]
  const cells = rows.blocks(rows.flat(inputs[2] as string, hidden), 2 * steps).slice(steps)
  const [, initial] = initialState(rows, inputTypes[4] === undefined ? undefined : (inputs[4] as string), batch, hidden)
  const cellBefore = rows.join([initial, ...cells.slice(0, -1)], 0)
  const tanhCell = emit('Tanh', [rows.join(cells, 0)])
  const factors = rows.join(
    [
      rows.mul(candidate, rows.bump(input)),
      rows.mul(cellBefore, rows.bump(forget)),
      rows.mul(input, rows.complementOfSquare(candidate)),
      rows.mul(tanhCell, rows.bump(output)),
    ],
    1,
  )
  const factorOf = rows.blocks(factors, steps)
  const intoCell = rows.blocks(rows.mul(output, rows.complementOfSquare(tanhCell)), steps)
  const forgetOf = rows.blocks(forget, steps)
  const upstream = rows.blocks(rows.flat(inputs[3] as string, hidden), 2 * steps)
  const sums: string[] = []
  let [later, cellLater]: [string | undefined, string | undefined] = [undefined, undefined]
  for (let t = steps - 1; t >= 0; t--) {
    const [ofHidden, ofCell] = [upstream[t] as string, upstream[steps + t] as string]
    const hiddenGradient = later === undefined ? ofHidden : rows.productBack(later, inputs[1] as string, ofHidden)
    const carried: string = cellLater === undefined ? ofCell : rows.add(cellLater, ofCell)
    const cell = rows.add(rows.mul(hiddenGradient, intoCell[t] as string), carried)
    later = rows.mul(rows.join([cell, cell, cell, hiddenGradient], 1), factorOf[t] as string)
    cellLater = rows.mul(cell, forgetOf[t] as string)
    sums.unshift(later)
  }
  return { sums: rows.join(sums, 0), firstSums: later as string, cell: cellLater as string }
}

function walkReference(inputs: readonly ReferenceTensor[]): { readonly sums: Float64Array; readonly state: Float64Array } {
  const [gates, recurrent, value, upstream, state] = inputs as [ReferenceTensor, ReferenceTensor, ReferenceTensor, ReferenceTensor] &
    readonly [ReferenceTensor, ReferenceTensor, ReferenceTensor, ReferenceTensor, ReferenceTensor?]
  const shape = value.shape as readonly [number, number, number, number]
  const [, steps, batch, hidden] = shape
  const size = batch * hidden
  const cells = value.data.subarray(steps * size)
  const sums = new Float64Array(4 * steps * size)
  const [hiddenLater, cellLater] = [new Float64Array(size), new Float64Array(size)]
  for (let t = steps - 1; t >= 0; t--) {
    for (let e = 0; e < size; e++) {
      const here = t * size + e
      const [i, f, g, o] = [0, 1, 2, 3].map((k) => gates.data[k * steps * size + here]) as [number, number, number, number]
      const tanhCell = Math.tanh(cells[here] as number)
      const before = (t === 0 ? state?.data[size + e] : cells[here - size]) ?? 0
      const dh = (upstream.data[here] as number) + (hiddenLater[e] as number)
      const dc = (upstream.data[steps * size + here] as number) + (cellLater[e] as number) + dh * o * (1 - tanhCell ** 2)
      const column = (t * batch + Math.floor(e / hidden)) * 4 * hidden + (e % hidden)
      sums[column] = dc * g * i * (1 - i)
      sums[column + hidden] = dc * before * f * (1 - f)
      sums[column + 2 * hidden] = dc * i * (1 - g * g)
      sums[column + 3 * hidden] = dh * tanhCell * o * (1 - o)
      cellLater[e] = dc * f
    }
    for (let e = 0; e < size; e++) {
      let sum = 0
      const row = (t * batch + Math.floor(e / hidden)) * 4 * hidden
      for (let k = 0; k < 4 * hidden; k++) sum += (sums[row + k] as number) * (recurrent.data[k * hidden + (e % hidden)] as number)
      hiddenLater[e] = sum
    }
  }
  const gradient = new Float64Array(2 * size)
  gradient.set(hiddenLater)
  gradient.set(cellLater, size)
  return { sums, state: gradient }
}
