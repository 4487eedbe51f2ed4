import type { Value } from '../../graph/builder.ts'
import type { BatchDim } from '../../graph/graph.ts'
import { elementCount } from '../../graph/graph.ts'

/** One element of what is known beforehand: a number, or an extent that grows with the batch. */
export type Element = number | BatchDim

/** A tensor of the file, or what follows from such tensors and from shapes: known before the model runs. */
export interface Static {
  readonly kind: 'static'
  readonly dtype: 'float32' | 'int64' | 'bool'
  readonly shape: readonly number[]
  readonly data: ArrayLike<Element>
  /** Name under which the file stores it: what computes with it makes it a parameter. Absent: a constant. */
  readonly weight?: string
}

/** A value that the model computes. */
export interface Computed {
  readonly kind: 'computed'
  readonly value: Value
}

/** What a node of the file reads and gives. */
export type Operand = Static | Computed

/** A constant. */
export function known(dtype: Static['dtype'], shape: readonly number[], data: ArrayLike<Element>): Static {
  return { kind: 'static', dtype, shape, data }
}

/** A list of whole numbers or extents. */
export function knownList(data: readonly Element[]): Static {
  return known('int64', [data.length], data)
}

/** A value of the graph. */
export function computed(value: Value): Computed {
  return { kind: 'computed', value }
}

/** True for a tensor that is computed with while the file is read: everything that is known but weights. */
export function isFoldable(operand: Operand | undefined): operand is Static {
  return operand?.kind === 'static' && operand.weight === undefined
}

/** The only element of a tensor; undefined where there are more, or none is known. */
export function onlyElement(operand: Operand | undefined): number | undefined {
  if (operand?.kind !== 'static' || elementCount(operand.shape) !== 1) return undefined
  const [element] = [operand.data[0]]
  return typeof element === 'number' ? element : undefined
}
