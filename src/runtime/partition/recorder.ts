import { ConfigError } from '../../errors.ts'
import { elementCount, valueTypes } from '../../graph/graph.ts'
import type { Graph, TensorType } from '../../graph/graph.ts'
import { bytesPerElement } from '../../memory/dtype.ts'
import type { NumericArray } from '../../memory/dtype.ts'
import type { ArgumentName, Descriptor } from '../drivers/onednn/operations.ts'
import type { Primitive, Resources } from '../drivers/onednn/resources.ts'
import type { LoopOperand, Operand, Slot, Step } from './step.ts'

/** Where a value lies: as the rest of the library stores it, and in the orders that kernels have chosen. */
interface Stored {
  readonly type: TensorType
  plain: Slot | undefined
  readonly blocked: Operand[]
}

/**
 * Writes down the steps of a partitioned executable, in the order in which they run, and knows in which orders of memory every value exists so
 * far. A value that is read in another order is reordered, once. Values that the graph hands back are written to their bound arrays as soon as
 * they exist in the usual order.
 */
export class Recorder {
  readonly steps: Step[] = []
  readonly resources: Resources
  readonly #types: ReadonlyMap<string, TensorType>
  readonly #values = new Map<string, Stored>()
  readonly #graph: Graph
  /** The bound arrays of outputs, by value; the first output of a value is written by whoever computes it. */
  readonly #targets = new Map<string, Slot>()
  readonly #ones = new Map<number, Slot>()

