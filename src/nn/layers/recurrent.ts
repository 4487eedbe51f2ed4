import { ConfigError, ShapeError } from '../../errors.ts'
import { formatShape, perSample, timesBatch } from '../../graph/graph.ts'
import type { Dim } from '../../graph/graph.ts'
import { kinds } from '../../option-checks.ts'
import { init as initializers } from '../parameter.ts'
import type { Initializer } from '../parameter.ts'
import { traceOf } from '../trace.ts'
import type { Tensor } from '../trace.ts'
import { dropout as dropoutLayer } from './dropout.ts'
import { nameLayer, requirePositive } from './options.ts'
import type { LayerOptions } from './options.ts'

/** Options of {@link lstm} and {@link gru}. */
export interface RecurrentOptions extends LayerOptions {
  /** Layers one above the other (default 1). */
  readonly layers?: number
  /** First values of all weights and biases (default U(±1/√hidden)). */
  readonly init?: Initializer
  /** State before the first step, as the layer returns it (default zeros). */
  readonly state?: Tensor
  /** Dropout between the layers (default 0, none). */
  readonly dropout?: number
}

/** What a recurrent layer returns. */
export interface Recurrence {
  /** The top layer's output at every step, `[batch, steps, hidden]`. */
  readonly sequence: Tensor
  /** All layers after the last step: `[batch, layers, 2, hidden]` of an LSTM (output, then cell), `[batch, layers, hidden]` of a GRU. */
  readonly state: Tensor
}

/**
 * Long short-term memory over a sequence. Gates in the order input, forget, candidate, output, with one bias vector each (some libraries
 * have two, whose sum is what counts).
 * @param x - `[batch, steps, features]`
 * @returns Parameters of layer k, from 0: `<name>.<k>.weight` `[4·hidden, features]`, `.recurrent` `[4·hidden, hidden]`, `.bias` `[4·hidden]`
 * @throws {ShapeError} SHAPE unless x is a sequence and the state fits
 * @see Hochreiter, Schmidhuber, Long short-term memory, Neural Computation 9(8), 1997
 */
export function lstm(x: Tensor, hidden: number, options: RecurrentOptions = {}): Recurrence {
  return stack(x, hidden, options, {
    kind: 'lstm',
    gates: 4,
    stateShape: [2, hidden],
    run({ builder, projected, recurrent, state, layer }) {
      const before = state && builder.add('transpose', [state], { permutation: [1, 0, 2] }, layer)
      const value = builder.add('lstm', before === undefined ? [projected, recurrent] : [projected, recurrent, before], {}, layer)
      const [, steps, batch] = value.shape as [number, number, Dim]
      const outputs = builder.add('slice', [value], { dim: 0, start: 0, end: 1 }, layer)
      const last = builder.add('slice', [value], { dim: 1, start: steps - 1, end: steps }, layer)
      const after = builder.add('reshape', [last], { shape: [2, batch, hidden] }, layer)
      return {
        sequence: builder.add('reshape', [outputs], { shape: [steps, batch, hidden] }, layer),
        state: builder.add('transpose', [after], { permutation: [1, 0, 2] }, layer),
      }
    },
  })
}

/**
 * Gated recurrent units over a sequence. Gates in the order reset, update, candidate; the reset gate acts after the recurrent product, and
 * the candidate has a second bias inside of it.
 * @param x - `[batch, steps, features]`
 * @returns Parameters of layer k, from 0: `<name>.<k>.weight` `[3·hidden, features]`, `.recurrent` `[3·hidden, hidden]`, `.bias` `[3·hidden]`,
 *   `.candidateBias` `[hidden]`
 * @throws {ShapeError} SHAPE unless x is a sequence and the state fits
 * @see Cho et al., Learning phrase representations using RNN encoder-decoder for statistical machine translation, EMNLP 2014
 */
export function gru(x: Tensor, hidden: number, options: RecurrentOptions = {}): Recurrence {
  return stack(x, hidden, options, {
    kind: 'gru',
    gates: 3,
    stateShape: [hidden],
    run({ builder, projected, recurrent, state, layer, parameter }) {
      const inner = parameter('candidateBias', [hidden], false)
      const inputs = [projected, recurrent, inner]
      const value = builder.add('gru', state === undefined ? inputs : [...inputs, state], {}, layer)
      const [steps, batch] = value.shape as [number, Dim]
      const last = builder.add('slice', [value], { dim: 0, start: steps - 1, end: steps }, layer)
      return { sequence: value, state: builder.add('reshape', [last], { shape: [batch, hidden] }, layer) }
    },
  })
}

