/**
 * How an operator of the graph runs on oneDNN. The table of all rules is `table.ts`.
 * @packageDocumentation
 */
import type { Node, NodeOf } from '../../../../graph/graph.ts'
import type { OpName } from '../../../../graph/ops/attributes.ts'
import type { Products } from '../../../choice/driver-plan.ts'
import type { Recorder } from '../../../partition/recorder.ts'
import type { Operand } from '../../../partition/step.ts'
import type { Pointer } from '../operations.ts'
import type { Primitive, Resources } from '../resources.ts'

/** What a rule is told when its node is about to run. */
export interface EmitContext<O extends OpName> {
  readonly node: NodeOf<O>
  readonly record: Recorder
  readonly resources: Resources
  readonly fusions: Fusions
  /** How measured products are computed. */
  readonly products: Products
  /** Pools that run in this executable, by what they pool: their gradients need what they remember. */
  readonly pools: Map<string, RememberedPool>
  /** Layer normalisations that run in this executable, by what they normalise: their gradients need the statistics. */
  readonly norms: Map<string, RememberedNorm>
  readonly nodes: ReadonlyMap<string, Node>
  /** True when a node of `op` in the same graph takes the value `id` as its input number `input`. */
  usedBy(id: string, op: OpName, input: number): boolean
}

/** A forward pool, and what it remembers of its maxima. */
export interface RememberedPool {
  readonly primitive: Primitive
  readonly workspace: Operand | undefined
}

/** Statistics of normalised rows. */
export interface RememberedNorm {
  readonly hint: Pointer
  readonly mean: Operand
  readonly variance: Operand
}

/** Nodes that run as part of others. */
export interface Fusions {
  /** The activation that a node applies at once, by the node's id. */
  readonly activationOf: ReadonlyMap<string, { readonly id: string; readonly op: 'relu' | 'tanh' | 'sigmoid' }>
  /** The nodes whose values a primitive computes beside its own, by the own node's id. */
  readonly companionsOf: ReadonlyMap<string, readonly string[]>
  /** All that needs no step of its own. */
  readonly absorbed: ReadonlySet<string>
}

/** How one operator runs on oneDNN. */
export interface DnnRule<O extends OpName> {
  /**
   * `anchor`: worth leaving ONNX Runtime for. `follower`: runs here when a neighbour does, since its operands are then in orders that only
   * oneDNN reads.
   */
  readonly role: 'anchor' | 'follower'
  /** For anchors that are worth it only in some uses: those. The others follow. */
  anchors?(node: NodeOf<O>, shapes: readonly (readonly number[])[]): boolean
  /** True when there is a primitive for this use of the operator. Shapes are concrete. */
  supports(node: NodeOf<O>, shapes: readonly (readonly number[])[]): boolean
  /** Records the primitives. */
  emit(context: EmitContext<O>): void
}

/** The rules that exist. */
export type DnnRules = { readonly [O in OpName]?: DnnRule<O> }

/** An image: `[batch, channels, …]` with two or three spatial dims. */
export function isImage(shape: readonly number[] | undefined): boolean {
  return shape !== undefined && (shape.length === 4 || shape.length === 5)
}

/** A tensor as a matrix: all extents but the last in one. */
export function rowsOf(shape: readonly number[]): readonly [number, number] {
  return [shape.slice(0, -1).reduce((product, extent) => product * extent, 1), shape.at(-1) ?? 1]
}

/** Inputs of a node, none of which may be missing. */
export function inputsOf(node: { readonly inputs: readonly string[] }): readonly [string, string, string] {
  return node.inputs as readonly [string, string, string]
}
