/** Shapes: what is known of them, and values in other ones. */
import type { Value } from '../../../graph/builder.ts'
import { elementCount, elementsPerSample, formatShape, isBatchDim, perSample, sameShape, timesBatch } from '../../../graph/graph.ts'
import type { Dim, Shape } from '../../../graph/graph.ts'
import { broadcastShapes } from '../../../graph/ops/broadcast.ts'
import { axisOf, squeezed, unsqueezed } from '../fold.ts'
import { knownList, known } from '../operand.ts'
import type { Element } from '../operand.ts'
import { rangeOf } from '../slice-range.ts'
import type { Reader, Step } from '../step.ts'

/** The extents of a value, some of which may grow with the batch. */
export const shape: Reader = (step) => {
  const all = step.shape(0)
  const [start, end] = rangeOf(step.attributes.int('start', 0), step.attributes.int('end', all.length), all.length)
  return knownList(all.slice(start, end))
}

export const size: Reader = (step) => {
  const all = step.shape(0)
  const count = elementsPerSample(all)
  return known('int64', [], [all.some(isBatchDim) ? timesBatch(count) : count])
}

export const reshape: Reader = (step) => {
  const x = step.value(0)
  const isLiteral = step.attributes.int('allowzero', 0) === 1
  const wanted = step.elements(1).map((extent, d) => (extent === 0 && !isLiteral ? (x.shape[d] as Element) : extent))
  return step.reshape(x, shapeFor(step, x, wanted))
}

/** The wanted shape with its −1 filled in, and the batch found where the file was made for one batch size. */
function shapeFor(step: Step, x: Value, wanted: readonly Element[]): Shape {
  const elements = elementsPerSample(x.shape)
  const grows = x.shape.some(isBatchDim)
  const rest = elementCount(wanted.filter((extent) => extent !== -1).map(perSample))
  const fits = (count: number): boolean => Number.isInteger(count) && count >= 1
  if (!grows || wanted.some(isBatchDim)) {
    const missing = elements / rest
    if (fits(missing)) return wanted.map((extent) => (extent === -1 ? missing : extent))
  } else if (wanted.includes(-1)) {
    const missing = elements / rest
    if (fits(missing) && isPlaceOfBatch(x.shape, wanted, wanted.indexOf(-1))) {
      return wanted.map((extent) => (extent === -1 ? timesBatch(missing) : extent))
    }
    const bound = boundShape(x.shape, wanted as number[], 1)
    if (bound !== undefined) return bound
  } else {
    const bound = boundShape(x.shape, wanted as number[], elementCount(wanted as number[]) / elements)
    if (bound !== undefined) return bound
  }
  throw step.fault('gives a shape that does not fit', `${elements} elements a sample as in ${formatShape(x.shape)}`, formatShape(wanted as Shape))
}

/** Elements before the batch extent must be as many in both shapes, or samples would mix. */
function isPlaceOfBatch(from: Shape, to: readonly Element[], place: number): boolean {
  const before = (extents: readonly Element[]): number => elementCount(extents.map(perSample))
  return before(from.slice(0, from.findIndex(isBatchDim))) === before(to.slice(0, place))
}

/** A shape that was written down for `batchSize` rows, for any number of them. */
function boundShape(from: Shape, wanted: readonly number[], batchSize: number): Shape | undefined {
  if (!Number.isInteger(batchSize) || batchSize < 1) return undefined
  const missing = (elementsPerSample(from) * batchSize) / elementCount(wanted.filter((extent) => extent !== -1))
  const whole = wanted.map((extent) => (extent === -1 ? missing : extent))
  const place = whole.findIndex((extent, d) => extent % batchSize === 0 && isPlaceOfBatch(from, whole, d))
  if (place < 0 || !Number.isInteger(missing)) return undefined
  return whole.map((extent, d) => (d === place ? timesBatch(extent / batchSize) : extent))
}

/** All dims before `axis` in one, and all from it on. */
export const flatten: Reader = (step) => {
  const x = step.value(0)
  const axis = axisOf(step.attributes.int('axis', 1), x.shape.length)
  const together = (extents: Shape): Dim => {
    const count = elementsPerSample(extents)
    return extents.some(isBatchDim) ? timesBatch(count) : count
  }
  return step.reshape(x, [together(x.shape.slice(0, axis)), together(x.shape.slice(axis))])
}

export const transpose: Reader = (step) => {
  const x = step.operand(0).kind === 'static' ? step.parameter(0, 'weight') : step.value(0)
  return step.transpose(x, step.attributes.ints('perm') ?? x.shape.map((_, d) => x.shape.length - 1 - d))
}

export const unsqueeze: Reader = (step) => {
  const x = step.value(0)
  return step.reshape(x, unsqueezed(x.shape, step.axes(1) ?? []))
}

export const squeeze: Reader = (step) => {
  const x = step.value(0)
  return step.reshape(x, squeezed(x.shape, step.axes(1)))
}

/** Repeats extents of 1. */
export const expand: Reader = (step) => {
  const x = step.value(0)
  const wanted = step.elements(1) as Shape
  const batch = wanted.map((extent, d) => (extent === 1 ? (x.shape[d - wanted.length + x.shape.length] ?? 1) : extent))
  const to = broadcastShapes(x.shape, batch, step.layer)
  return sameShape(x.shape, to) ? x : step.add('broadcastTo', [x], { shape: to })
}

/** The whole along every dim several times. */
export const tile: Reader = (step) => {
  const repeats = step.numbers(1)
  return repeats.reduce((value, times, dim) => {
    if (times === 1) return value
    return step.add('concat', new Array<Value>(times).fill(value), { dim })
  }, step.value(0))
}

/** A shape filled with one number. */
export const constantOfShape: Reader = (step) => {
  const extents = step.elements(0) as Shape
  return step.filled(Number(step.attributes.tensor('value')?.data[0] ?? 0), extents)
}