/** One layer's cell, as the stack runs it. Sequences inside are time-major, states `[batch, …stateShape]`. */
interface Cell {
  readonly kind: 'lstm' | 'gru'
  readonly gates: number
  readonly stateShape: readonly number[]
  run(layer: {
    readonly builder: Tensor['builder']
    readonly projected: Tensor
    readonly recurrent: Tensor
    readonly state: Tensor | undefined
    readonly layer: string
    readonly parameter: (role: string, shape: readonly number[], decay: boolean) => Tensor
  }): { readonly sequence: Tensor; readonly state: Tensor }
}

function stack(x: Tensor, hidden: number, options: RecurrentOptions, cell: Cell): Recurrence {
  const layer = nameLayer(x, cell.kind, options, { layers: true, init: kinds.object, state: kinds.object, dropout: kinds.number })
  const { builder } = x
  const trace = traceOf(x)
  const { layers = 1, init = initializers.uniform(1 / Math.sqrt(hidden)), dropout = 0 } = options
  requirePositive(layer, 'hidden', hidden)
  requirePositive(layer, 'layers', layers)
  const [batch, steps] = sequenceExtents(x, layer)
  requireState(options.state, [batch, layers, ...cell.stateShape], layer)
  let h = builder.add('transpose', [x], { permutation: [1, 0, 2] }, layer)
  const states: Tensor[] = []
  for (let k = 0; k < layers; k++) {
    const features = h.shape[2] as number
    const own = `${layer}.${k}`
    const parameter = (role: string, shape: readonly number[], decay: boolean): Tensor =>
      trace.parameter({ name: `${own}.${role}`, shape, init, decay })
    const units = cell.gates * hidden
    const weight = parameter('weight', [units, features], true)
    const recurrent = parameter('recurrent', [units, hidden], true)
    const bias = parameter('bias', [units], false)
    const rows = builder.add('reshape', [h], { shape: [timesBatch(steps * perSample(batch)), features] }, own)
    const product = builder.add('matmul', [rows, weight, bias], { transposeA: false, transposeB: true }, own)
    const projected = builder.add('reshape', [product], { shape: [steps, batch, units] }, own)
    const before = options.state && layerOf(options.state, k, own)
    const { sequence, state } = cell.run({ builder, projected, recurrent, state: before, layer: own, parameter })
    states.push(builder.add('reshape', [state], { shape: [batch, 1, ...cell.stateShape] }, own))
    const isLast = k === layers - 1
    h = dropout === 0 || isLast ? sequence : dropoutLayer(sequence, dropout, { name: `${own}.dropout` })
  }
  return {
    sequence: builder.add('transpose', [h], { permutation: [1, 0, 2] }, layer),
    state: states.length === 1 ? (states[0] as Tensor) : builder.add('concat', states, { dim: 1 }, layer),
  }
}

/** State of layer k, without the extent of the layers. */
function layerOf(state: Tensor, k: number, layer: string): Tensor {
  const [batch, , ...rest] = state.shape as [Dim, ...number[]]
  const own = state.builder.add('slice', [state], { dim: 1, start: k, end: k + 1 }, layer)
  return state.builder.add('reshape', [own], { shape: [batch, ...rest] }, layer)
}

function sequenceExtents({ shape }: Tensor, layer: string): [Dim, number] {
  const [batch, steps, features] = shape
  if (shape.length === 3 && batch !== undefined && typeof steps === 'number' && typeof features === 'number') return [batch, steps]
  throw new ShapeError(`${layer}: a recurrent layer takes a sequence — expected [batch, steps, features], got ${formatShape(shape)}`)
}

function requireState(state: Tensor | undefined, expected: readonly Dim[], layer: string): void {
  if (state === undefined || formatShape(state.shape) === formatShape(expected)) return
  throw new ConfigError(
    `${layer}: the state before the first step has another shape — expected ${formatShape(expected)}, got ${formatShape(state.shape)}`,
  )
}
