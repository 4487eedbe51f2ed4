/** Long short-term memory and gated recurrent units: forwards, with the usual activations, sequences by step. */
import type { Value } from '../../../graph/builder.ts'
import { formatShape, isBatchDim, perSample, timesBatch } from '../../../graph/graph.ts'
import type { Dim } from '../../../graph/graph.ts'
import { known } from '../operand.ts'
import type { Static } from '../operand.ts'
import type { FileNode } from '../proto.ts'
import type { Reader, Step } from '../step.ts'

/** Where each of our gates stands among the file's: i f g o among i o f c, and r z n among z r h. */
const gates = { LSTM: [0, 2, 3, 1], GRU: [1, 0, 2] } as const

type Kind = keyof typeof gates

const usual: Readonly<Record<Kind, readonly string[]>> = { LSTM: ['Sigmoid', 'Tanh', 'Tanh'], GRU: ['Sigmoid', 'Tanh'] }

/** What makes a recurrent node another one than those that are read, in its own words; undefined for nodes that are read, and all others. */
export function unreadVariant({ op, domain, inputs, attributes }: FileNode): string | undefined {
  if (domain !== '' || !(op === 'LSTM' || op === 'GRU')) return undefined
  const read: Readonly<Record<string, number | string>> = { direction: 'forward', layout: 0, input_forget: 0, clip: 0 }
  for (const [name, value] of Object.entries(read)) {
    const given = attributes.get(name) ?? value
    if (given !== value) return `${name} ${String(given)}`
  }
  if (op === 'GRU' && attributes.get('linear_before_reset') !== 1) return 'linear_before_reset 0'
  const activations = attributes.get('activations') as readonly string[] | undefined
  if (activations !== undefined && String(activations) !== String(usual[op])) return `activations ${activations.join(', ')}`
  if ((inputs[4] ?? '') !== '') return 'sequence_lens'
  return (inputs[7] ?? '') === '' ? undefined : 'peepholes'
}

/** A stored tensor, `[1, …]` for the one direction. */
function stored(step: Step, input: number): Static {
  const operand = step.operand(input)
  if (operand.kind === 'static' && operand.dtype === 'float32') return operand
  throw step.fault('computes its weights', 'stored tensors', 'computed ones')
}

/** Numbers of a tensor from row `from` on, gate by gate in our order; rows have `width` numbers. */
function inOurOrder({ data }: Static, kind: Kind, hidden: number, width: number, from = 0): number[] {
  return gates[kind].flatMap((gate) => Array.from({ length: hidden * width }, (_, i) => Number(data[(from + gate * hidden) * width + i])))
}

/** W or R as a matrix of ours. */
function matrixOf(step: Step, input: 1 | 2, kind: Kind, hidden: number): Value {
  const tensor = stored(step, input)
  const [, rows, width] = tensor.shape as [number, number, number]
  const ours = { ...tensor, shape: [rows, width], data: inOurOrder(tensor, kind, hidden, width) }
  return step.network.parameter(ours, 'weight', step.layer, { name: `${step.layer}.${input === 1 ? 'weight' : 'recurrent'}` })
}

/** The biases of the product with the inputs and of that with the state, in our order; zeros where the file has none. */
function biasesOf(step: Step, kind: Kind, hidden: number): readonly [number[], number[]] {
  const count = gates[kind].length * hidden
  const tensor = step.has(3) ? stored(step, 3) : known('float32', [1, 2 * count], new Float32Array(2 * count))
  return [inOurOrder(tensor, kind, hidden, 1), inOurOrder(tensor, kind, hidden, 1, count)]
}

function biasParameter(step: Step, role: string, data: readonly number[]): Value {
  return step.network.parameter(known('float32', [data.length], data), 'bias', step.layer, { name: `${step.layer}.${role}` })
}

