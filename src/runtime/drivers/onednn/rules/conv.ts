/** Convolution and its two gradients. */
import type { ConvAttributes } from '../../../../graph/ops/attributes.ts'
import type { Activation, Window } from '../operations.ts'
import type { Primitive, Resources } from '../resources.ts'
import { inputsOf, isImage } from './rule.ts'
import type { DnnRule } from './rule.ts'

/** Shapes of a convolution, as oneDNN sees them. */
interface Shapes {
  readonly image: readonly number[]
  /** With a dim of groups in front, where there is more than one. */
  readonly filter: readonly number[]
  readonly result: readonly number[]
}

function windowOf({ stride, padding, dilation }: ConvAttributes): Window {
  return { stride, padding, dilation: dilation.map((distance) => distance - 1) }
}

function grouped(filter: readonly number[], groups: number): readonly number[] {
  if (groups === 1) return filter
  const [filters, ...rest] = filter as [number, ...number[]]
  return [groups, filters / groups, ...rest]
}

interface ForwardOptions {
  readonly hasBias: boolean
  readonly activation?: Activation
}

function forward(resources: Resources, { image, filter, result }: Shapes, attrs: ConvAttributes, options: ForwardOptions): Primitive {
  const { hasBias, activation } = options
  const filters = result[1] as number
  return resources.primitive(
    {
      kind: 'convolution',
      // In evaluation too, and in a segment without its backward half: the same kernel, so the same bits.
      training: true,
      src: resources.any(image),
      weights: resources.any(filter),
      bias: hasBias ? resources.plain([filters]) : null,
      dst: resources.any(result),
      ...windowOf(attrs),
    },
    activation,
  )
}

const supports = (_: unknown, shapes: readonly (readonly number[])[]): boolean => shapes.slice(0, 2).every(isImage)

/** Inputs: image, filter, bias. An activation that follows is applied by the same primitive. */
export const conv: DnnRule<'conv'> = {
  role: 'anchor',
  supports,
  emit({ node, record, resources, fusions }) {
    const [image, filter, bias] = node.inputs as [string, string, string?]
    const activation = fusions.activationOf.get(node.id)
    const shapes = {
      image: record.shapeOf(image),
      filter: grouped(record.shapeOf(filter), node.attrs.groups),
      result: node.shape.map(Number),
    }
    const primitive = forward(resources, shapes, node.attrs, {
      hasBias: bias !== undefined,
      ...(activation === undefined ? {} : { activation: activation.op }),
    })
    record.run(primitive, {
      src: record.read(image, primitive.query('src') ?? 0n),
      weights: record.read(filter, primitive.query('weights') ?? 0n, shapes.filter),
      ...(bias === undefined ? {} : { bias: record.read(bias, resources.plain(record.shapeOf(bias))) }),
      dst: record.write(activation?.id ?? node.id, primitive.query('dst') ?? 0n),
    })
  },
}

/** Inputs: filter, dL/dy. */
export const convInputGradient: DnnRule<'convInputGradient'> = {
  role: 'anchor',
  supports,
  emit({ node, record, resources }) {
    const [filter, upstream] = inputsOf(node)
    const shapes = {
      image: node.shape.map(Number),
      filter: grouped(record.shapeOf(filter), node.attrs.groups),
      result: record.shapeOf(upstream),
    }
    const hint = forward(resources, shapes, node.attrs, { hasBias: false }).operation
    const primitive = resources.primitive({
      kind: 'convolution-data',
      src: resources.any(shapes.image),
      weights: resources.any(shapes.filter),
      dst: resources.any(shapes.result),
      hint,
      ...windowOf(node.attrs),
    })
    record.run(primitive, {
      diffDst: record.read(upstream, primitive.query('diffDst') ?? 0n),
      weights: record.read(filter, primitive.query('weights') ?? 0n, shapes.filter),
      diffSrc: record.write(node.id, primitive.query('diffSrc') ?? 0n),
    })
  },
}

/** Inputs: image, dL/dy. The gradient of the bias comes along. */
export const convFilterGradient: DnnRule<'convFilterGradient'> = {
  role: 'anchor',
  supports,
  emit({ node, record, resources, fusions }) {
    const [image, upstream] = inputsOf(node)
    const [bias] = fusions.companionsOf.get(node.id) ?? []
    const shapes = {
      image: record.shapeOf(image),
      filter: grouped(node.shape.map(Number), node.attrs.groups),
      result: record.shapeOf(upstream),
    }
    const hint = forward(resources, shapes, node.attrs, { hasBias: bias !== undefined }).operation
    const filters = shapes.result[1] as number
    const primitive = resources.primitive({
      kind: 'convolution-weights',
      src: resources.any(shapes.image),
      weights: resources.any(shapes.filter),
      bias: bias === undefined ? null : resources.plain([filters]),
      dst: resources.any(shapes.result),
      hint,
      ...windowOf(node.attrs),
    })
    record.run(primitive, {
      src: record.read(image, primitive.query('src') ?? 0n),
      diffDst: record.read(upstream, primitive.query('diffDst') ?? 0n),
      diffWeights: record.write(node.id, primitive.query('diffWeights') ?? 0n, shapes.filter),
      ...(bias === undefined ? {} : { diffBias: record.write(bias, resources.plain([filters])) }),
    })
  },
}
