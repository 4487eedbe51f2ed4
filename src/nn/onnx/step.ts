import { DataError } from '../../errors.ts'
import type { Value } from '../../graph/builder.ts'
import { formatShape, isBatchDim, sameShape } from '../../graph/graph.ts'
import type { Shape } from '../../graph/graph.ts'
import type { OpAttributes, OpName } from '../../graph/ops/attributes.ts'
import { Attributes, nodeText } from './attributes.ts'
import type { Form, Network, Role } from './network.ts'
import { computed } from './operand.ts'
import type { Element, Operand } from './operand.ts'
import type { FileNode } from './proto.ts'

/** What a reader of an operator gives: one value, or one for each output. */
export type Read = Value | Operand | readonly (Value | Operand)[]

/** Adds to the graph what one node of a file computes. */
export type Reader = (step: Step) => Read

/** One node while it is read: its operands, and the graph that it adds to. */
export class Step {
  readonly node: FileNode
  readonly network: Network
  readonly attributes: Attributes
  /** Absent inputs are undefined. */
  readonly inputs: readonly (Operand | undefined)[]
  #layer: string | undefined
  /** The layer's name, where the node and its parameters have none. Has to be said before anything is added. */
  hint: string | undefined

  constructor(network: Network, node: FileNode) {
    this.network = network
    this.node = node
    this.attributes = new Attributes(node)
    this.inputs = node.inputs.map((name) => {
      if (name === '') return undefined
      const operand = network.get(name)
      if (operand === undefined) throw this.fault('reads what is not there', 'a value that an earlier node computes', name)
      return operand
    })
  }

  /** The layer that the new nodes belong to. */
  get layer(): string {
    this.#layer ??= this.network.layerOf(this.node, this.hint)
    return this.#layer
  }

  get opset(): number {
    return this.network.opset
  }

  has(input: number): boolean {
    return this.inputs[input] !== undefined
  }

  operand(input: number): Operand {
    const operand = this.inputs[input]
    if (operand === undefined) throw this.fault('has too few inputs', `at least ${input + 1}`, this.inputs.length)
    return operand
  }

  /** An input as a value of the graph. */
  value(input: number): Value {
    return this.network.materialise(this.operand(input), this.layer)
  }

  /** Shape of an input, known or computed. */
  shape(input: number): Shape {
    const operand = this.operand(input)
    return operand.kind === 'static' ? operand.shape : operand.value.shape
  }

  /** An input that is a stored tensor in most files: as a parameter, else as it is computed. */
  parameter(input: number, role: Role, form: Form = {}): Value {
    const operand = this.operand(input)
    if (operand.kind === 'static') return this.network.parameter(operand, role, this.layer, form)
    const { value } = operand
    const turned = form.transposed === true ? this.add('transpose', [value], { permutation: [1, 0] }) : value
    return form.shape === undefined ? turned : this.reshape(turned, form.shape)
  }

  /** Whole numbers and extents of an input that must be known. */
  elements(input: number): readonly Element[] {
    const operand = this.operand(input)
    if (operand.kind === 'static') return Array.from(operand.data)
    throw this.fault(`computes its input ${input} while it runs`, 'shapes and indices that follow from the file', 'a computed one')
  }

  /** Whole numbers of an input that must be known and must not depend on the batch. */
  numbers(input: number): number[] {
    return this.elements(input).map((element) => {
      if (typeof element === 'number') return element
      throw this.fault('depends on the batch size', 'fixed numbers', element)
    })
  }

  /** Axes: an attribute in older versions of an operator, an input in newer ones. */
  axes(input: number): readonly number[] | undefined {
    return this.attributes.ints('axes') ?? (this.has(input) ? this.numbers(input) : undefined)
  }

  add<O extends OpName>(op: O, inputs: readonly Value[], attrs: OpAttributes[O]): Value {
    return this.network.builder.add(op, inputs, attrs, this.layer)
  }

  /** The same elements in another shape; nothing where it is the same. */
  reshape(value: Value, shape: Shape): Value {
    return sameShape(value.shape, shape) ? value : this.add('reshape', [value], { shape })
  }

  /** A value with its dims in another order; nothing where it is the same. */
  transpose(value: Value, permutation: readonly number[]): Value {
    return permutation.every((dim, d) => dim === d) ? value : this.add('transpose', [value], { permutation })
  }

  filled(value: number, shape: Shape): Value {
    return this.add('fill', [], { value, shape })
  }

  constant(values: readonly number[], shape: readonly number[] = []): Value {
    return this.add('constant', [], { values, shape, dtype: 'float32' })
  }

  /** Extents from `from` on, which must be numbers. */
  extents(value: Value, from: number): number[] {
    return value.shape.slice(from).map((extent) => {
      if (!isBatchDim(extent)) return extent
      throw this.fault('works along the batch', 'the batch as the first dim', formatShape(value.shape))
    })
  }

  /** The node that alone reads this one's first output. */
  onlyUser(): FileNode | undefined {
    return this.network.onlyUser(this.node.outputs[0] ?? '')
  }

  /** Says that a later node is computed as part of this one. */
  take(later: FileNode, value: Value): void {
    this.network.done.add(later)
    this.network.set(later.outputs[0] ?? '', computed(value))
  }

  fault(what: string, expected: string, got: string | number): DataError {
    return new DataError(`import: ${nodeText(this.node)} ${what} — expected ${expected}, got ${got}`)
  }
}
