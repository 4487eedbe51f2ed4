/** Sums, means and extremes over dims. */
import type { Value } from '../../../graph/builder.ts'
import { axisOf } from '../fold.ts'
import type { Reader, Step } from '../step.ts'

/** Dims that a node reduces, ascending. */
function dimsOf(step: Step, rank: number): readonly number[] {
  const axes = step.axes(1)
  if (axes !== undefined && axes.length > 0) return axes.map((axis) => axisOf(axis, rank)).sort((a, b) => a - b)
  return step.attributes.int('noop_with_empty_axes', 0) === 1 ? [] : Array.from({ length: rank }, (_, d) => d)
}

/** A reduction of `from(x)`, then `finish` of the result. */
export function reduction(
  op: 'reduceSum' | 'reduceMean' | 'reduceMax',
  from: (step: Step, x: Value) => Value = (_, x) => x,
  finish: (step: Step, value: Value) => Value = (_, value) => value,
): Reader {
  return (step) => {
    const x = step.value(0)
    const dims = dimsOf(step, x.shape.length)
    const source = from(step, x)
    const value = dims.length === 0 ? source : step.add(op, [source], { dims })
    const isKept = step.attributes.int('keepdims', 1) === 1
    const kept = x.shape.map((extent, d) => (dims.includes(d) ? 1 : extent))
    return finish(step, isKept ? step.reshape(value, kept) : value)
  }
}

const negative = (step: Step, x: Value): Value => step.add('scale', [x], { factor: -1 })

/** Readers of the reductions, by operator. */
export const reductions: Readonly<Record<string, Reader>> = {
  ReduceSum: reduction('reduceSum'),
  ReduceMean: reduction('reduceMean'),
  ReduceMax: reduction('reduceMax'),
  ReduceMin: reduction('reduceMax', negative, negative),
  ReduceSumSquare: reduction('reduceSum', (step, x) => step.add('square', [x], {})),
  ReduceL1: reduction('reduceSum', (step, x) => step.add('abs', [x], {})),
  ReduceL2: reduction(
    'reduceSum',
    (step, x) => step.add('square', [x], {}),
    (step, sum) => step.add('sqrt', [sum], {}),
  ),
}
