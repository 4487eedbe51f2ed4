/** Activations, their gradients, and sums and products of images. */
import type { OpName } from '../../../../graph/ops/attributes.ts'
import type { Recorder } from '../../../partition/recorder.ts'
import type { Activation } from '../operations.ts'
import { inputsOf, isImage } from './rule.ts'
import type { DnnRule, EmitContext } from './rule.ts'

const firstIsImage = (_: unknown, [shape]: readonly (readonly number[])[]): boolean => isImage(shape)

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

function activation<O extends 'relu' | 'tanh' | 'sigmoid'>(name: O): DnnRule<O> {
  return { role: 'follower', supports: firstIsImage, emit: (context) => emitActivation(context as EmitContext<OpName>, name, 0) }
}

/** Inputs: the activation's value y and dL/dy. */
function activationGradient<O extends `${'relu' | 'tanh' | 'sigmoid'}Gradient`>(name: Activation): DnnRule<O> {
  return {
    role: 'follower',
    supports: firstIsImage,
    emit({ node, record, resources }) {
      const [y, upstream] = inputsOf(node)
      const data = commonOrder(record, [y, upstream])
      const hint = resources.primitive({ kind: 'eltwise', activation: name, alpha: 0, beta: 0, data }).operation
      const primitive = resources.primitive({ kind: 'eltwise-gradient', activation: name, data, hint })
      const diffDst = record.read(upstream, data)
      const dst = record.read(y, data)
      const diffSrc = record.write(node.id, data)
      record.run(primitive, { dst, diffDst, diffSrc }, [diffDst, diffSrc])
    },
  }
}

/** max(x, 0) */
export const relu = activation('relu')

/** tanh x */
export const tanh = activation('tanh')

/** 1 / (1 + e^−x) */
export const sigmoid = activation('sigmoid')

/** dy where y > 0 */
export const reluGradient = activationGradient<'reluGradient'>('relu')

/** dy·(1 − y²) */
export const tanhGradient = activationGradient<'tanhGradient'>('tanh')

/** dy·y·(1 − y) */
export const sigmoidGradient = activationGradient<'sigmoidGradient'>('sigmoid')

/** factor · x */
export const scale: DnnRule<'scale'> = {
  role: 'follower',
  supports: firstIsImage,
  emit: (context) => emitActivation(context as EmitContext<OpName>, 'linear', context.node.attrs.factor),
}

type Operator = 'add' | 'mul' | 'sub' | 'div'

/** The second operand with all dims, where it is one number for each channel. */
function ofChannels(image: readonly number[], other: readonly number[] | undefined): readonly number[] | undefined {
  if (other === undefined) return undefined
  const spread = [...new Array<number>(image.length - other.length).fill(1), ...other]
  return spread.every((extent, d) => extent === (d === 1 ? image[1] : 1)) ? spread : undefined
}

/** Two operands of one shape, or a second one that is the same for all pixels of a channel: for others oneDNN has no fast kernel. */
function binary<O extends Operator>(operator: O): DnnRule<O> {
  return {
    role: 'follower',
    supports(node, [shape, other]) {
      if (shape === undefined || !isImage(shape) || !sameExtents(shape, node.shape.map(Number))) return false
      return sameExtents(other, shape) || ofChannels(shape, other) !== undefined
    },
    emit({ node, record, resources, fusions }) {
      const [a, b] = inputsOf(node)
      const followedBy = fusions.activationOf.get(node.id)
      const [shape, other] = [record.shapeOf(a), record.shapeOf(b)]
      const spread = sameExtents(shape, other) ? undefined : ofChannels(shape, other)
      const data = commonOrder(record, spread === undefined ? [a, b] : [a])
      const src = record.read(a, data)
      // The kernels want both operands in blocks.
      const order = (): bigint => (record.isBlocked(a) ? resources.imageOrder(spread ?? []) : resources.plain(spread ?? []))
      const right = spread === undefined ? record.read(b, data) : record.read(b, order(), spread)
      const primitive = resources.primitive({ kind: 'binary', operator, left: data, right: right.descriptor, dst: data }, followedBy?.op)
      const dst = record.write(followedBy?.id ?? node.id, data)
      record.run(primitive, { src, src1: right, dst }, [src, dst])
    },
  }
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
  supports: firstIsImage,
  emit(context) {
    if (context.node.inputs.length === 2) mul.emit(context as unknown as EmitContext<'mul'>)
    else emitActivation(context as EmitContext<OpName>, 'linear', 1)
  },
}
