/** Sums over the neighbours in a graph, and row numbers brought into a table's range. */
import { DTypeError, ShapeError } from '../../errors.ts'
import { formatShape } from '../graph.ts'
import type { TensorType } from '../graph.ts'
import type { OpAttributes } from './attributes.ts'
import { requireFloat } from './elementwise.ts'
import { requireNumber, requireRank } from './require-shape.ts'
import { float32 } from './rule.ts'
import type { LowerContext, OpRule, ReferenceTensor } from './rule.ts'

type Pairs = OpAttributes['neighbourSum']

/**
 * Input: `[batch, nodes, features]`; row i of a sample's value is the sum of its rows from[e] over all pairs e with to[e] = i: the product with
 * a sparse matrix of whole numbers, the same for every sample.
 */
export const neighbourSum: OpRule<Pairs> = {
  arity: [1, 1],
  infer(inputs, { from, to }, { layer }) {
    requireFloat(inputs, layer)
    const { shape } = inputs[0] as TensorType
    requireRank(3, shape, layer, 'batch, nodes, features')
    const nodes = requireNumber(shape[1], layer, 'the number of nodes')
    const isNode = (node: number): boolean => Number.isInteger(node) && node >= 0 && node < nodes
    if (from.length !== to.length || !from.every(isNode) || !to.every(isNode)) {
      throw new ShapeError(`${layer}: the pairs do not fit — expected pairs of nodes below ${nodes} for ${formatShape(shape)}, got others`)
    }
    return float32(shape)
  },
  gradient: ({ add, upstream, attrs: { from, to } }) => [add('neighbourSum', [upstream], { from: to, to: from })],
  lower: (context) => (context.target === 'native' ? lowerNative(context) : lowerPortable(context)),
  evaluate({ inputs, shape, attrs: { from, to } }) {
    const input = inputs[0] as ReferenceTensor
    const [batch, nodes, width] = shape as [number, number, number]
    const result = new Float64Array(input.data.length)
    for (let sample = 0; sample < batch; sample++) {
      for (const [pair, node] of to.entries()) {
        const into = (sample * nodes + node) * width
        const out = (sample * nodes + (from[pair] as number)) * width
        for (let j = 0; j < width; j++) result[into + j] = (result[into + j] as number) + (input.data[out + j] as number)
      }
    }
    return result
  },
  flopsPerSample: (_, { shape }, { from }) => from.length * Number(shape[2]),
}

/**
 * Rows are gathered and added into their places. On the graph of Cora with 16 features that takes a sixth of the time of the product with the
 * dense matrix; padded lists of neighbours summed by degree take twice as long.
 */
function lowerNative({ emit, inputs, constant, type, attrs }: LowerContext<Pairs>): string {
  const [batch, nodes, width] = type.shape.map(Number) as [number, number, number]
  const { hasLoops, from, to } = withoutLoops(attrs, nodes)
  const x = emit('Reshape', [inputs[0] as string, constant([batch * nodes, width], [2], 'int64')])
  const base = hasLoops ? x : emit('Expand', [constant([0], [], 'float32'), constant([batch * nodes, width], [2], 'int64')])
  const repeated = (numbers: readonly number[]): number[] =>
    Array.from({ length: batch }, (_, sample) => numbers.map((node) => sample * nodes + node)).flat()
  const sum = from.length === 0 ? base : scatter({ emit, constant }, x, base, repeated(from), repeated(to))
  return emit('Reshape', [sum, constant([batch, nodes, width], [3], 'int64')])
}

/** With a free batch, nodes come first. */
function lowerPortable({ emit, inputs, constant, type, attrs }: LowerContext<Pairs>): string {
  const { hasLoops, from, to } = withoutLoops(attrs, Number(type.shape[1]))
  const x = emit('Transpose', [inputs[0] as string], { perm: [1, 0, 2] })
  const base = hasLoops ? x : emit('Mul', [x, constant([0], [], 'float32')])
  const sum = from.length === 0 ? base : scatter({ emit, constant }, x, base, from, to)
  return emit('Transpose', [sum], { perm: [1, 0, 2] })
}

function scatter(
  { emit, constant }: Pick<LowerContext<Pairs>, 'emit' | 'constant'>,
  x: string,
  base: string,
  from: readonly number[],
  to: readonly number[],
): string {
  const rows = emit('Gather', [x, constant(from, [from.length], 'int64')], { axis: 0 })
  return emit('ScatterND', [base, constant(to, [to.length, 1], 'int64'), rows], { reduction: 'add' })
}

/** Where every node is its own neighbour, the sum starts from the input itself, and these pairs are left out. */
function withoutLoops({ from, to }: Pairs, nodes: number): Pairs & { readonly hasLoops: boolean } {
  const loops = new Set<number>()
  const left = from.flatMap((node, pair) => {
    if (node !== to[pair] || loops.has(node)) return [pair]
    loops.add(node)
    return []
  })
  if (loops.size < nodes) return { from, to, hasLoops: false }
  return { from: left.map((pair) => from[pair] as number), to: left.map((pair) => to[pair] as number), hasLoops: true }
}

/** The remainder of int32 numbers from 0 on: many ids share the rows of a table. */
export const modulo: OpRule<OpAttributes['modulo']> = {
  arity: [1, 1],
  infer(inputs, { divisor }, { layer }) {
    const { shape, dtype } = inputs[0] as TensorType
    if (dtype !== 'int32') throw new DTypeError(`${layer}: the operator takes other elements — expected int32, got ${dtype}`)
    if (!(Number.isInteger(divisor) && divisor >= 1)) {
      throw new ShapeError(`${layer}: there is no remainder — expected a whole divisor from 1 on, got ${divisor}`)
    }
    return { shape, dtype }
  },
  lower: ({ emit, inputs, constant, attrs }) => emit('Mod', [inputs[0] as string, constant([attrs.divisor], [], 'int32')]),
  evaluate: ({ inputs, attrs }) => (inputs[0] as ReferenceTensor).data.map((number) => number % attrs.divisor),
}
