import { ConfigError } from '../errors.ts'
import type { Graph, TensorType } from '../graph/graph.ts'
import { valueTypes } from '../graph/graph.ts'
import type { LowerContext, OnnxAttributes } from '../graph/ops/rule.ts'
import { ruleOf } from '../graph/ops/table.ts'
import { planTiles, storedShape } from '../graph/tiles.ts'
import type { Tiles } from '../graph/tiles.ts'
import { OnnxBuilder } from './onnx.ts'

/** Options of {@link lowerGraph}. */
export interface LowerOptions {
  /** See {@link LowerContext.target}. */
  readonly target: 'native' | 'portable'
  /** ONNX names of the graph's inputs, where they are not to keep their own; those in `initializers` become stored tensors. */
  readonly rename?: (input: string) => string
  /** Values of inputs that are stored in the file instead of being fed. */
  readonly initializers?: Readonly<Record<string, Float32Array>>
}

/** An operator graph as ONNX nodes, each node by the lowering of its operator. */
export function lowerGraph(graph: Graph, options: LowerOptions): OnnxBuilder {
  const { target, rename = (name) => name, initializers = {} } = options
  const lowering = new Lowering(graph, target)
  for (const input of graph.inputs) {
    const values = initializers[input.name]
    lowering.input(input.name, rename(input.name), values)
  }
  for (const node of graph.nodes) lowering.node(node)
  for (const output of graph.outputs) lowering.output(output)
  return lowering.onnx
}

/** State of one lowering: ONNX names of the values so far, as they are and in tiles. */
class Lowering {
  readonly onnx = new OnnxBuilder()
  readonly #types: Map<string, TensorType>
  readonly #tiles: Tiles
  readonly #target: LowerOptions['target']
  readonly #uses: ReadonlySet<string>
  /** ONNX names by value and side of its tiles; 0 for a value as it is. */
  readonly #names = new Map<string, Map<number, string>>()
  readonly #shared = new Map<string, unknown>()

  constructor(graph: Graph, target: LowerOptions['target']) {
    this.#types = valueTypes(graph)
    this.#target = target
    this.#tiles = target === 'native' ? (graph.tiles ?? planTiles(graph)) : {}
    this.#uses = new Set(graph.nodes.flatMap((node) => node.inputs.map((id, i) => useKey(node.op, i, id))))
  }

  input(name: string, onnxName: string, values: Float32Array | undefined): void {
    const { shape, dtype } = this.#typeOf(name)
    this.#names.set(name, new Map([[this.#tiles[name] ?? 0, onnxName]]))
    if (values === undefined) this.onnx.input(onnxName, this.#storedShape(name, shape), dtype)
    else this.onnx.initializer(onnxName, values, shape.map(Number))
  }

  node(node: Graph['nodes'][0]): void {
    const tile = this.#tiles[node.id]
    // Read one by one: whoever reads only tiles of an input shall not have it converted.
    const inputs: string[] = []
    node.inputs.forEach((id, i) => {
      Object.defineProperty(inputs, i, { get: () => this.#stored(id, 0), enumerable: true })
    })
    const context: LowerContext<unknown> = {
      inputs,
      inputTypes: node.inputs.map((id) => this.#typeOf(id)),
      inputTiles: node.inputs.map((id) => this.#tiles[id]),
      type: node,
      attrs: node.attrs,
      tile,
      target: this.#target,
      tiledInput: (input, side) => this.#stored(node.inputs[input] ?? '', side),
      toTiles: (name, shape, side) => this.#toTiles(name, shape, side),
      fromTiles: (name, shape, side) => this.#fromTiles(name, shape, side),
      usedBy: (op, input) => this.#uses.has(useKey(op, input, node.inputs[0] ?? '')),
      emit: this.#emit,
      emitMany: (opType, inputs, attributes, outputs, domain) => [
        ...this.onnx.node(opType, inputs, attributes, outputs, domain),
      ],
      constant: (values, shape, dtype) => this.onnx.constant(values, shape, dtype),
      shared: (key, make) => this.#once(key, make),
    }
    const name = ruleOf(node.op).lower(context as LowerContext<typeof node.attrs>)
    this.#names.set(node.id, new Map([[tile ?? 0, name]]))
  }

  /** Every output gets a node of its own name: one value may serve several outputs, or be an input. */
  output({ name, value, shape, dtype }: Graph['outputs'][0]): void {
    this.onnx.node('Identity', [this.#stored(value, this.#tiles[name] ?? 0)], {}, [name])
    this.onnx.output(name, this.#storedShape(name, shape), dtype)
  }

  /** A value in tiles of a side, or as it is (0); converted once where it is stored otherwise. */
  #stored(id: string, side: number): string {
    const names = this.#names.get(id)
    if (names === undefined) throw new ConfigError(`lower: there is no value ${id} — expected a complete graph`)
    const existing = names.get(side)
    if (existing !== undefined) return existing
    const [[from, name]] = names as unknown as [[number, string]]
    const shape = this.#typeOf(id).shape.map(Number)
    const plain = from === 0 ? name : (names.get(0) ?? this.#fromTiles(name, shape, from))
    names.set(0, plain)
    if (side !== 0) names.set(side, this.#toTiles(plain, shape, side))
    return names.get(side) as string
  }

  #toTiles(name: string, shape: readonly number[], side: number): string {
    const [batch, channels, height, width] = shape as [number, number, number, number]
    const [tiles, pixels] = [(height * width) / side ** 2, side ** 2 * channels]
    const deep = side === 1 ? name : this.#emit('SpaceToDepth', [name], { blocksize: side })
    const moved = this.#emit('Transpose', [this.#reshape(deep, [batch, pixels, tiles])], { perm: [0, 2, 1] })
    return this.#reshape(moved, [batch * tiles, pixels])
  }

  #fromTiles(name: string, shape: readonly number[], side: number): string {
    const [batch, channels, height, width] = shape as [number, number, number, number]
    const [tiles, pixels] = [(height * width) / side ** 2, side ** 2 * channels]
    const moved = this.#emit('Transpose', [this.#reshape(name, [batch, tiles, pixels])], { perm: [0, 2, 1] })
    const deep = this.#reshape(moved, [batch, pixels, height / side, width / side])
    return side === 1 ? deep : this.#emit('DepthToSpace', [deep], { blocksize: side })
  }

  /** Tiles travel between the segments of a cut graph as they are. */
  #storedShape(name: string, shape: TensorType['shape']): TensorType['shape'] {
    const tile = this.#tiles[name]
    return tile === undefined ? shape : storedShape(shape.map(Number), tile)
  }

  #reshape(name: string, shape: readonly number[]): string {
    return this.#emit('Reshape', [name, this.onnx.constant(shape, [shape.length], 'int64')])
  }

  readonly #emit = (opType: string, inputs: readonly string[], attributes: OnnxAttributes = {}, options: { readonly domain?: string } = {}): string =>
    this.onnx.node(opType, inputs, attributes, 1, options.domain)[0] as string

  #once<T>(key: string, make: () => T): T {
    if (!this.#shared.has(key)) this.#shared.set(key, make())
    return this.#shared.get(key) as T
  }

  #typeOf(id: string): TensorType {
    const type = this.#types.get(id)
    if (type === undefined) throw new ConfigError(`lower: there is no value ${id} — expected a complete graph`)
    return type
  }
}

function useKey(op: string, input: number, id: string): string {
  return `${op} ${input} ${id}`
}
