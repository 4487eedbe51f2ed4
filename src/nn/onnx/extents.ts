/**
 * Arithmetic on extents, some of which grow with the batch: what a file computes from the shapes of its values.
 * @packageDocumentation
 */
import { DataError } from '../../errors.ts'
import { isBatchDim, perSample, timesBatch } from '../../graph/graph.ts'
import type { Element } from './operand.ts'

/** Operators of {@link combine}. */
export type Arithmetic = 'Add' | 'Sub' | 'Mul' | 'Div' | 'Mod' | 'Min' | 'Max' | 'Pow'

/** Comparisons and connectives of {@link compare}. */
export type Comparison = 'Equal' | 'Greater' | 'GreaterOrEqual' | 'Less' | 'LessOrEqual' | 'And' | 'Or'

/**
 * a ∘ b. The batch size is not known: what depends on it must be a whole multiple of it.
 * @param isWhole - Whether division cuts off what remains
 * @throws {DataError} DATA when the result is no multiple of the batch size
 */
export function combine(op: Arithmetic, a: Element, b: Element, isWhole: boolean): Element {
  if (!isBatchDim(a) && !isBatchDim(b)) return numbers[op](a, b, isWhole)
  const [k, m] = [perSample(a), perSample(b)]
  const [isA, isB] = [isBatchDim(a), isBatchDim(b)]
  const both = isA && isB
  if (op === 'Mul' && !both && k * m > 0) return timesBatch(k * m)
  if (op === 'Mul' && !both && k * m === 0) return 0
  if (op === 'Add' && both) return timesBatch(k + m)
  if (op === 'Add' && (isA ? m : k) === 0) return isA ? a : b
  if (op === 'Sub' && both && k >= m) return k === m ? 0 : timesBatch(k - m)
  if (op === 'Sub' && isA && m === 0) return a
  if (op === 'Div' && both && k % m === 0) return k / m
  if (op === 'Div' && isA && !isB && k % m === 0 && m > 0) return timesBatch(k / m)
  if (op === 'Mod' && isA && !isB && k % m === 0) return 0
  // Ends of slices are cut off at the largest whole number; an extent is at least 1.
  if (op === 'Min' && !both) return (isA ? m : k) >= 2 ** 31 - 1 ? (isA ? a : b) : refuse(op, a, b)
  if (op === 'Max' && !both) return (isA ? m : k) <= 1 ? (isA ? a : b) : refuse(op, a, b)
  return refuse(op, a, b)
}

function refuse(op: string, a: Element, b: Element): never {
  throw new DataError(
    `import: a shape depends on the batch size in a way that cannot be read — expected whole multiples of it, got ${op.toLowerCase()} of ${a} and ${b}`,
  )
}

/** a ∘ b as 0 or 1. A batch is larger than 1, so that whatever a file does for a batch of one is not taken. */
export function compare(op: Comparison, a: Element, b: Element): number {
  const [x, y] = [a, b].map((each) => (isBatchDim(each) ? perSample(each) * largeBatch : each)) as [number, number]
  return Number(comparisons[op](x, y))
}

/** Stands for a batch size that is in nobody's way. */
const largeBatch = 1_000_003

const numbers: Readonly<Record<Arithmetic, (a: number, b: number, isWhole: boolean) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b, isWhole) => (isWhole ? Math.trunc(a / b) : a / b),
  Mod: (a, b) => ((a % b) + b) % b,
  Min: (a, b) => Math.min(a, b),
  Max: (a, b) => Math.max(a, b),
  Pow: (a, b) => a ** b,
}

const comparisons: Readonly<Record<Comparison, (a: number, b: number) => boolean>> = {
  Equal: (a, b) => a === b,
  Greater: (a, b) => a > b,
  GreaterOrEqual: (a, b) => a >= b,
  Less: (a, b) => a < b,
  LessOrEqual: (a, b) => a <= b,
  And: (a, b) => a !== 0 && b !== 0,
  Or: (a, b) => a !== 0 || b !== 0,
}
