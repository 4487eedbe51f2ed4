/** Mean and maximum over dims. */
import { ShapeError } from '../../errors.ts'
import { formatShape, isBatchDim, perSample } from '../graph.ts'
import type { Shape, TensorType } from '../graph.ts'
import type { Value } from '../builder.ts'
import type { OpAttributes } from './attributes.ts'
import { broadcastStrides, forEachElement } from './broadcast.ts'
import { requireFloat } from './elementwise.ts'
import { float32 } from './rule.ts'
import type { GradientContext, OpRule, ReferenceTensor, ShapeContext } from './rule.ts'

type Attributes = OpAttributes['reduceMean']

function inferReduced(inputs: readonly TensorType[], { dims }: Attributes, { layer }: ShapeContext): TensorType {
  requireFloat(inputs, layer)
  const { shape } = inputs[0] as TensorType
  const isUsable = (dim: number, i: number): boolean => dim >= 0 && dim < shape.length && dims.indexOf(dim) === i && !isBatchDim(shape[dim])
  if (dims.length === 0 || !dims.every(isUsable)) {
    throw new ShapeError(
      `${layer}: there is nothing to reduce over — expected different dims of ${formatShape(shape)} but the batch, got [${dims.join(', ')}]`,
    )
  }
  return float32(shape.filter((_, d) => !dims.includes(d)))
}

/** The reduced value with extents of 1 where it was reduced. */
function kept({ add, inputs }: Pick<GradientContext<Attributes>, 'add' | 'inputs'>, value: Value, { dims }: Attributes): Value {
  const { shape } = inputs[0] as TensorType
  return add('reshape', [value], { shape: shape.map((dim, d) => (dims.includes(d) ? 1 : dim)) })
}

/** Strides of the reduced value, read in the order of the input. */
function reducedStrides(from: readonly number[], shape: readonly number[], dims: readonly number[]): number[] {
  const strides = broadcastStrides(shape, shape)
  let next = 0
  return from.map((_, d) => (dims.includes(d) ? 0 : (strides[next++] as number)))
}

function count(shape: Shape, dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * perSample(shape[dim] as Shape[number]), 1)
}

/** The mean over `dims`, which disappear; the batch is none of them. */
export const reduceMean: OpRule<Attributes> = {
  arity: [1, 1],
  infer: inferReduced,
  gradient(context) {
    const { add, inputs, upstream, attrs } = context
    const { shape } = inputs[0] as TensorType
    const share = add('scale', [kept(context, upstream, attrs)], { factor: 1 / count(shape, attrs.dims) })
    return [add('broadcastTo', [share], { shape })]
  },
  lower: ({ emit, inputs, attrs }) => emit('ReduceMean', inputs, { axes: attrs.dims, keepdims: 0 }),
  evaluate({ inputs, shape, attrs }) {
    const input = inputs[0] as ReferenceTensor
    const result = new Float64Array(shape.reduce((product, dim) => product * dim, 1))
    const number = count(input.shape, attrs.dims)
    forEachElement(input.shape, [reducedStrides(input.shape, shape, attrs.dims)], (element, [offset]) => {
      result[offset as number] = (result[offset as number] as number) + (input.data[element] as number) / number
    })
    return result
  },
}

/** The maximum over `dims`, which disappear; the batch is none of them. Every one of several equal largest elements gets the whole gradient. */
export const reduceMax: OpRule<Attributes> = {
  arity: [1, 1],
  infer: inferReduced,
  gradient({ add, inputs, output, upstream, attrs }) {
    return [add('reduceMaxGradient', [inputs[0] as Value, output, upstream], attrs)]
  },
  lower: ({ emit, inputs, attrs }) => emit('ReduceMax', inputs, { axes: attrs.dims, keepdims: 0 }),
  evaluate({ inputs, shape, attrs }) {
    const input = inputs[0] as ReferenceTensor
    const result = new Float64Array(shape.reduce((product, dim) => product * dim, 1)).fill(-Infinity)
    forEachElement(input.shape, [reducedStrides(input.shape, shape, attrs.dims)], (element, [offset]) => {
      result[offset as number] = Math.max(result[offset as number] as number, input.data[element] as number)
    })
    return result
  },
}

/** Inputs: x, its maximum y over `dims`, dL/dy; value: dy where x = y, else 0. */
export const reduceMaxGradient: OpRule<Attributes> = {
  arity: [3, 3],
  infer(inputs, _, { layer }) {
    requireFloat(inputs, layer)
    return float32((inputs[0] as TensorType).shape)
  },
  lower({ emit, inputs, constant, attrs }) {
    const axes = constant(attrs.dims, [attrs.dims.length], 'int64')
    const [y, dy] = inputs.slice(1).map((name) => emit('Unsqueeze', [name, axes])) as [string, string]
    return emit('Mul', [emit('Cast', [emit('Equal', [inputs[0] as string, y])], { to: 1 }), dy])
  },
  evaluate({ inputs, shape, attrs }) {
    const [x, y, dy] = inputs as [ReferenceTensor, ReferenceTensor, ReferenceTensor]
    const result = new Float64Array(x.data.length)
    forEachElement(shape, [reducedStrides(shape, y.shape, attrs.dims)], (element, [offset]) => {
      if (x.data[element] === y.data[offset as number]) result[element] = dy.data[offset as number] as number
    })
    return result
  },
}
