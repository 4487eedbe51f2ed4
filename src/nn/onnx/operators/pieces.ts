/** Pieces of values, and rows of tables. */
import type { Value } from '../../../graph/builder.ts'
import { elementCount, isBatchDim } from '../../../graph/graph.ts'
import { axisOf, splitSizes } from '../fold.ts'
import type { Operand } from '../operand.ts'
import { rangeOf } from '../slice-range.ts'
import type { Reader, Step } from '../step.ts'

/** Places `start` to `end` − 1 along a dim; the value itself where that is everything. */
function piece(step: Step, value: Value, dim: number, start: number, end: number): Value {
  return start === 0 && end === value.shape[dim] ? value : step.add('slice', [value], { dim, start, end })
}

export const concat: Reader = (step) => {
  const given = step.inputs.map((_, i) => step.value(i))
  const dim = axisOf(step.attributes.int('axis', 0), given[0]?.shape.length ?? 0)
  const values = given.map((value) => withBatch(step, value, given))
  return values.length === 1 ? (values[0] as Value) : step.add('concat', values, { dim })
}

/** A value that is the same for all rows beside values that have rows, in a file that was made for one row. */
function withBatch(step: Step, value: Value, beside: readonly Value[]): Value {
  const place = beside.map(({ shape }) => shape.findIndex(isBatchDim)).find((d) => d >= 0)
  if (step.network.batchSize !== 1 || place === undefined || value.shape[place] !== 1) return value
  return step.add('broadcastTo', [value], { shape: value.shape.map((extent, d) => (d === place ? 'batch' : extent)) })
}

export const slice: Reader = (step) => {
  const x = step.value(0)
  const [starts, ends] = [step.elements(1), step.elements(2)]
  const axes = step.has(3) ? step.numbers(3) : starts.map((_, i) => i)
  const steps = step.has(4) ? step.numbers(4) : starts.map(() => 1)
  return axes.reduce((value, axis, i) => {
    const dim = axisOf(axis, x.shape.length)
    const extent = value.shape[dim]
    const [start, end, stride] = [starts[i], ends[i], steps[i] as number]
    if (isBatchDim(extent)) {
      const isWhole = start === 0 && stride === 1 && (end === extent || (typeof end === 'number' && end >= 2 ** 31 - 1))
      if (isWhole) return value
      throw step.fault('takes a part of the batch', 'all of it', `${start} to ${end}`)
    }
    if (typeof start !== 'number' || typeof end !== 'number')
      throw step.fault('depends on the batch size', 'fixed places', `${start} to ${end}`)
    return strided(step, value, dim, start, end, stride)
  }, x)
}

/** Every so many places; backwards one by one. */
function strided(step: Step, value: Value, dim: number, start: number, end: number, stride: number): Value {
  const extent = value.shape[dim] as number
  const [first, last] = rangeOf(start, end, extent, stride)
  const count = Math.ceil((last - first) / stride)
  if (count < 1) throw step.fault('takes nothing', 'at least one place', `${start} to ${end} of ${extent}`)
  if (stride === 1) return piece(step, value, dim, first, last)
  return picked(
    step,
    value,
    dim,
    Array.from({ length: count }, (_, i) => first + i * stride),
  )
}

/** Most pieces that a value is taken apart into. */
const mostPieces = 1024

/** These places along a dim, one after the other: runs of neighbours are taken together. */
function picked(step: Step, value: Value, dim: number, places: readonly number[]): Value {
  const runs: [number, number][] = []
  for (const place of places) {
    const last = runs.at(-1)
    if (last !== undefined && last[1] === place) last[1] = place + 1
    else runs.push([place, place + 1])
  }
  if (runs.length > mostPieces) throw step.fault('takes too many pieces', `at most ${mostPieces}`, runs.length)
  const parts = runs.map(([start, end]) => piece(step, value, dim, start, end))
  return parts.length === 1 ? (parts[0] as Value) : step.add('concat', parts, { dim })
}

export const split: Reader = (step) => {
  const x = step.value(0)
  const dim = axisOf(step.attributes.int('axis', 0), x.shape.length)
  const extent = x.shape[dim]
  if (typeof extent !== 'number') throw step.fault('takes the batch apart', 'another axis', dim)
  let end = 0
  return splitSizes(extent, step.node.outputs.length, step.has(1) ? step.numbers(1) : undefined).map((length) => {
    const start = end
    end += length
    return piece(step, x, dim, start, end)
  })
}

/** Zeros around a value; a negative number cuts off. */
export const pad: Reader = (step) => {
  step.attributes.require('mode', 'constant', ['constant'])
  if (step.has(2) && step.numbers(2).some((value) => value !== 0))
    throw step.fault('pads with a number', 'zeros', step.numbers(2).join(', '))
  const x = step.value(0)
  const pads = step.numbers(1)
  const axes = step.has(3) ? step.numbers(3).map((axis) => axisOf(axis, x.shape.length)) : x.shape.map((_, d) => d)
  const around = (offset: number): number[] => x.shape.map((_, d) => pads[axes.indexOf(d) + offset] ?? 0)
  const [before, after] = [around(0), around(axes.length)].map((side) => side.map((zeros, d) => (axes.includes(d) ? zeros : 0))) as [
    number[],
    number[],
  ]
  const cut = x.shape.reduce<Value>((value, extent, d) => {
    const [front, back] = [Math.max(0, -(before[d] as number)), Math.max(0, -(after[d] as number))]
    return front + back === 0 ? value : piece(step, value, d, front, Number(extent) - back)
  }, x)
  const [front, back] = [before, after].map((side) => side.map((zeros) => Math.max(0, zeros))) as [number[], number[]]
  return [...front, ...back].every((zeros) => zeros === 0) ? cut : step.add('pad', [cut], { before: front, after: back })
}

/** Rows of a table by computed numbers, or places of a value by known ones. */
export const gather: Reader = (step) => {
  const indices = step.operand(1)
  const axis = step.attributes.int('axis', 0)
  if (indices.kind === 'computed') return rowsOf(step, indices, axis)
  const x = step.operand(0).kind === 'static' ? step.parameter(0, 'table') : step.value(0)
  const dim = axisOf(axis, x.shape.length)
  const extent = x.shape[dim]
  if (typeof extent !== 'number') throw step.fault('takes a part of the batch', 'another axis', dim)
  const places = step.numbers(1).map((index) => (index < 0 ? index + extent : index))
  const isTable = dim === 0 && x.shape.length === 2 && indices.shape.length > 0
  const isRun = places.every((place, i) => i === 0 || place === (places[i - 1] as number) + 1)
  if (isTable && !isRun) {
    const numbers = step.add('constant', [], { values: places, shape: indices.shape, dtype: 'int32' })
    return step.add('embedding', [x, numbers], {})
  }
  const chosen = picked(step, x, dim, places)
  return step.reshape(chosen, [...x.shape.slice(0, dim), ...indices.shape, ...x.shape.slice(dim + 1)])
}

function rowsOf(step: Step, indices: Operand & { readonly kind: 'computed' }, axis: number): Value {
  const rank = step.shape(0).length
  if (axisOf(axis, rank) !== 0 || indices.value.dtype !== 'int32')
    throw step.fault('picks along another axis', 'rows of a table by whole numbers', axis)
  const table = step.parameter(0, 'table')
  const [rows, ...rest] = table.shape.map(Number) as [number, ...number[]]
  const width = elementCount(rest)
  const found = step.add('embedding', [step.reshape(table, [rows, width]), indices.value], {})
  return step.reshape(found, [...indices.value.shape, ...rest])
}