/** The product of all steps with the inputs, `[steps, batch, gates·hidden]`. */
function projected(step: Step, weight: Value, bias: Value): Value {
  const x = step.value(0)
  const [steps, batch, features] = x.shape as [Dim, Dim, Dim]
  if (typeof steps !== 'number' || !isBatchDim(batch)) {
    throw step.fault('takes sequences of fixed length, step by step', '[steps, batch, features]', formatShape(x.shape))
  }
  const rows = step.reshape(x, [timesBatch(steps * perSample(batch)), features])
  const product = step.add('matmul', [rows, weight, bias], { transposeA: false, transposeB: true })
  return step.reshape(product, [steps, batch, weight.shape[0] as number])
}

/** An initial state `[1, batch, hidden]`; undefined where there is none, or zeros that an exporter has filled in. */
function initial(step: Step, input: 5 | 6): Value | undefined {
  const operand = step.inputs[input]
  if (operand === undefined) return undefined
  if (operand.kind === 'static') return Array.from(operand.data).every((element) => element === 0) ? undefined : step.value(input)
  return isZero(step, operand.value.id) ? undefined : operand.value
}

/** True for zeros in any shape. */
function isZero(step: Step, id: string): boolean {
  const node = step.network.builder.node(id)
  switch (node?.op) {
    case 'fill':
      return node.attrs.value === 0
    case 'constant':
      return node.attrs.values.every((value) => value === 0)
    case 'reshape':
    case 'slice':
    case 'transpose':
    case 'broadcastTo':
      return isZero(step, node.inputs[0] as string)
    default:
      return false
  }
}

/** Outputs Y `[steps, 1, batch, hidden]`, Y_h and Y_c `[1, batch, hidden]`. */
export const lstm: Reader = (step) => {
  const hidden = Number(step.shape(2)[2])
  const [ofInput, ofState] = biasesOf(step, 'LSTM', hidden)
  const [weight, recurrent] = [matrixOf(step, 1, 'LSTM', hidden), matrixOf(step, 2, 'LSTM', hidden)]
  // Only their sum counts.
  const bias = biasParameter(
    step,
    'bias',
    ofInput.map((value, i) => value + (ofState[i] as number)),
  )
  const sums = projected(step, weight, bias)
  const [steps, batch] = sums.shape as [number, Dim]
  const [h, c] = [initial(step, 5), initial(step, 6)]
  const zeros = (): Value => step.filled(0, [1, batch, hidden])
  const before = h === undefined && c === undefined ? [] : [step.add('concat', [h ?? zeros(), c ?? zeros()], { dim: 0 })]
  const both = step.add('lstm', [sums, recurrent, ...before], {})
  const all = step.add('slice', [both], { dim: 0, start: 0, end: 1 })
  const last = step.reshape(step.add('slice', [both], { dim: 1, start: steps - 1, end: steps }), [2, batch, hidden])
  const after = [0, 1].map((start) => step.add('slice', [last], { dim: 0, start, end: start + 1 }))
  return [step.reshape(all, [steps, 1, batch, hidden]), ...after]
}

/** Outputs Y `[steps, 1, batch, hidden]` and Y_h `[1, batch, hidden]`. */
export const gru: Reader = (step) => {
  const hidden = Number(step.shape(2)[2])
  const [ofInput, ofState] = biasesOf(step, 'GRU', hidden)
  const [weight, recurrent] = [matrixOf(step, 1, 'GRU', hidden), matrixOf(step, 2, 'GRU', hidden)]
  // The reset gate acts on the bias of the candidate's product with the state; of the other gates only the sums count.
  const outer = ofInput.map((value, i) => value + (i < 2 * hidden ? (ofState[i] as number) : 0))
  const sums = projected(step, weight, biasParameter(step, 'bias', outer))
  const [steps, batch] = sums.shape as [number, Dim]
  const inner = biasParameter(step, 'candidateBias', ofState.slice(2 * hidden))
  const before = initial(step, 5)
  const all = step.add('gru', [sums, recurrent, inner, ...(before === undefined ? [] : [step.reshape(before, [batch, hidden])])], {})
  return [step.reshape(all, [steps, 1, batch, hidden]), step.add('slice', [all], { dim: 0, start: steps - 1, end: steps })]
}
