import type { Shape } from '../../graph.ts'
import type { OpAttributes, OpName } from '../attributes.ts'

/** One use of an operator: it is run on ONNX Runtime, on the float64 reference, and differentiated by central differences. */
export interface Case {
  readonly op: OpName
  readonly attrs: object
  /** Shapes of the inputs; `int32` inputs hold class numbers below `classes`. */
  readonly inputs: readonly (Shape | { readonly classes: number; readonly shape: Shape })[]
  /** Values lie in this range (default −1 to 1); kinks and poles stay outside of it. */
  readonly range?: readonly [number, number]
  /** The inputs to differentiate (default all float32 inputs): others are given numbers, such as the weights of a loss. */
  readonly differentiate?: readonly number[]
}

/** A {@link Case}, checked against the operator's attributes. */
export function use<O extends OpName>(
  op: O,
  attrs: OpAttributes[O],
  inputs: Case['inputs'],
  range?: Case['range'],
  differentiate?: Case['differentiate'],
): Case {
  return { op, attrs, inputs, ...(range === undefined ? {} : { range }), ...(differentiate === undefined ? {} : { differentiate }) }
}
