/** Arithmetic on values, element by element. */
import type { Value } from '../../../graph/builder.ts'
import { sameShape } from '../../../graph/graph.ts'
import type { OpAttributes, OpName } from '../../../graph/ops/attributes.ts'
import { broadcastShapes } from '../../../graph/ops/broadcast.ts'
import { isFoldable, onlyElement } from '../operand.ts'
import type { Reader, Step } from '../step.ts'

/** Operators without attributes. */
type PlainOp = { [O in OpName]: Record<never, never> extends OpAttributes[O] ? O : never }[OpName]

/** One of our operators on the first input. */
export function plain(op: PlainOp): Reader {
  return (step) => step.add(op, [step.value(0)], {} as never)
}

/** A number that the file holds and that stretches to the shape of the other operand. */
function factorOf(step: Step, input: number): number | undefined {
  const operand = step.inputs[input]
  if (!isFoldable(operand)) return undefined
  return operand.shape.length <= step.shape(1 - input).length ? onlyElement(operand) : undefined
}

export const add: Reader = (step) => {
  if (factorOf(step, 1) === 0) return step.value(0)
  return factorOf(step, 0) === 0 ? step.value(1) : step.add('add', [step.value(0), step.value(1)], {})
}

export const sub: Reader = (step) => (factorOf(step, 1) === 0 ? step.value(0) : step.add('sub', [step.value(0), step.value(1)], {}))

export const mul: Reader = (step) => {
  const [left, right] = [factorOf(step, 0), factorOf(step, 1)]
  if (right !== undefined) return scaled(step, step.value(0), right)
  if (left !== undefined) return scaled(step, step.value(1), left)
  const [a, b] = [step.value(0), step.value(1)]
  return a.id === b.id ? step.add('square', [a], {}) : step.add('mul', [a, b], {})
}

export const div: Reader = (step) => {
  const [left, right] = [factorOf(step, 0), factorOf(step, 1)]
  if (right !== undefined && right !== 0) return scaled(step, step.value(0), 1 / right)
  if (left !== undefined) return scaled(step, step.add('reciprocal', [step.value(1)], {}), left)
  return step.add('div', [step.value(0), step.value(1)], {})
}

function scaled(step: Step, value: Value, factor: number): Value {
  return factor === 1 ? value : step.add('scale', [value], { factor })
}

export const neg: Reader = (step) => scaled(step, step.value(0), -1)

/** Whole powers by products, and roots. */
export const pow: Reader = (step) => {
  const exponent = onlyElement(step.inputs[1])
  const x = step.value(0)
  const power = (to: number): Value | undefined => {
    if (to === 0.5) return step.add('sqrt', [x], {})
    if (to === 1) return x
    if (to === 1.5) return step.add('mul', [x, step.add('sqrt', [x], {})], {})
    if (to === 2) return step.add('square', [x], {})
    if (to === 3) return step.add('mul', [x, step.add('square', [x], {})], {})
    if (to === 4) return step.add('square', [step.add('square', [x], {})], {})
    return undefined
  }
  const base = exponent === undefined ? undefined : power(Math.abs(exponent))
  if (exponent === undefined || base === undefined) {
    throw step.fault('has another exponent than are read', '±0.5, ±1, ±1.5, ±2, ±3 or ±4', exponent ?? 'a computed one')
  }
  return exponent < 0 ? step.add('reciprocal', [base], {}) : base
}

/** Sum of any number of values. */
export const sum: Reader = (step) =>
  step.inputs.slice(1).reduce((total: Value, _, i) => step.add('add', [total, step.value(i + 1)], {}), step.value(0))

/** Mean of any number of values, element by element. */
export const mean: Reader = (step) => scaled(step, sum(step) as Value, 1 / step.inputs.length)

