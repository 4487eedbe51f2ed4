/** Operators that join and take apart: concat, slice, pad with zeros. */
import { ShapeError } from '../../errors.ts'
import { formatShape, isBatchDim, sameShape } from '../graph.ts'
import type { Dim, Shape, TensorType } from '../graph.ts'
import type { OpAttributes } from './attributes.ts'
import { broadcastStrides, forEachElement } from './broadcast.ts'
import { requireFloat } from './elementwise.ts'
import { float32 } from './rule.ts'
import type { OpRule, ReferenceTensor } from './rule.ts'

/** The extent along `dim`. @throws {ShapeError} SHAPE unless there is one, and it is a number */
function fixedExtent(shape: Shape, dim: number, layer: string): number {
  const extent = shape[dim]
  if (typeof extent === 'number') return extent
  throw new ShapeError(`${layer}: the dim cannot be used — expected one of ${formatShape(shape)} but the batch, got ${dim}`)
}

function withExtent(shape: Shape, dim: number, extent: Dim): Shape {
  return shape.map((each, d) => (d === dim ? extent : each))
}

/** The inputs one after the other along `dim`; all other extents are equal. */
export const concat: OpRule<OpAttributes['concat']> = {
  arity: [1, Infinity],
  infer(inputs, { dim }, { layer }) {
    const [first] = inputs as [TensorType]
    let extent = 0
    for (const { shape, dtype } of inputs) {
      extent += fixedExtent(shape, dim, layer)
      if (dtype !== first.dtype || !sameShape(withExtent(shape, dim, 0), withExtent(first.shape, dim, 0))) {
        throw new ShapeError(
          `${layer}: the inputs cannot be joined along dim ${dim} — expected ${formatShape(first.shape)} up to that extent, got ${formatShape(shape)}`,
        )
      }
    }
    return { shape: withExtent(first.shape, dim, extent), dtype: first.dtype }
  },
  gradient({ add, inputs, upstream, attrs: { dim }, needs }) {
    let end = 0
    return inputs.map(({ shape }, i) => {
      const start = end
      end += shape[dim] as number
      return needs(i) ? add('slice', [upstream], { dim, start, end }) : undefined
    })
  },
  lower: ({ emit, inputs, inputTypes, attrs }) =>
    emit(
      'Concat',
      inputTypes.map((_, i) => inputs[i] as string),
      { axis: attrs.dim },
    ),
  evaluate({ inputs, shape, attrs: { dim } }) {
    const result = new Float64Array(shape.reduce((product, extent) => product * extent, 1))
    const strides = broadcastStrides(shape, shape)
    let start = 0
    for (const input of inputs as readonly ReferenceTensor[]) {
      const offset = start * (strides[dim] as number)
      forEachElement(input.shape, [strides], (element, [at]) => {
        result[offset + (at as number)] = input.data[element] as number
      })
      start += input.shape[dim] as number
    }
    return result
  },
}

/** Positions `start` to `end` − 1 along `dim`. */
export const slice: OpRule<OpAttributes['slice']> = {
  arity: [1, 1],
  infer(inputs, { dim, start, end }, { layer }) {
    const { shape, dtype } = inputs[0] as TensorType
    const extent = fixedExtent(shape, dim, layer)
    if (!(Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start < end && end <= extent)) {
      throw new ShapeError(`${layer}: the slice cannot be taken — expected 0 ≤ start < end ≤ ${extent}, got ${start} and ${end}`)
    }
    return { shape: withExtent(shape, dim, end - start), dtype }
  },
  gradient({ add, inputs, upstream, attrs: { dim, start, end } }) {
    const { shape } = inputs[0] as TensorType
    const at = (value: number): number[] => shape.map((_, d) => (d === dim ? value : 0))
    return [add('pad', [upstream], { before: at(start), after: at((shape[dim] as number) - end) })]
  },
  lower({ emit, inputs, constant, attrs: { dim, start, end } }) {
    const one = (value: number): string => constant([value], [1], 'int64')
    return emit('Slice', [inputs[0] as string, one(start), one(end), one(dim)])
  },
  evaluate({ inputs, shape, attrs: { dim, start } }) {
    const input = inputs[0] as ReferenceTensor
    const strides = broadcastStrides(input.shape, input.shape)
    const result = new Float64Array(shape.reduce((product, extent) => product * extent, 1))
    forEachElement(shape, [strides], (element, [offset]) => {
      result[element] = input.data[start * (strides[dim] as number) + (offset as number)] as number
    })
    return result
  },
}

/** `before[d]` zeros before and `after[d]` zeros after the elements along every dim d; none along the batch. */
export const pad: OpRule<OpAttributes['pad']> = {
  arity: [1, 1],
  infer(inputs, { before, after }, { layer }) {
    requireFloat(inputs, layer)
    const { shape } = inputs[0] as TensorType
    const isUsable = (extent: Dim, d: number): boolean => {
      const both = [before[d], after[d]] as number[]
      return both.every((zeros) => Number.isInteger(zeros) && zeros >= 0) && (!isBatchDim(extent) || both.every((zeros) => zeros === 0))
    }
    if (before.length !== shape.length || after.length !== shape.length || !shape.every(isUsable)) {
      throw new ShapeError(
        `${layer}: the zeros cannot be added — expected two counts for each of ${formatShape(shape)}, 0 for the batch, got [${before.join(', ')}] and [${after.join(', ')}]`,
      )
    }
    return float32(shape.map((extent, d) => (isBatchDim(extent) ? extent : extent + (before[d] as number) + (after[d] as number))))
  },
  gradient({ add, inputs, upstream, attrs }) {
    const { shape } = inputs[0] as TensorType
    return [
      shape.reduce((value, extent, dim) => {
        const start = attrs.before[dim] as number
        if (value.shape[dim] === extent) return value
        return add('slice', [value], { dim, start, end: start + (extent as number) })
      }, upstream),
    ]
  },
  lower({ emit, inputs, constant, attrs: { before, after } }) {
    return emit('Pad', [inputs[0] as string, constant([...before, ...after], [2 * before.length], 'int64')])
  },
  evaluate({ inputs, shape, attrs: { before } }) {
    const input = inputs[0] as ReferenceTensor
    const strides = shape.map((_, d) => shape.slice(d + 1).reduce((product, extent) => product * extent, 1))
    const first = before.reduce((sum, zeros, d) => sum + zeros * (strides[d] as number), 0)
    const result = new Float64Array(shape.reduce((product, extent) => product * extent, 1))
    forEachElement(input.shape, [strides], (element, [offset]) => {
      result[first + (offset as number)] = input.data[element] as number
    })
    return result
  },
}
