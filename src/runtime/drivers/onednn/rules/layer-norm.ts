/** Layer normalisation over the last dim, and its gradients, which one primitive computes together. */
import type { Recorder } from '../../../partition/recorder.ts'
import type { Operand } from '../../../partition/step.ts'
import type { Primitive, Resources } from '../resources.ts'
import { rowsOf } from './rule.ts'
import type { DnnRule, EmitContext, RememberedNorm } from './rule.ts'

const hasRows = (_: unknown, [shape]: readonly (readonly number[])[]): boolean => (shape?.length ?? 0) >= 2

function forward(resources: Resources, rows: readonly [number, number], epsilon: number): Primitive {
  return resources.primitive({ kind: 'layer-norm', data: resources.plain(rows), statistics: resources.plain([rows[0]]), epsilon })
}

/** A value as rows. */
function seen(record: Recorder, resources: Resources, value: string, shape: readonly number[]): Operand {
  return { slot: record.plainSlot(value), descriptor: resources.plain(shape) }
}

function keyOf(x: string, epsilon: number): string {
  return `${x} ${epsilon}`
}

/** Normalises x and remembers mean and variance of its rows. */
function normalise({ record, resources, norms }: Context, x: string, epsilon: number, given: Given): RememberedNorm {
  const rows = rowsOf(record.shapeOf(x))
  const width = resources.plain([rows[1]])
  const primitive = forward(resources, rows, epsilon)
  const column = resources.plain([rows[0]])
  const [mean, variance] = [record.temporary(column), record.temporary(column)]
  const scale = given.gain === undefined ? record.temporary(width) : seen(record, resources, given.gain, [rows[1]])
  const shift = given.bias === undefined ? record.temporary(width) : seen(record, resources, given.bias, [rows[1]])
  const src = seen(record, resources, x, rows)
  const dst = given.dst === undefined ? record.temporary(src.descriptor) : { slot: record.defineNew(given.dst), descriptor: src.descriptor }
  record.run(primitive, { src, scale, shift, mean, variance, dst })
  const made = { hint: primitive.operation, mean, variance }
  norms.set(keyOf(x, epsilon), made)
  return made
}

type Context = Pick<EmitContext<'layerNorm'>, 'record' | 'resources' | 'norms'>

interface Given {
  readonly gain?: string
  readonly bias?: string
  /** The value that is computed; nobody reads it where only the statistics are wanted. */
  readonly dst?: string
}

/** Inputs: x, gain, bias. */
export const layerNorm: DnnRule<'layerNorm'> = {
  role: 'follower',
  supports: hasRows,
  emit(context) {
    const { node } = context
    const [x, gain, bias] = node.inputs as [string, string, string]
    normalise(context, x, node.attrs.epsilon, { gain, bias, dst: node.id })
  },
}

/** Inputs: x, gain, dL/dy. The gradients of gain and bias come along. */
export const layerNormGradient: DnnRule<'layerNormGradient'> = {
  role: 'follower',
  supports: hasRows,
  emit(context) {
    const { node, record, resources, fusions, norms, nodes } = context
    const [x, gain, upstream] = node.inputs as [string, string, string]
    const { epsilon } = node.attrs
    const rows = rowsOf(record.shapeOf(x))
    const data = resources.plain(rows)
    const { hint, mean, variance } = norms.get(keyOf(x, epsilon)) ?? normalise(context, x, epsilon, { gain })
    const primitive = resources.primitive({ kind: 'layer-norm-gradient', data, statistics: resources.plain([rows[0]]), epsilon, hint })
    const width = resources.plain([rows[1]])
    const companion = (op: 'layerNormGainGradient' | 'reduceSum'): Operand => {
      const id = fusions.companionsOf.get(node.id)?.find((other) => nodes.get(other)?.op === op)
      return id === undefined ? record.temporary(width) : { slot: record.defineNew(id), descriptor: width }
    }
    const diffDst = seen(record, resources, upstream, rows)
    const src = seen(record, resources, x, rows)
    const scale = seen(record, resources, gain, [rows[1]])
    // The library asks for the bias, although no gradient depends on it.
    const shift = record.temporary(width)
    const [diffScale, diffShift] = [companion('layerNormGainGradient'), companion('reduceSum')]
    const diffSrc = { slot: record.defineNew(node.id), descriptor: data }
    record.run(primitive, { src, diffDst, mean, variance, scale, shift, diffSrc, diffScale, diffShift }, [diffDst, diffSrc])
  },
}