  /** @param graph - With a bound batch size */
  constructor(graph: Graph, resources: Resources) {
    this.resources = resources
    this.#graph = graph
    this.#types = valueTypes(graph)
    for (const input of graph.inputs) this.define(input.name, boundSlot(`input ${input.name}`, input))
    for (const { name, value, ...type } of graph.outputs) {
      if (!this.#targets.has(value)) this.#targets.set(value, boundSlot(`output ${name}`, type))
    }
  }

  /** Extents of a value. */
  shapeOf(value: string): readonly number[] {
    return this.#typeOf(value).shape.map(Number)
  }

  /** Says that a value lies in a slot, in the usual order. */
  define(value: string, slot: Slot): void {
    this.#values.set(value, { type: this.#typeOf(value), plain: slot, blocked: [] })
  }

  /**
   * Makes a value another name of an existing one, or of a run of its elements.
   * @param start - The first element
   */
  view(value: string, of: string, start = 0): void {
    const slot = this.plainSlot(of)
    const bytes = bytesOf(this.#typeOf(value))
    const isWhole = start === 0 && bytes === slot.bytes
    this.define(value, isWhole ? slot : { bytes, within: { slot, offset: start * bytesPerElement(this.#typeOf(value).dtype) } })
  }

  /** A slot for a value that is about to be computed in the usual order. */
  defineNew(value: string): Slot {
    const slot = this.#newPlain(value)
    this.define(value, slot)
    return slot
  }

  /** A value in the usual order. */
  plainSlot(value: string): Slot {
    const stored = this.#stored(value)
    if (stored.plain !== undefined) return stored.plain
    const slot = this.#newPlain(value)
    this.reorder(stored.blocked[0] as Operand, { slot, descriptor: this.#plainDescriptor(value) })
    stored.plain = slot
    return slot
  }

  /** The order in which a value was first computed by a kernel; the usual one for values that no kernel has seen. */
  orderOf(value: string): Descriptor {
    return this.#stored(value).blocked[0]?.descriptor ?? this.#plainDescriptor(value)
  }

  /** True when a value exists in an order that a kernel has chosen. */
  isBlocked(value: string): boolean {
    return this.#stored(value).blocked.length > 0
  }

  /**
   * A value in a given order.
   * @param shape - Other extents over the same elements, as for the filters of groups
   */
  read(value: string, descriptor: Descriptor, shape: readonly number[] = this.shapeOf(value)): Operand {
    const stored = this.#stored(value)
    const existing = stored.blocked.find((operand) => this.resources.isEqual(operand.descriptor, descriptor))
    if (existing !== undefined) return existing
    const plain = this.resources.plain(shape)
    if (this.resources.isEqual(plain, descriptor)) return { slot: this.plainSlot(value), descriptor: plain }
    // What a kernel has computed is reordered directly; a value with other extents passes through the usual order.
    const isReshaped = shape.length !== stored.type.shape.length
    const source = isReshaped ? undefined : stored.blocked[0]
    const made = { slot: this.#newSlot(descriptor), descriptor }
    this.reorder(source ?? { slot: this.plainSlot(value), descriptor: plain }, made)
    stored.blocked.push(made)
    return made
  }

  /** Memory for a value that a primitive is about to compute; with other extents, {@link settle} brings it back into its own. */
  write(value: string, descriptor: Descriptor, shape: readonly number[] = this.shapeOf(value)): Operand {
    const plain = this.resources.plain(shape)
    if (this.resources.isEqual(plain, descriptor)) return { slot: this.defineNew(value), descriptor: plain }
    const operand = { slot: this.#newSlot(descriptor), descriptor }
    const stored: Stored = { type: this.#typeOf(value), plain: undefined, blocked: [operand] }
    this.#values.set(value, stored)
    if (shape.length !== stored.type.shape.length) this.#unsettled = { value, shape }
    return operand
  }

  /** Memory for what only primitives know: workspaces and scratch. */
  temporary(descriptor: Descriptor): Operand {
    return { slot: this.#newSlot(descriptor), descriptor }
  }

  /** Memory for so many float32 numbers. */
  newSlot(length: number): Slot {
    return { bytes: length * Float32Array.BYTES_PER_ELEMENT }
  }

  /** Adds a primitive. */
  run(primitive: Primitive, operands: Partial<Record<ArgumentName, Operand>>, inPlace?: readonly [Operand, Operand]): void {
    const scratch = primitive.query('scratchpad')
    const all = { ...operands, ...(scratch === undefined ? {} : { scratchpad: this.temporary(scratch) }) }
    this.steps.push({
      kind: 'primitive',
      primitive,
      operands: Object.entries(all) as [ArgumentName, Operand][],
      ...(inPlace === undefined ? {} : { inPlace: [inPlace[0].slot, inPlace[1].slot] }),
    })
    if (this.#unsettled !== undefined) {
      const { value, shape } = this.#unsettled
      this.#unsettled = undefined
      const slot = this.#newPlain(value)
      this.reorder((this.#stored(value).blocked as [Operand])[0], { slot, descriptor: this.resources.plain(shape) })
      this.define(value, slot)
    }
  }

  /** Adds zeros. */
  clear(slot: Slot): void {
    this.steps.push({ kind: 'fill', slot, value: 0 })
  }

  /** So many float32 ones, written once in a run. */
  ones(length: number): Slot {
    const existing = this.#ones.get(length)
    if (existing !== undefined) return existing
    const slot = this.newSlot(length)
    this.steps.push({ kind: 'fill', slot, value: 1 })
    this.#ones.set(length, slot)
    return slot
  }

  /** Adds a loop of our own. */
  loop<Name extends string>(
    operands: Readonly<Record<Name, LoopOperand>>,
    bind: (arrays: Readonly<Record<Name, NumericArray>>) => () => void,
  ): void {
    this.steps.push({ kind: 'loop', operands, bind })
  }

  /** Adds a copy from one order of memory, or a box in it, to another. */
  reorder(from: Operand, to: Operand): void {
    this.run(this.resources.reorder(from.descriptor, to.descriptor), { src: from, dst: to })
  }

  /** Brings a value that the graph hands back to its bound array, if it is not there. */
  settle(value: string): void {
    if (this.#targets.has(value) && this.#values.has(value)) this.plainSlot(value)
  }

  /** Adds a session of ONNX Runtime for some nodes of the graph. */
  session(nodes: Graph['nodes']): void {
    const own = new Set(nodes.map((node) => node.id))
    const outside = [...new Set(nodes.flatMap((node) => node.inputs))].filter((id) => !own.has(id))
    const usedLater = new Set(this.#graph.nodes.filter((node) => !own.has(node.id)).flatMap((node) => node.inputs))
    const kept = nodes.filter((node) => usedLater.has(node.id) || this.#targets.has(node.id))
    const slots = new Map<string, Slot>()
    for (const id of outside) slots.set(id, this.plainSlot(id))
    for (const { id } of kept) slots.set(`out:${id}`, this.defineNew(id))
    const inputs = outside.map((id) => ({ name: id, ...typeOnly(this.#typeOf(id)) }))
    const outputs = kept.map((node) => ({ name: `out:${node.id}`, value: node.id, ...typeOnly(node) }))
    this.steps.push({ kind: 'session', graph: { inputs, nodes, outputs, layouts: {} }, slots })
  }

  /** Copies what the graph hands back twice, or hands back as it came in. */
  finish(): readonly Step[] {
    for (const { name, value, ...type } of this.#graph.outputs) {
      const from = this.plainSlot(value)
      if (from.bound !== `output ${name}`) this.steps.push({ kind: 'copy', from, to: boundSlot(`output ${name}`, type) })
    }
    return this.steps
  }

  #unsettled: { readonly value: string; readonly shape: readonly number[] } | undefined

  #plainDescriptor(value: string): Descriptor {
    return this.resources.plain(this.shapeOf(value))
  }

  #newPlain(value: string): Slot {
    const target = this.#targets.get(value)
    return target ?? { bytes: bytesOf(this.#typeOf(value)) }
  }

  #newSlot(descriptor: Descriptor): Slot {
    return { bytes: this.resources.bytesOf(descriptor) }
  }

  #stored(value: string): Stored {
    const stored = this.#values.get(value)
    if (stored === undefined) throw new ConfigError(`partition: there is no value ${value} — expected one that was computed before`)
    return stored
  }

  #typeOf(value: string): TensorType {
    const type = this.#types.get(value)
    if (type === undefined) throw new ConfigError(`partition: there is no value ${value} — expected a complete graph`)
    return type
  }
}

/** The bound array of an input or output, as the caller knows it. */
function boundSlot(bound: string, type: TensorType): Slot {
  return { bytes: bytesOf(type), bound }
}

function bytesOf({ shape, dtype }: TensorType): number {
  return elementCount(shape.map(Number)) * bytesPerElement(dtype)
}

function typeOnly({ shape, dtype }: TensorType): TensorType {
  return { shape, dtype }
}
