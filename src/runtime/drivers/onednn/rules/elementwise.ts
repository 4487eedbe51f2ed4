/** Activations, their gradients, and sums and products. */
import type { OpName } from '../../../../graph/ops/attributes.ts'
import type { Recorder } from '../../../partition/recorder.ts'
import type { Operand } from '../../../partition/step.ts'
import type { Activation } from '../operations.ts'
import { inputsOf, isImage } from './rule.ts'
import type { DnnRule, EmitContext } from './rule.ts'

const hasElements = (_: unknown, [shape]: readonly (readonly number[])[]): boolean => (shape?.length ?? 0) > 0

/** The order that the first blocked operand is in: the others follow it. */
function commonOrder(record: Recorder, inputs: readonly string[]): bigint {
  const [first] = inputs as readonly [string]
  return record.orderOf(inputs.find((input) => record.isBlocked(input)) ?? first)
}

function emitActivation({ node, record, resources }: EmitContext<OpName>, activation: Activation, alpha: number): void {
  const [x] = inputsOf(node)
  const data = record.orderOf(x)
  const primitive = resources.primitive({ kind: 'eltwise', activation, alpha, beta: 0, data })
  const src = record.read(x, data)
  const dst = record.write(node.id, data)
  record.run(primitive, { src, dst }, [src, dst])
}

type ActivationOp = 'relu' | 'tanh' | 'sigmoid' | 'gelu' | 'silu'

function activation<O extends ActivationOp>(name: O): DnnRule<O> {
  return { role: 'follower', supports: hasElements, emit: (context) => emitActivation(context as EmitContext<OpName>, name, alphaOf(name)) }
}

/** SiLU is x·σ(αx). */
function alphaOf(name: ActivationOp): number {
  return name === 'silu' ? 1 : 0
}

/** Inputs: the activation's value y, or its argument x where `takes` says so, and dL/dy. */
function activationGradient<O extends `${ActivationOp}Gradient`>(name: ActivationOp, takes: 'dst' | 'src'): DnnRule<O> {
  return {
    role: 'follower',
    supports: hasElements,
    emit({ node, record, resources }) {
      const [known, upstream] = inputsOf(node)
      const data = commonOrder(record, [known, upstream])
      const alpha = alphaOf(name)
      const hint = resources.primitive({ kind: 'eltwise', activation: name, alpha, beta: 0, data }).operation
      const primitive = resources.primitive({ kind: 'eltwise-gradient', activation: name, alpha, data, hint })
      const diffDst = record.read(upstream, data)
      const operand = record.read(known, data)
      const diffSrc = record.write(node.id, data)
      record.run(primitive, { [takes]: operand, diffDst, diffSrc }, [diffDst, diffSrc])
    },
  }
}

/** Activations and their gradients. */
export const activations = {
  relu: activation('relu'),
  tanh: activation('tanh'),
  sigmoid: activation('sigmoid'),
  gelu: activation('gelu'),
  silu: activation('silu'),
  reluGradient: activationGradient<'reluGradient'>('relu', 'dst'),
  tanhGradient: activationGradient<'tanhGradient'>('tanh', 'dst'),
  sigmoidGradient: activationGradient<'sigmoidGradient'>('sigmoid', 'dst'),
  geluGradient: activationGradient<'geluGradient'>('gelu', 'src'),
  siluGradient: activationGradient<'siluGradient'>('silu', 'src'),
}

/** factor · x */
export const scale: DnnRule<'scale'> = {
  role: 'follower',
  supports: hasElements,
  emit: (context) => emitActivation(context as EmitContext<OpName>, 'linear', context.node.attrs.factor),
}

type Operator = 'add' | 'mul' | 'sub' | 'div'

/** The second operand with all dims, where it is one number for each channel. */
function ofChannels(image: readonly number[], other: readonly number[] | undefined): readonly number[] | undefined {
  if (other === undefined) return undefined
  const spread = [...new Array<number>(image.length - other.length).fill(1), ...other]
  return spread.every((extent, d) => extent === (d === 1 ? image[1] : 1)) ? spread : undefined
}

