/**
 * The operator graph: a model, its training step or a piece of it, as immutable plain data. A graph is JSON: workers get graphs
 * and numbers, never code, and two graphs are equal when their JSON is.
 *
 * Values are named by strings. An input's value is named after the input (`image`, `param:c1.weight`), a node's value after the
 * node (`#12`). Every node has exactly one value. Nodes are in topological order.
 * @packageDocumentation
 */
import { ConfigError, ShapeError } from '../errors.ts'
import type { DType } from '../memory/dtype.ts'
import type { Layouts } from './layouts.ts'
import type { OpAttributes, OpName } from './ops/attributes.ts'

/**
 * One extent: a number, the batch size, or a multiple of it (`'batch*35'`: 35 rows a sample, such as the tokens of a sequence). The batch
 * size is bound when a graph is compiled.
 */
export type Dim = number | BatchDim

/** An extent that grows with the batch. */
export type BatchDim = 'batch' | `batch*${number}`

/** Extents, slowest first. At most one of them grows with the batch. `[]` is a scalar. */
export type Shape = readonly Dim[]

/** Shape and element kind of a value. */
export interface TensorType {
  readonly shape: Shape
  readonly dtype: DType
}

/** A named value that whoever runs the graph provides. */
export interface GraphInput extends TensorType {
  readonly name: string
}

/** A named value that the graph hands back. */
export interface GraphOutput extends TensorType {
  readonly name: string
  /** The value: an input's name or a node's id. */
  readonly value: string
}

/** One operator application. */
export type Node = { [O in OpName]: NodeOf<O> }[OpName]

/** A {@link Node} of one operator. */
export interface NodeOf<O extends OpName> extends TensorType {
  readonly id: string
  readonly op: O
  /** Values: input names or ids of earlier nodes. */
  readonly inputs: readonly string[]
  readonly attrs: OpAttributes[O]
  /** The layer that made it; gradient nodes carry the layer of the node that they differentiate. */
  readonly layer?: string
}

/** An operator graph. */
export interface Graph {
  readonly inputs: readonly GraphInput[]
  readonly nodes: readonly Node[]
  readonly outputs: readonly GraphOutput[]
  /**
   * How values are stored (see `layouts.ts`): present in the segments of a cut graph, which must agree; absent elsewhere, where the
   * lowering chooses.
   */
  readonly layouts?: Layouts
}

/** Prefix of the inputs that hold parameters: `param:c1.weight`. */
export const parameterPrefix = 'param:'

/** Prefix of the inputs that hold dropout masks: `mask:` and the layer's name. */
export const maskPrefix = 'mask:'

/** Prefix of the outputs that hold the gradient of a parameter: `gradient:c1.weight`. */
export const gradientPrefix = 'gradient:'

/** Prefix of the outputs that hold the numbers of the rows that a table is used by: `rows:0:embedding`; see `sparseRows`. */
export const rowsPrefix = 'rows:'

/** Prefix of the outputs that hold the gradients of those rows: `row-gradient:0:embedding`. */
export const rowGradientPrefix = 'row-gradient:'

/** Prefix of the inputs that hold what the batch before this one handed on: `carry:state`. */
export const carryPrefix = 'carry:'

/** Prefix of the outputs that hold what the next batch gets as {@link carryPrefix}: `carried:state`. */
export const carriedPrefix = 'carried:'

/** Prefix of the boundary tensors between the segments of a cut graph: `edge:#12`. */
export const edgePrefix = 'edge:'

/**
 * Replaces every extent that grows with the batch by a number.
 * @throws {ConfigError} CONFIG unless `batchSize` is a positive integer
 */
export function bindShape(shape: Shape, batchSize: number): number[] {
  if (!Number.isInteger(batchSize) || batchSize < 1) {
    throw new ConfigError(`graph: the batch size cannot be bound — expected a positive integer, got ${batchSize}`)
  }
  return shape.map((dim) => perSample(dim) * (isBatchDim(dim) ? batchSize : 1))
}

/** True for an extent that grows with the batch. */
export function isBatchDim(dim: Dim | undefined): dim is BatchDim {
  return typeof dim === 'string'
}

/** An extent for one sample: the number itself, 1 for `'batch'`, 35 for `'batch*35'`. */
export function perSample(dim: Dim): number {
  if (!isBatchDim(dim)) return dim
  return dim === 'batch' ? 1 : Number(dim.slice('batch*'.length))
}

/** The extent of so many rows a sample: `'batch'` for 1. */
export function timesBatch(rows: number): BatchDim {
  return rows === 1 ? 'batch' : `batch*${rows}`
}

/** Number of elements of a concrete shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1)
}

/** Elements of one sample. */
export function elementsPerSample(shape: Shape): number {
  return shape.reduce<number>((product, dim) => product * perSample(dim), 1)
}

/** True when two shapes agree in every extent. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, d) => dim === b[d])
}

/** `[batch, 6, 28, 28]`, for messages and tables. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`
}

/** Types of all values of a graph, by name. */
export function valueTypes(graph: Graph): Map<string, TensorType> {
  const types = new Map<string, TensorType>()
  for (const input of graph.inputs) types.set(input.name, input)
  for (const node of graph.nodes) types.set(node.id, node)
  return types
}

/**
 * The output with this name.
 * @throws {ConfigError} CONFIG when the graph has no such output
 */
export function outputNamed(graph: Graph, name: string): GraphOutput {
  const found = graph.outputs.find((output) => output.name === name)
  if (found === undefined) {
    const names = graph.outputs.map((output) => output.name).join(', ')
    throw new ConfigError(`graph: there is no output ${name} — expected one of ${names}`)
  }
  return found
}

/** Checks a graph that came from outside: unique names, values defined before use, outputs of known values. @throws {ShapeError} */
export function checkGraph(graph: Graph): void {
  const types = new Map<string, TensorType>()
  const define = (name: string, type: TensorType): void => {
    if (types.has(name)) throw new ConfigError(`graph: the value ${name} is defined twice — expected unique names`)
    types.set(name, type)
  }
  const need = (name: string, user: string): TensorType => {
    const type = types.get(name)
    if (type === undefined) throw new ConfigError(`graph: ${user} uses ${name} — expected a value that was defined before`)
    return type
  }
  for (const input of graph.inputs) define(input.name, input)
  for (const node of graph.nodes) {
    for (const name of node.inputs) need(name, `node ${node.id} (${node.op})`)
    define(node.id, node)
  }
  for (const output of graph.outputs) {
    const type = need(output.value, `output ${output.name}`)
    if (!sameShape(type.shape, output.shape)) {
      throw new ShapeError(
        `graph: output ${output.name} has another shape than its value — expected ${formatShape(type.shape)}, got ${formatShape(output.shape)}`,
      )
    }
  }
}
