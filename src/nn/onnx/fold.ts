/**
 * Operators on tensors that are known while a file is read: shapes, indices, masks, factors.
 * @packageDocumentation
 */
import { elementCount } from '../../graph/graph.ts'
import { broadcastShapes, broadcastStrides, forEachElement } from '../../graph/ops/broadcast.ts'
import { combine, compare } from './extents.ts'
import type { Arithmetic, Comparison } from './extents.ts'
import { known } from './operand.ts'
import type { Element, Static } from './operand.ts'
import type { Attributes } from './attributes.ts'
import { rangeOf } from './slice-range.ts'

/** Computes one node; what is not given is undefined. */
type Fold = (inputs: readonly (Static | undefined)[], attributes: Attributes, outputs: number) => Static | readonly Static[]

/** Every operator that can be computed beforehand. */
export const folds: Readonly<Record<string, Fold>> = {
  ...Object.fromEntries((['Add', 'Sub', 'Mul', 'Div', 'Mod', 'Min', 'Max', 'Pow'] as const).map((op) => [op, arithmetic(op)])),
  ...Object.fromEntries(
    (['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'And', 'Or'] as const).map((op) => [op, comparison(op)]),
  ),
  ...Object.fromEntries(
    Object.entries({
      Neg: (x: number) => -x,
      Abs: Math.abs,
      Sqrt: Math.sqrt,
      Exp: Math.exp,
      Log: Math.log,
      Floor: Math.floor,
      Ceil: Math.ceil,
      Reciprocal: (x: number) => 1 / x,
      Sin: Math.sin,
      Cos: Math.cos,
      Sigmoid: (x: number) => 1 / (1 + Math.exp(-x)),
      Tanh: Math.tanh,
      Sign: Math.sign,
    }).map(([op, compute]) => [op, elementwise(compute)]),
  ),
  Not: ([x]) =>
    known(
      'bool',
      need(x).shape,
      Array.from(need(x).data, (element) => Number(element === 0)),
    ),
  Identity: ([x]) => need(x),
  Dropout: ([x]) => need(x),
  Cast: ([x], attributes) => cast(need(x), attributes.int('to', 1)),
  Shape: ([x], attributes) => {
    const { shape } = need(x)
    const [start, end] = rangeOf(attributes.int('start', 0), attributes.int('end', shape.length), shape.length)
    const extents = shape.slice(start, end)
    return known('int64', [extents.length], extents)
  },
  Size: ([x]) => known('int64', [], [elementCount(need(x).shape)]),
  Reshape: ([x, to]) => reshaped(need(x), resolve(need(x).shape, listOf(to))),
  Flatten: ([x], attributes) => {
    const { shape } = need(x)
    const axis = axisOf(attributes.int('axis', 1), shape.length)
    return reshaped(need(x), [elementCount(shape.slice(0, axis)), elementCount(shape.slice(axis))])
  },
  Unsqueeze: ([x, axes]) => reshaped(need(x), unsqueezed(need(x).shape, listOf(axes))),
  Squeeze: ([x, axes]) => reshaped(need(x), squeezed(need(x).shape, axes && listOf(axes))),
  Transpose: ([x], attributes) => {
    const { shape } = need(x)
    return transposed(need(x), attributes.ints('perm') ?? shape.map((_, d) => shape.length - 1 - d))
  },
  Concat: (inputs, attributes) => joined(inputs.map(need), attributes.int('axis', 0)),
  Slice: ([x, starts, ends, axes, steps]) => {
    const source = need(x)
    const dims = axes === undefined ? source.shape.map((_, d) => d) : listOf(axes)
    return dims.reduce((value: Static, axis, i) => {
      const dim = axisOf(axis, source.shape.length)
      const step = steps === undefined ? 1 : (listOf(steps)[i] as number)
      return taken(value, dim, places(value.shape[dim] as number, listOf(starts)[i] as number, listOf(ends)[i] as number, step))
    }, source)
  },
  Gather: ([x, indices], attributes) => {
    const [source, at] = [need(x), need(indices)]
    const dim = axisOf(attributes.int('axis', 0), source.shape.length)
    const extent = source.shape[dim] as number
    const chosen = taken(
      source,
      dim,
      listOf(at).map((index) => (index < 0 ? index + extent : index)),
    )
    return { ...chosen, shape: [...source.shape.slice(0, dim), ...at.shape, ...source.shape.slice(dim + 1)] }
  },
  Expand: ([x, to]) => {
    const source = need(x)
    return spread(source, broadcastShapes(source.shape, listOf(to), 'Expand').map(Number))
  },
  Tile: ([x, repeats]) => listOf(repeats).reduce((value, times, dim) => joined(new Array<Static>(times).fill(value), dim), need(x)),
  ConstantOfShape: ([shape], attributes) => {
    const value = attributes.tensor('value') ?? known('float32', [1], [0])
    const extents = listOf(shape)
    return known(value.dtype, extents, new Array<Element>(elementCount(extents)).fill(value.data[0] as Element))
  },
  Range: ([start, limit, delta]) => {
    const [first, end, step] = [start, limit, delta].map((each) => listOf(each)[0] as number) as [number, number, number]
    const length = Math.max(0, Math.ceil((end - first) / step))
    return known(
      need(start).dtype,
      [length],
      Array.from({ length }, (_, i) => first + i * step),
    )
  },
  Where: ([condition, a, b]) => {
    const [mask, x, y] = [need(condition), need(a), need(b)]
    const shape = broadcastShapes(broadcastShapes(mask.shape, x.shape, 'Where'), y.shape, 'Where').map(Number)
    const [m, left, right] = [mask, x, y].map((each) => spread(each, shape).data) as [
      ArrayLike<Element>,
      ArrayLike<Element>,
      ArrayLike<Element>,
    ]
    return known(
      x.dtype,
      shape,
      Array.from(left, (element, i) => (m[i] === 0 ? (right[i] as Element) : element)),
    )
  },
  ReduceProd: ([x], attributes) => {
    const source = need(x)
    const product = Array.from(source.data).reduce((value: Element, element) => combine('Mul', value, element, true), 1)
    return known(source.dtype, attributes.int('keepdims', 1) === 1 ? source.shape.map(() => 1) : [], [product])
  },
  Split: ([x, sizes], attributes, outputs) => {
    const source = need(x)
    const dim = axisOf(attributes.int('axis', 0), source.shape.length)
    let start = 0
    return splitSizes(source.shape[dim] as number, outputs, sizes && listOf(sizes)).map((size) => {
      const first = start
      start += size
      return taken(
        source,
        dim,
        Array.from({ length: size }, (_, i) => first + i),
      )
    })
  },
  Trilu: ([x, k], attributes) => {
    const source = need(x)
    const [rows, columns] = source.shape.slice(-2) as [number, number]
    const diagonal = k === undefined ? 0 : (listOf(k)[0] as number)
    const isUpper = attributes.int('upper', 1) === 1
    const keeps = (row: number, column: number): boolean => (isUpper ? column - row >= diagonal : column - row <= diagonal)
    const data = Array.from(source.data, (element, i) => (keeps(Math.floor(i / columns) % rows, i % columns) ? element : 0))
    return known(source.dtype, source.shape, data)
  },
}

function need(operand: Static | undefined): Static {
  if (operand === undefined) throw new TypeError('an operator has too few inputs')
  return operand
}

/** Whole numbers of a tensor. */
function listOf(operand: Static | undefined): number[] {
  return Array.from(need(operand).data, Number)
}

/** An axis counted from the front. */
export function axisOf(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis
}

/** How long the pieces of a split are: as said, or equal but for the last. */
export function splitSizes(extent: number, count: number, sizes: readonly number[] | undefined): readonly number[] {
  if (sizes !== undefined) return sizes
  const size = Math.ceil(extent / count)
  return Array.from({ length: count }, (_, i) => Math.min(size, extent - i * size))
}

/** A shape with extents of 1 at these places of the result. */
export function unsqueezed<T>(shape: readonly T[], axes: readonly number[]): (T | 1)[] {
  const rank = shape.length + axes.length
  const added = new Set(axes.map((axis) => axisOf(axis, rank)))
  let next = 0
  return Array.from({ length: rank }, (_, d) => (added.has(d) ? 1 : (shape[next++] as T)))
}

/** A shape without these extents, or without all that are 1. */
export function squeezed<T>(shape: readonly T[], axes: readonly number[] | undefined): T[] {
  const dropped = axes && new Set(axes.map((axis) => axisOf(axis, shape.length)))
  return shape.filter((extent, d) => (dropped === undefined ? extent !== 1 : !dropped.has(d)))
}

function resolve(shape: readonly number[], to: readonly number[]): number[] {
  const copied = to.map((extent, d) => (extent === 0 ? (shape[d] as number) : extent))
  const rest = elementCount(copied.filter((extent) => extent !== -1))
  return copied.map((extent) => (extent === -1 ? elementCount(shape) / rest : extent))
}

function reshaped(source: Static, shape: readonly number[]): Static {
  return known(source.dtype, shape, source.data)
}

function elementwise(compute: (x: number) => number): Fold {
  return ([x]) =>
    known(
      need(x).dtype,
      need(x).shape,
      Array.from(need(x).data, (element) => compute(Number(element))),
    )
}

function arithmetic(op: Arithmetic): Fold {
  return (inputs) =>
    inputs.map(need).reduce((a, b) => {
      const isWhole = a.dtype === 'int64'
      return pairs(a, b, a.dtype, (x, y) => combine(op, x, y, isWhole))
    })
}

function comparison(op: Comparison): Fold {
  return ([a, b]) => pairs(need(a), need(b), 'bool', (x, y) => compare(op, x, y))
}

function pairs(a: Static, b: Static, dtype: Static['dtype'], compute: (x: Element, y: Element) => Element): Static {
  const shape = broadcastShapes(a.shape, b.shape, 'import').map(Number)
  const [left, right] = [spread(a, shape).data, spread(b, shape).data]
  return known(
    dtype,
    shape,
    Array.from(left, (element, i) => compute(element, right[i] as Element)),
  )
}

function spread(source: Static, shape: readonly number[]): Static {
  const data = new Array<Element>(elementCount(shape))
  forEachElement(shape, [broadcastStrides(source.shape, shape)], (element, [offset]) => {
    data[element] = source.data[offset as number] as Element
  })
  return known(source.dtype, shape, data)
}

/** A tensor with its dims in another order. */
export function transposed(source: Static, permutation: readonly number[]): Static {
  const strides = source.shape.map((_, d) => elementCount(source.shape.slice(d + 1)))
  const shape = permutation.map((dim) => source.shape[dim] as number)
  const data = source.data instanceof Float32Array ? new Float32Array(source.data.length) : new Array<Element>(source.data.length)
  const permuted = permutation.map((dim) => strides[dim] as number)
  forEachElement(shape, [permuted], (element, [offset]) => {
    data[element] = source.data[offset as number] as number
  })
  return known(source.dtype, shape, data)
}

/** Elements at these places along a dim. */
function taken(source: Static, dim: number, at: readonly number[]): Static {
  const inner = elementCount(source.shape.slice(dim + 1))
  const outer = elementCount(source.shape.slice(0, dim))
  const extent = source.shape[dim] as number
  const data: Element[] = []
  for (let o = 0; o < outer; o++) {
    for (const place of at) for (let i = 0; i < inner; i++) data.push(source.data[(o * extent + place) * inner + i] as Element)
  }
  return known(
    source.dtype,
    source.shape.map((each, d) => (d === dim ? at.length : each)),
    data,
  )
}

function joined(inputs: readonly Static[], axis: number): Static {
  const [first] = inputs as readonly [Static]
  const dim = axisOf(axis, first.shape.length)
  const outer = elementCount(first.shape.slice(0, dim))
  const data: Element[] = []
  for (let o = 0; o < outer; o++) {
    for (const input of inputs) {
      const width = elementCount(input.shape.slice(dim))
      for (let i = 0; i < width; i++) data.push(input.data[o * width + i] as Element)
    }
  }
  const extent = inputs.reduce((sum, input) => sum + (input.shape[dim] as number), 0)
  return known(
    first.dtype,
    first.shape.map((each, d) => (d === dim ? extent : each)),
    data,
  )
}

function places(extent: number, start: number, end: number, step: number): number[] {
  const [first, last] = rangeOf(start, end, extent, step)
  const count = Math.max(0, Math.ceil((last - first) / step))
  return Array.from({ length: count }, (_, i) => first + i * step)
}

function cast(source: Static, to: number): Static {
  const floats: ReadonlySet<number> = new Set([1, 10, 11, 16])
  if (floats.has(to)) return known('float32', source.shape, source.data)
  if (to === 9)
    return known(
      'bool',
      source.shape,
      Array.from(source.data, (element) => Number(element !== 0)),
    )
  if (source.dtype !== 'float32') return known('int64', source.shape, source.data)
  return known(
    'int64',
    source.shape,
    Array.from(source.data, (element) => (typeof element === 'number' ? Math.trunc(element) : element)),
  )
}