/** The second operand as one row, where it has the last extents of the first: the same for everything along the dims before. */
function asRow(shape: readonly number[], other: readonly number[]): readonly number[] | undefined {
  const length = other.reduce((product, extent) => product * extent, 1)
  const isLast = other.length > 0 && length > 1 && other.every((extent, d) => extent === shape[shape.length - other.length + d])
  return isLast && other.length < shape.length ? [1, length] : undefined
}

/**
 * What a sum or product may overwrite: its first operand, but not when an activation follows at once. oneDNN then computes the activation of what it has
 * already overwritten.
 */
function inPlaceOf(src: Operand, dst: Operand, followedBy: unknown): readonly [Operand, Operand] | undefined {
  return followedBy === undefined ? [src, dst] : undefined
}

/** Two operands of one shape, or a second one that is the same for all pixels of a channel or for all rows: others have no fast kernel. */
function binary<O extends Operator>(operator: O): DnnRule<O> {
  return {
    role: 'follower',
    supports(node, [shape = [], other = []]) {
      if (shape.length === 0 || !sameExtents(shape, node.shape.map(Number))) return false
      return sameExtents(other, shape) || (isImage(shape) && ofChannels(shape, other) !== undefined) || asRow(shape, other) !== undefined
    },
    emit(context) {
      const { node, record, resources, fusions } = context as EmitContext<OpName>
      const [a, b] = inputsOf(node)
      const followedBy = fusions.activationOf.get(node.id)
      const [shape, other] = [record.shapeOf(a), record.shapeOf(b)]
      const isSame = sameExtents(shape, other)
      const row = isSame || (isImage(shape) && ofChannels(shape, other) !== undefined) ? undefined : asRow(shape, other)
      if (row !== undefined) {
        emitWithRow(context as EmitContext<OpName>, operator, row)
        return
      }
      const spread = isSame ? undefined : ofChannels(shape, other)
      const data = commonOrder(record, spread === undefined ? [a, b] : [a])
      const src = record.read(a, data)
      // The kernels want both operands in blocks.
      const order = (): bigint => (record.isBlocked(a) ? resources.imageOrder(spread ?? []) : resources.plain(spread ?? []))
      const right = spread === undefined ? record.read(b, data) : record.read(b, order(), spread)
      const primitive = resources.primitive({ kind: 'binary', operator, left: data, right: right.descriptor, dst: data }, followedBy?.op)
      const dst = record.write(followedBy?.id ?? node.id, data)
      record.run(primitive, { src, src1: right, dst }, inPlaceOf(src, dst, followedBy))
    },
  }
}

/** The first operand as rows of the length of the second. */
function emitWithRow({ node, record, resources, fusions }: EmitContext<OpName>, operator: Operator, row: readonly number[]): void {
  const [a, b] = inputsOf(node)
  const followedBy = fusions.activationOf.get(node.id)
  const [, length] = row as [number, number]
  const rows = resources.plain([record.shapeOf(a).reduce((product, extent) => product * extent, 1) / length, length])
  const src = { slot: record.plainSlot(a), descriptor: rows }
  const src1 = { slot: record.plainSlot(b), descriptor: resources.plain(row) }
  const primitive = resources.primitive({ kind: 'binary', operator, left: rows, right: src1.descriptor, dst: rows }, followedBy?.op)
  const dst = { slot: record.defineNew(followedBy?.id ?? node.id), descriptor: rows }
  record.run(primitive, { src, src1, dst }, inPlaceOf(src, dst, followedBy))
}

function sameExtents(a: readonly number[] | undefined, b: readonly number[]): boolean {
  return a?.length === b.length && a.every((extent, d) => extent === b[d])
}

/** a + b */
export const add = binary('add')

/** a − b */
export const sub = binary('sub')

/** a · b */
export const mul = binary('mul')

/** a / b */
export const div = binary('div')

/** x · mask; without a mask, x. */
export const dropout: DnnRule<'dropout'> = {
  role: 'follower',
  supports: hasElements,
  emit(context) {
    if (context.node.inputs.length === 2) mul.emit(context as unknown as EmitContext<'mul'>)
    else emitActivation(context as EmitContext<OpName>, 'linear', 1)
  },
}
