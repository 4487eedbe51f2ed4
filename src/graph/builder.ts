import { ConfigError } from '../errors.ts'
import { shown } from '../option-checks.ts'
import type { DType } from '../memory/dtype.ts'
import type { Graph, GraphInput, GraphOutput, Node, Shape, TensorType } from './graph.ts'
import type { OpAttributes, OpName } from './ops/attributes.ts'
import { ruleOf } from './ops/table.ts'

/** A value of a graph under construction: what layers take and return. Immutable. */
export interface Value extends TensorType {
  /** Input name or node id. */
  readonly id: string
  readonly builder: GraphBuilder
}

/** Builds a graph node by node; every node's shape is checked when it is added. */
export class GraphBuilder {
  readonly #inputs = new Map<string, GraphInput>()
  readonly #nodes: Node[] = []
  readonly #byId = new Map<string, Node>()
  readonly #outputs: GraphOutput[] = []
  readonly #known = new Map<string, TensorType>()
  #next = 0

  /** Starts from an existing graph (without its outputs), whose values keep their names. */
  static from(graph: Pick<Graph, 'inputs' | 'nodes'>): GraphBuilder {
    const builder = new GraphBuilder()
    for (const input of graph.inputs) builder.input(input.name, input.shape, input.dtype)
    for (const node of graph.nodes) {
      builder.#append(node)
      builder.#next = Math.max(builder.#next, Number(node.id.slice(1)) + 1)
    }
    return builder
  }

  /** Nodes so far, in topological order. */
  get nodes(): readonly Node[] {
    return this.#nodes
  }

  /** The node with this id; undefined for inputs. */
  node(id: string): Node | undefined {
    return this.#byId.get(id)
  }

  #append(node: Node): void {
    this.#nodes.push(node)
    this.#byId.set(node.id, node)
    this.#known.set(node.id, node)
  }

  /** Adds an input. @throws {ConfigError} CONFIG when the name is taken */
  input(name: string, shape: Shape, dtype: DType): Value {
    if (this.#known.has(name) || name.startsWith('#')) {
      throw new ConfigError(`graph: the input name ${name} cannot be used — expected a name that is free and does not start with #`)
    }
    const input: GraphInput = { name, shape: [...shape], dtype }
    this.#inputs.set(name, input)
    this.#known.set(name, input)
    return this.value(name)
  }

  /** An existing value by name. @throws {ConfigError} CONFIG when there is none */
  value(id: string): Value {
    const type = this.#known.get(id)
    if (type === undefined) throw new ConfigError(`graph: there is no value ${id} — expected an input or a node of this graph`)
    return { id, builder: this, shape: type.shape, dtype: type.dtype }
  }

  /**
   * Applies an operator.
   * @throws {ShapeError} SHAPE naming the layer when the inputs do not fit
   */
  add<O extends OpName>(op: O, inputs: readonly Value[], attrs: OpAttributes[O], layer?: string): Value {
    const where = layer ?? op
    for (const input of inputs) {
      if (!(input?.builder instanceof GraphBuilder)) {
        throw new ConfigError(`${where}: an input is no value of a graph — expected what a layer returned, got ${shown(input)}`)
      }
      if (input.builder !== this) {
        throw new ConfigError(`${where}: an input belongs to another graph — expected values that were made inside the same model function`)
      }
    }
    const rule = ruleOf(op)
    const [fewest, most] = rule.arity
    if (inputs.length < fewest || inputs.length > most) {
      throw new ConfigError(`${where}: ${op} has the wrong number of inputs — expected ${fewest} to ${most}, got ${inputs.length}`)
    }
    const type = rule.infer(inputs, attrs, { layer: where })
    const id = `#${this.#next++}`
    const node = {
      id,
      op,
      inputs: inputs.map((input) => input.id),
      attrs,
      shape: type.shape,
      dtype: type.dtype,
      ...(layer === undefined ? {} : { layer }),
    } as Node
    this.#append(node)
    return { id, builder: this, shape: type.shape, dtype: type.dtype }
  }

  /** Names a value as an output. */
  output(name: string, value: Value): void {
    this.#outputs.push({ name, value: value.id, shape: value.shape, dtype: value.dtype })
  }

  /** The graph so far, without the nodes that no output needs; inputs stay. */
  build(): Graph {
    const needed = new Set(this.#outputs.map((output) => output.value))
    const nodes: Node[] = []
    for (let n = this.#nodes.length - 1; n >= 0; n--) {
      const node = this.#nodes[n] as Node
      if (!needed.has(node.id)) continue
      for (const input of node.inputs) needed.add(input)
      nodes.push(node)
    }
    return { inputs: [...this.#inputs.values()], nodes: nodes.reverse(), outputs: [...this.#outputs] }
  }
}
