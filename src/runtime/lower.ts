import { ConfigError } from '../errors.ts'
import type { Graph, Shape, TensorType } from '../graph/graph.ts'
import { isBatchDim, perSample, valueTypes } from '../graph/graph.ts'
import type { LowerContext, OnnxAttributes } from '../graph/ops/rule.ts'
import { ruleOf } from '../graph/ops/table.ts'
import { planLayouts, storedShape } from '../graph/layouts.ts'
import type { Layout, Layouts } from '../graph/layouts.ts'
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

/** State of one lowering: ONNX names of the values so far, by layout. */
class Lowering {
  readonly onnx = new OnnxBuilder()
  readonly #types: Map<string, TensorType>
  readonly #layouts: Layouts
  readonly #target: LowerOptions['target']
  readonly #uses: ReadonlySet<string>
  /** ONNX names by value and layout; the first entry is the one that was computed. */
  readonly #names = new Map<string, Map<Layout | undefined, string>>()
  readonly #shared = new Map<string, unknown>()
  /** An input that is fed, and its dim that grows with the batch. */
  #rows: { readonly name: string; readonly dim: number; readonly perSample: number } | undefined

  constructor(graph: Graph, target: LowerOptions['target']) {
    this.#types = valueTypes(graph)
    this.#target = target
    this.#layouts = target === 'native' ? (graph.layouts ?? planLayouts(graph)) : {}
    this.#uses = new Set(graph.nodes.flatMap((node) => node.inputs.map((id, i) => useKey(node.op, i, id))))
  }

  input(name: string, onnxName: string, values: Float32Array | undefined): void {
    const { shape, dtype } = this.#typeOf(name)
    this.#names.set(name, new Map([[this.#layouts[name], onnxName]]))
    if (values === undefined) {
      this.onnx.input(onnxName, this.#storedShape(name, shape), dtype)
      const dim = shape.findIndex(isBatchDim)
      if (dim >= 0) this.#rows ??= { name: onnxName, dim, perSample: perSample(shape[dim] ?? 1) }
    } else this.onnx.initializer(onnxName, values, shape.map(Number))
  }

  node(node: Graph['nodes'][0]): void {
    const layout = this.#layouts[node.id]
    // Read one by one: whoever reads an input in its layout shall not have it converted.
    const inputs: string[] = []
    node.inputs.forEach((id, i) => {
      Object.defineProperty(inputs, i, { get: () => this.#stored(id, undefined), enumerable: true })
    })
    const context: LowerContext<unknown> = {
      inputs,
      inputTypes: node.inputs.map((id) => this.#typeOf(id)),
      inputLayouts: node.inputs.map((id) => this.#layouts[id]),
      type: node,
      attrs: node.attrs,
      layout,
      target: this.#target,
      inputAs: (input, wanted) => this.#stored(node.inputs[input] ?? '', wanted),
      toTiles: (name, shape, side) => this.#toTiles(name, shape, side),
      fromTiles: (name, shape, side) => this.#fromTiles(name, shape, side),
      shapeTensor: this.#shapeTensor,
      usedBy: (op, input) => this.#uses.has(useKey(op, input, node.inputs[0] ?? '')),
      emit: this.#emit,
      emitMany: (opType, inputs, attributes, outputs, domain) => [...this.onnx.node(opType, inputs, attributes, outputs, domain)],
      constant: (values, shape, dtype) => this.onnx.constant(values, shape, dtype),
      shared: (key, make) => this.#once(key, make),
    }
    const name = ruleOf(node.op).lower(context as LowerContext<typeof node.attrs>)
    this.#names.set(node.id, new Map([[layout, name]]))
  }

  /** Every output gets a node of its own name: one value may serve several outputs, or be an input. */
  output({ name, value, shape, dtype }: Graph['outputs'][0]): void {
    this.onnx.node('Identity', [this.#stored(value, this.#layouts[name])], {}, [name])
    this.onnx.output(name, this.#storedShape(name, shape), dtype)
  }

  /** A value in a layout; converted once where it is stored otherwise. */
  #stored(id: string, layout: Layout | undefined): string {
    const names = this.#names.get(id)
    if (names === undefined) throw new ConfigError(`lower: there is no value ${id} — expected a complete graph`)
    const existing = names.get(layout)
    if (existing !== undefined) return existing
    const [[from, name]] = names as unknown as [[Layout | undefined, string]]
    const shape = this.#typeOf(id).shape.map(Number)
    const plain = names.get(undefined) ?? this.#convert(name, shape, from, true)
    names.set(undefined, plain)
    if (layout !== undefined) names.set(layout, this.#convert(plain, shape, layout, false))
    return names.get(layout) as string
  }

  /** Out of a layout, or into it. */
  #convert(name: string, shape: readonly number[], layout: Layout | undefined, isBack: boolean): string {
    if (layout === 'transposed') return this.#emit('Transpose', [name], { perm: [1, 0] })
    const side = layout ?? 1
    return isBack ? this.#fromTiles(name, shape, side) : this.#toTiles(name, shape, side)
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

  /** Values travel between the segments of a cut graph as they are stored. */
  #storedShape(name: string, shape: TensorType['shape']): TensorType['shape'] {
    const layout = this.#layouts[name]
    return layout === undefined ? shape : storedShape(shape.map(Number), layout)
  }

  #reshape(name: string, shape: readonly number[]): string {
    return this.#emit('Reshape', [name, this.onnx.constant(shape, [shape.length], 'int64')])
  }

  readonly #emit = (
    opType: string,
    inputs: readonly string[],
    attributes: OnnxAttributes = {},
    options: { readonly domain?: string } = {},
  ): string => this.onnx.node(opType, inputs, attributes, 1, options.domain)[0] as string

  readonly #shapeTensor = (shape: Shape): string => {
    const extents = (values: readonly number[]): string => this.onnx.constant(values, [values.length], 'int64')
    const rows = this.#rows
    if (!shape.some(isBatchDim)) return extents(shape.map(Number))
    if (rows === undefined) throw new ConfigError('lower: no input has rows — expected one that grows with the batch')
    const batch = this.#once('batch extent', () => {
      const extent = this.#emit('Gather', [this.#emit('Shape', [rows.name]), extents([rows.dim])], { axis: 0 })
      return rows.perSample === 1 ? extent : this.#emit('Div', [extent, extents([rows.perSample])])
    })
    const timesBatch = (times: number): string => (times === 1 ? batch : this.#emit('Mul', [batch, extents([times])]))
    const parts = shape.map((dim) => (isBatchDim(dim) ? timesBatch(perSample(dim)) : extents([dim])))
    return parts.length === 1 ? (parts[0] as string) : this.#emit('Concat', parts, { axis: 0 })
  }

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
