/** Pools, and images made larger. */
import type { Value } from '../../../graph/builder.ts'
import type { Dim } from '../../../graph/graph.ts'
import { elementCount, formatShape } from '../../../graph/graph.ts'
import type { Reader, Step } from '../step.ts'
import { asImage, fromImage, windowOf } from './window.ts'
import type { Window } from './window.ts'

/** A window with pixels behind the image that only the last, incomplete positions see. */
interface Rounded extends Window {
  readonly behind: readonly number[]
}

/** The window of a pool. Rounding up adds positions that begin inside of the image or its padding. */
function roundedWindow(step: Step, image: Value): Rounded {
  const kernel = step.attributes.ints('kernel_shape') ?? []
  const window = windowOf(step, image, kernel)
  if (window.dilation.some((extent) => extent !== 1))
    throw step.fault('has gaps in its window', 'dilations of 1', `[${window.dilation.join(', ')}]`)
  const isUp = step.attributes.int('ceil_mode', 0) === 1
  const behind = window.size.map((extent, d) => {
    const [reach, stride] = [window.kernel[d] as number, window.stride[d] as number]
    const whole = extent + (window.before[d] as number) + (window.after[d] as number)
    const last = Math.ceil((whole - reach) / stride) * stride
    const begins = last < extent + (window.before[d] as number) ? last : last - stride
    return isUp ? Math.max(0, begins + reach - whole) : 0
  })
  return { ...window, behind }
}

/** Bounds of numbers that no maximum takes. */
const low = { min: -3e38, max: -2.9e38 }

/** Largest pixel of each window. */
export const maxPool: Reader = (step) => {
  const x = asImage(step, step.value(0))
  const window = roundedWindow(step, x)
  const { kernel, stride, before, after, behind } = window
  const isEven = before.every((extent, d) => extent === after[d] && behind[d] === 0)
  if (isEven) return fromImage(step, step.add('maxPool', [x], { kernel, stride, padding: before }), window)
  const around = before.reduce((value, front, d) => edged(step, value, d + 2, front, (after[d] as number) + (behind[d] as number)), x)
  return fromImage(step, step.add('maxPool', [around], { kernel, stride, padding: before.map(() => 0) }), window)
}

/** An image with lowest pixels before and behind it along a dim. */
function edged(step: Step, image: Value, dim: number, front: number, back: number): Value {
  const edge = (extent: number): Value[] => {
    if (extent === 0) return []
    const row = step.add('slice', [image], { dim, start: 0, end: 1 })
    return new Array<Value>(extent).fill(step.add('clip', [row], low))
  }
  const parts = [...edge(front), image, ...edge(back)]
  return parts.length === 1 ? image : step.add('concat', parts, { dim })
}

/** Mean of each window; what lies outside of the image counts or not, as the file says. */
export const averagePool: Reader = (step) => {
  const x = asImage(step, step.value(0))
  const window = roundedWindow(step, x)
  const { kernel, stride, before, after, behind } = window
  const back = after.map((extent, d) => extent + (behind[d] as number))
  const isEven = before.every((extent, d) => extent === back[d])
  const image = isEven ? x : step.add('pad', [x], { before: [0, 0, ...before], after: [0, 0, ...back] })
  const pooled = step.add('avgPool', [image], { kernel, stride, padding: isEven ? before : before.map(() => 0) })
  const factors = countFactors(window, pooled.shape.slice(2).map(Number), step.attributes.int('count_include_pad', 0) === 1)
  const corrected = factors.every((factor) => factor === 1)
    ? pooled
    : step.add('mul', [pooled, step.constant(factors, pooled.shape.slice(2).map(Number))], {})
  return fromImage(step, corrected, window)
}

/** Elements of the window by elements that count, for every position. */
function countFactors({ kernel, stride, before, after, size }: Rounded, positions: readonly number[], withPadding: boolean): number[] {
  let factors = [1]
  positions.forEach((count, d) => {
    const [reach, front] = [kernel[d] as number, before[d] as number]
    const first = withPadding ? -front : 0
    const end = (size[d] as number) + (withPadding ? (after[d] as number) : 0)
    const along = Array.from({ length: count }, (_, position) => {
      const start = position * (stride[d] as number) - front
      return reach / (Math.min(start + reach, end) - Math.max(start, first))
    })
    factors = factors.flatMap((outer) => along.map((inner) => outer * inner))
  })
  return factors
}

/** One number for all pixels of a channel, with extents of 1. */
export function globalPool(op: 'reduceMean' | 'reduceMax'): Reader {
  return (step) => {
    const x = step.value(0)
    const dims = x.shape.map((_, d) => d).slice(2)
    return step.reshape(step.add(op, [x], { dims }), [...x.shape.slice(0, 2), ...dims.map(() => 1)])
  }
}

/** Every pixel a whole number of times. */
export const resize: Reader = (step) => {
  const x = step.value(0)
  step.attributes.require('mode', 'nearest', ['nearest'])
  const scales = factorsOf(step, x)
  if (scales.slice(0, 2).some((factor) => factor !== 1) || scales.some((factor) => !Number.isInteger(factor) || factor < 1)) {
    throw step.fault('makes images larger by parts', 'whole factors for the pixels', `[${scales.join(', ')}]`)
  }
  const image = asImage(step, x)
  const isLine = x.shape.length === 3
  const factor = isLine ? [1, ...scales.slice(2)] : scales.slice(2)
  return fromImage(step, step.add('upsample', [image], { factor }), { isLine })
}

function factorsOf(step: Step, x: Value): number[] {
  if (step.node.op === 'Upsample') return step.numbers(1)
  if (step.has(2) && elementCount(step.shape(2).map(Number)) > 0) return step.numbers(2)
  const wanted = step.elements(3)
  const spatial = step.attributes.ints('axes')
  if (spatial !== undefined) throw step.fault('names the axes that it changes', 'all of them', `[${spatial.join(', ')}]`)
  return wanted.map((extent, d) => {
    const from = x.shape[d] as Dim
    if (extent === from) return 1
    if (typeof extent === 'number' && typeof from === 'number') return extent / from
    throw step.fault('changes the batch', formatShape(x.shape), String(extent))
  })
}
