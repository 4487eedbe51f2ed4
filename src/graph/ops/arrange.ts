/** Operators that move or sum elements: reshape, transpose, reduceSum, broadcastTo. */
import { ShapeError } from '../../errors.ts'
import { elementsPerSample, formatShape, isBatchDim } from '../graph.ts'
import type { Shape, TensorType } from '../graph.ts'
import type { OpAttributes } from './attributes.ts'
import { broadcastShapes, broadcastStrides, forEachElement, sumTo } from './broadcast.ts'
import { requireFloat } from './elementwise.ts'
import { requireSameShape } from './require-shape.ts'
import { bindShapeAttribute, float32 } from './rule.ts'
import type { LowerContext, OpRule, ReferenceTensor } from './rule.ts'

/** A shape as an int64 initialiser; the batch extent of an exported model is −1. */
function shapeConstant(constant: LowerContext<unknown>['constant'], shape: Shape): string {
  return constant(
    shape.map((dim) => (isBatchDim(dim) ? -1 : dim)),
    [shape.length],
    'int64',
  )
}

function countBatch(shape: Shape): number {
  return shape.filter(isBatchDim).length
}

/** The same elements in the same order with other extents. */
export const reshape: OpRule<OpAttributes['reshape']> = {
  arity: [1, 1],
  infer(inputs, { shape }, { layer }) {
    const input = inputs[0] as TensorType
    if (elementsPerSample(input.shape) !== elementsPerSample(shape) || countBatch(input.shape) !== countBatch(shape)) {
      throw new ShapeError(
        `${layer}: the elements do not fit — expected ${elementsPerSample(input.shape)} a sample as in ${formatShape(input.shape)}, got ${formatShape(shape)}`,
        { expected: input.shape, got: shape },
      )
    }
    return { shape, dtype: input.dtype }
  },
  gradient: ({ add, inputs, upstream }) => [add('reshape', [upstream], { shape: (inputs[0] as TensorType).shape })],
  bind: bindShapeAttribute,
  lower: ({ emit, inputs, constant, attrs }) => emit('Reshape', [inputs[0] as string, shapeConstant(constant, attrs.shape)]),
  evaluate: ({ inputs }) => (inputs[0] as ReferenceTensor).data.slice(),
}

/** Extent d of the value is extent `permutation[d]` of the input. */
export const transpose: OpRule<OpAttributes['transpose']> = {
  arity: [1, 1],
  infer(inputs, { permutation }, { layer }) {
    const { shape, dtype } = inputs[0] as TensorType
    const isPermutation = permutation.length === shape.length && [...permutation].sort((a, b) => a - b).every((dim, d) => dim === d)
    if (!isPermutation) {
      throw new ShapeError(`${layer}: not a permutation — expected each of 0 to ${shape.length - 1} once, got [${permutation.join(', ')}]`)
    }
    return { shape: permutation.map((dim) => shape[dim] as Shape[number]), dtype }
  },
  gradient: ({ add, upstream, attrs }) => [
    add('transpose', [upstream], { permutation: attrs.permutation.map((_, d) => attrs.permutation.indexOf(d)) }),
  ],
  lower: ({ emit, inputs, attrs }) => emit('Transpose', inputs, { perm: attrs.permutation }),
  evaluate({ inputs, shape, attrs }) {
    const input = inputs[0] as ReferenceTensor
    const strides = input.shape.map((_, d) => input.shape.slice(d + 1).reduce((product, dim) => product * dim, 1))
    const result = new Float64Array(input.data.length)
    const permuted = attrs.permutation.map((dim) => strides[dim] as number)
    forEachElement(shape, [permuted], (element, [offset]) => {
      result[element] = input.data[offset as number] as number
    })
    return result
  },
}