/** Larger or smaller of two: a bound that is a number clips, else max(a, b) = a + max(b − a, 0). */
export function extreme(kind: 'max' | 'min'): Reader {
  return (step) => {
    const [left, right] = [factorOf(step, 0), factorOf(step, 1)]
    const bound = right ?? left
    if (step.inputs.length === 2 && bound !== undefined) return bounded(step, step.value(right === undefined ? 1 : 0), kind, bound)
    const sign = kind === 'max' ? 1 : -1
    return step.inputs.slice(1).reduce((a: Value, _, i) => {
      const ahead = step.add('relu', [scaled(step, step.add('sub', [step.value(i + 1), a], {}), sign)], {})
      return step.add('add', [a, scaled(step, ahead, sign)], {})
    }, step.value(0))
  }
}

/** Largest float32 number: no bound at all. */
const noBound = 3.4e38

function bounded(step: Step, x: Value, kind: 'max' | 'min', bound: number): Value {
  if (kind === 'max' && bound === 0) return step.add('relu', [x], {})
  return step.add('clip', [x], kind === 'max' ? { min: bound, max: noBound } : { min: -noBound, max: bound })
}

/** Between two bounds, each of which may be left out. */
export const clip: Reader = (step) => {
  const bound = (input: number, otherwise: number): number => {
    if (!step.has(input)) return otherwise
    const number = onlyElement(step.inputs[input])
    if (number !== undefined) return Math.min(Math.max(number, -noBound), noBound)
    throw step.fault('has computed bounds', 'numbers', 'values')
  }
  const [min, max] = [bound(1, -noBound), bound(2, noBound)]
  if (min === 0 && max === noBound) return step.add('relu', [step.value(0)], {})
  return min === -noBound && max === noBound ? step.value(0) : step.add('clip', [step.value(0)], { min, max })
}

/** 1 where whole numbers equal a number, else 0. */
export const equal: Reader = (step) => {
  const [left, right] = [onlyElement(step.inputs[0]), onlyElement(step.inputs[1])]
  const value = right ?? left
  const x = step.value(right === undefined ? 1 : 0)
  if (value === undefined || x.dtype !== 'int32') throw step.fault('compares computed values', 'whole numbers and a fixed one', 'others')
  return step.add('equals', [x], { value })
}

/** The remainder of whole numbers. */
export const mod: Reader = (step) => {
  const divisor = onlyElement(step.inputs[1])
  const x = step.value(0)
  if (divisor === undefined || x.dtype !== 'int32') throw step.fault('divides computed values', 'whole numbers by a fixed one', 'others')
  return step.add('modulo', [x], { divisor })
}

/** 1 − x of a mask. */
export const not: Reader = (step) => step.add('sub', [step.constant([1]), step.value(0)], {})

/** The product of two masks. */
export const and: Reader = (step) => step.add('mul', [step.value(0), step.value(1)], {})

/** a where the mask is set, else b: a·m + b·(1 − m). */
export const where: Reader = (step) => {
  const mask = step.value(0)
  const [a, b] = [step.value(1), step.value(2)]
  const chosen = step.add('mul', [a, mask], {})
  const rest = step.add('mul', [b, step.add('sub', [step.constant([1]), mask], {})], {})
  const result = step.add('add', [chosen, rest], {})
  const shape = broadcastShapes(broadcastShapes(a.shape, b.shape, step.layer), mask.shape, step.layer)
  return sameShape(result.shape, shape) ? result : step.add('broadcastTo', [result], { shape })
}

/** Between floating-point kinds there is nothing to do, nor between whole ones. */
export const cast: Reader = (step) => {
  const to = step.attributes.int('to', 1)
  const value = step.value(0)
  const isWhole = to !== 1 && to !== 10 && to !== 11 && to !== 16
  if ((value.dtype === 'int32') === isWhole) return value
  // A mask is a float32 value of zeros and ones.
  if (isWhole && to === 9) return value
  throw step.fault('turns computed values into another kind', 'floats to floats, or whole numbers to whole numbers', `kind ${to}`)
}
