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
  const missing = elements / elementCount(wanted.filter((extent) => extent !== -1).map(perSample))
  const fits = !wanted.includes(-1) || (Number.isInteger(missing) && missing >= 1)
  const { batchSize } = step.network
  if (!x.shape.some(isBatchDim) || wanted.some(isBatchDim)) {
    if (fits) return wanted.map((extent) => (extent === -1 ? missing : extent))
  } else if (batchSize === undefined && wanted.includes(-1)) {
    if (fits) return wanted.map((extent) => (extent === -1 ? timesBatch(missing) : extent))
  } else {
    const rows = wanted.includes(-1) ? (batchSize ?? 1) : elementCount(wanted as number[]) / elements
    const bound = unbound(x.shape, wanted as number[], rows)
    if (bound !== undefined) return bound
  }
  throw step.fault(
    'gives a shape that does not fit',
    `${elements} elements a sample as in ${formatShape(x.shape)}`,
    formatShape(wanted as Shape),
  )
}

/**
 * A shape that was written down for `rows` samples, for any number of them. One extent of it grows: that which has as many elements before it
 * as the batch had, and best exactly `rows`; else the one that has as many behind it, where dims before the batch were joined with it.
 */
function unbound(from: Shape, wanted: readonly number[], rows: number): Shape | undefined {
  const rest = elementCount(wanted.filter((extent) => extent !== -1))
  const missing = (elementsPerSample(from) * rows) / rest
  if (!Number.isInteger(rows) || rows < 1 || !Number.isInteger(missing)) return undefined
  const whole = wanted.map((extent) => (extent === -1 ? missing : extent))
  const batch = from.findIndex(isBatchDim)
  const [before, behind] = [elementsPerSample(from.slice(0, batch)), elementsPerSample(from.slice(batch + 1))]
  const isSameBefore = (place: number): boolean => elementCount(whole.slice(0, place)) === before
  const isSameBehind = (place: number): boolean => elementCount(whole.slice(place + 1)) === behind
  const find = (isPlace: (place: number) => boolean): number => whole.findIndex((extent, d) => extent % rows === 0 && isPlace(d))
  const places = [
    find((d) => isSameBefore(d) && whole[d] === rows),
    find((d) => isSameBefore(d) && isSameBehind(d)),
    find(isSameBehind),
    find(isSameBefore),
  ]
  const place = places.find((each) => each >= 0)
  return place === undefined ? undefined : whole.map((extent, d) => (d === place ? timesBatch(extent / rows) : extent))
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
  const { batchSize } = step.network
  const extents = wanted.map((extent, d) => {
    const from = x.shape[d - wanted.length + x.shape.length] ?? 1
    // What is repeated for every row of a fixed batch is repeated for every row.
    const isBatch = d === 0 && extent === batchSize && (isBatchDim(from) || extent > 1)
    return isBatch ? timesBatch(1) : extent === 1 ? from : extent
  })
  const to = broadcastShapes(x.shape, extents, step.layer)
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