/** The sum over `dims`, which disappear; `dims` is ascending. */
export const reduceSum: OpRule<OpAttributes['reduceSum']> = {
  arity: [1, 1],
  infer(inputs, { dims }, { layer }) {
    requireFloat(inputs, layer)
    const { shape } = inputs[0] as TensorType
    if (dims.some((dim, i) => dim < 0 || dim >= shape.length || dims.indexOf(dim) !== i)) {
      throw new ShapeError(
        `${layer}: there is nothing to sum over — expected different dims of ${formatShape(shape)}, got [${dims.join(', ')}]`,
      )
    }
    return float32(shape.filter((_, d) => !dims.includes(d)))
  },
  gradient({ add, inputs, upstream, attrs }) {
    const { shape } = inputs[0] as TensorType
    const kept = add('reshape', [upstream], { shape: shape.map((dim, d) => (attrs.dims.includes(d) ? 1 : dim)) })
    return [add('broadcastTo', [kept], { shape })]
  },
  lower(context) {
    const { emit, constant, attrs, inputs, inputTypes, inputLayouts } = context
    const layout = inputLayouts[0]
    const dims = attrs.dims.join()
    // Bias gradients: those of a convolution over tiles, and of a dense layer with a transposed value.
    if (typeof layout === 'number' && dims === '0,2,3') {
      const [batch, channels, height, width] = (inputTypes[0] as TensorType).shape.map(Number) as [number, number, number, number]
      const rows = (batch * height * width) / layout ** 2
      const ones = constant(new Array<number>(rows).fill(1), [1, rows], 'float32')
      const byPixel = emit('Reshape', [emit('Gemm', [ones, context.inputAs(0, layout)]), constant([layout ** 2, channels], [2], 'int64')])
      return emit('ReduceSum', [byPixel, constant([0], [1], 'int64')], { keepdims: 0 })
    }
    if (layout === 'transposed' && dims === '0') {
      return emit('ReduceSum', [context.inputAs(0, layout), constant([1], [1], 'int64')], { keepdims: 0 })
    }
    if (attrs.dims.length === 0) return emit('Identity', inputs)
    return emit('ReduceSum', [inputs[0] as string, constant(attrs.dims, [attrs.dims.length], 'int64')], { keepdims: 0 })
  },
  evaluate({ inputs, shape, attrs }) {
    const input = inputs[0] as ReferenceTensor
    const kept = broadcastStrides(shape, shape)
    let next = 0
    const strides = input.shape.map((_, d) => (attrs.dims.includes(d) ? 0 : (kept[next++] as number)))
    const result = new Float64Array(shape.reduce((product, dim) => product * dim, 1))
    forEachElement(input.shape, [strides], (element, [offset]) => {
      result[offset as number] = (result[offset as number] as number) + (input.data[element] as number)
    })
    return result
  },
}

/** Repeats extents of 1, and adds extents in front. */
export const broadcastTo: OpRule<OpAttributes['broadcastTo']> = {
  arity: [1, 1],
  infer(inputs, { shape }, { layer }) {
    requireFloat(inputs, layer)
    const input = inputs[0] as TensorType
    requireSameShape(shape, broadcastShapes(input.shape, shape, layer), layer)
    return float32(shape)
  },
  gradient: (context) => [sumTo(context, context.upstream, (context.inputs[0] as TensorType).shape)],
  bind: bindShapeAttribute,
  lower({ emit, inputs, constant, attrs, inputTypes, shapeTensor }) {
    // A value that has no rows is repeated over those of a free batch.
    if (countBatch(attrs.shape) !== countBatch((inputTypes[0] as TensorType).shape)) {
      return emit('Expand', [inputs[0] as string, shapeTensor(attrs.shape)])
    }
    return emit('Expand', [
      inputs[0] as string,
      constant(
        attrs.shape.map((dim) => (isBatchDim(dim) ? 1 : dim)),
        [attrs.shape.length],
        'int64',
      ),
    ])
  },
  evaluate({ inputs, shape }) {
    const input = inputs[0] as ReferenceTensor
    const result = new Float64Array(shape.reduce((product, dim) => product * dim, 1))
    forEachElement(shape, [broadcastStrides(input.shape, shape)], (element, [offset]) => {
      result[element] = input.data[offset as number] as number
    })
    return result
  },
}
