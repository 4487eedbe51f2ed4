/**
 * What the recurrent operators share. Sequences are time-major, `[steps, batch, features]`: a step is then one block of memory, and the
 * product with the inputs of all steps was one matrix product before the loop. What is left in the loop is the product with the previous
 * state and the gates; it is unrolled into ONNX nodes, few to a step.
 */
import { ShapeError } from '../../errors.ts'
import { formatShape } from '../graph.ts'
import type { Dim, TensorType } from '../graph.ts'
import { requireFloat } from './elementwise.ts'
import { requireNumber, requireRank, requireSameShape } from './require-shape.ts'
import type { LowerContext } from './rule.ts'

/** Extents of a recurrent operator. */
export interface RecurrentShape {
  readonly steps: number
  readonly batch: Dim
  readonly hidden: number
}

/**
 * Checks (projected `[steps, batch, gates·hidden]`, recurrent `[gates·hidden, hidden]`).
 * @throws {ShapeError} SHAPE naming the layer
 */
export function requireRecurrent(inputs: readonly TensorType[], gates: number, layer: string): RecurrentShape {
  requireFloat(inputs, layer)
  const [projected, recurrent] = inputs as [TensorType, TensorType]
  requireRank(3, projected.shape, layer, `steps, batch, ${gates}·hidden`)
  requireRank(2, recurrent.shape, layer, `${gates}·hidden, hidden`)
  const [steps, batch] = projected.shape as [Dim, Dim]
  const hidden = requireNumber(recurrent.shape[1], layer, 'the hidden size')
  requireSameShape([gates * hidden, hidden], recurrent.shape, layer)
  if (projected.shape[2] !== gates * hidden) {
    throw new ShapeError(
      `${layer}: the projected inputs do not fit the hidden size ${hidden} — expected [steps, batch, ${gates * hidden}], got ${formatShape(projected.shape)}`,
    )
  }
  return { steps: requireNumber(steps, layer, 'the number of steps'), batch, hidden }
}

/**
 * Checks (gates `[4, steps, batch, hidden]`, recurrent `[products·hidden, hidden]`), what a walk back begins with.
 * @param products - Gates that the product with the state has
 * @throws {ShapeError} SHAPE naming the layer
 */
export function requireGates(inputs: readonly TensorType[], products: number, layer: string): RecurrentShape {
  requireFloat(inputs, layer)
  const [gates, recurrent] = inputs as [TensorType, TensorType]
  requireRank(4, gates.shape, layer, 'gates, steps, batch, hidden')
  const [, steps, batch] = gates.shape as [Dim, Dim, Dim]
  const hidden = requireNumber(gates.shape[3], layer, 'the hidden size')
  requireSameShape([4, steps, batch, hidden], gates.shape, layer)
  requireSameShape([products * hidden, hidden], recurrent.shape, layer)
  return { steps: requireNumber(steps, layer, 'the number of steps'), batch, hidden }
}

/** Emits nodes on matrices: every tensor is seen as rows of its last extents. */
export class Rows {
  readonly #context: LowerContext<unknown>

  constructor(context: LowerContext<unknown>) {
    this.#context = context
  }

  /** All but the last extent in one. */
  flat(name: string, width: number): string {
    return this.reshape(name, [-1, width])
  }

  reshape(name: string, shape: readonly number[]): string {
    return this.#context.emit('Reshape', [name, this.#context.constant(shape, [shape.length], 'int64')])
  }

  /** Equal blocks of rows. */
  blocks(name: string, count: number): string[] {
    return count === 1 ? [name] : this.#context.emitMany('Split', [name], { axis: 0 }, count)
  }

  /** Columns in pieces of these widths. */
  columns(name: string, widths: readonly number[]): string[] {
    return this.#context.emitMany('Split', [name, this.#context.constant(widths, [widths.length], 'int64')], { axis: 1 }, widths.length)
  }

  /** Rows of several matrices one below the other (axis 0), or their columns side by side (axis 1). */
  join(names: readonly string[], axis: 0 | 1): string {
    return names.length === 1 ? (names[0] as string) : this.#context.emit('Concat', names, { axis })
  }

  readonly mul = (a: string, b: string): string => this.#context.emit('Mul', [a, b])
  readonly add = (a: string, b: string): string => this.#context.emit('Add', [a, b])
  readonly sub = (a: string, b: string): string => this.#context.emit('Sub', [a, b])

  /** 1 − a */
  complement(a: string): string {
    return this.sub(this.#context.constant([1], [], 'float32'), a)
  }

  /** 1 − a² */
  complementOfSquare(a: string): string {
    return this.complement(this.mul(a, a))
  }

  /** a·(1 − a) */
  bump(a: string): string {
    return this.mul(a, this.complement(a))
  }

  /** x·Wᵀ + c */
  product(x: string, weight: string, c?: string): string {
    return this.#context.emit('Gemm', c === undefined ? [x, weight] : [x, weight, c], { transB: 1 })
  }

  /**
   * {@link product} for the rows of several steps at once, with the bits of one product for each step: a product of one row is another
   * routine, so single rows stay single.
   * @param c - One row for each row of the steps, or one for all
   */
  productOfSteps(steps: readonly string[], weight: string, c: string, batch: number, isOneRow = false): string {
    if (batch > 1) return this.product(this.join(steps, 0), weight, c)
    const own = isOneRow ? steps.map(() => c) : this.blocks(c, steps.length)
    return this.join(
      steps.map((step, t) => this.product(step, weight, own[t])),
      0,
    )
  }

  /** dy·W + c: a gradient carried back through {@link product}. */
  productBack(dy: string, weight: string, c?: string): string {
    return this.#context.emit('Gemm', c === undefined ? [dy, weight] : [dy, weight, c])
  }

  /** Zeros; concrete shapes only. */
  zeros(rows: number, columns: number): string {
    return this.#context.constant(new Array<number>(rows * columns).fill(0), [rows, columns], 'float32')
  }
}

/** Value of the logistic function. */
export function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x))
}

/** Σ over j of the row of a matrix times a vector: row `row` of `matrix` (of `width` columns) and `vector` from `offset` on. */
export function dot(matrix: Float64Array, row: number, width: number, vector: Float64Array, offset: number): number {
  let sum = 0
  for (let j = 0; j < width; j++) sum += (matrix[row * width + j] as number) * (vector[offset + j] as number)
  return sum
}
