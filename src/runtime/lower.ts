import type { Graph, TensorType } from '../graph/graph.ts'
import { valueTypes } from '../graph/graph.ts'
import { ruleOf } from '../graph/ops/table.ts'
import type { LowerContext, OnnxAttributes } from '../graph/ops/rule.ts'
import { ConfigError } from '../errors.ts'
import { OnnxBuilder } from './onnx.ts'

/** Options of {@link lowerGraph}. */
export interface LowerOptions {
  /** See {@link LowerContext.target}. */
  readonly target: 'native' | 'portable'
  /** ONNX names of the graph's inputs, where they are not to keep their own; those in `initializers` become stored tensors. */
  readonly rename?: (input: string) => string
  /** Values of inputs that are stored in the file instead of being fed. */
  readonly initializers?: Readonly<Record<string, Float32Array>>
  readonly name?: string
  readonly metadata?: Readonly<Record<string, string>>
}

/** An operator graph as an ONNX file, each node by the lowering of its operator. */
export function lowerGraph(graph: Graph, options: LowerOptions): Uint8Array {
  const { target, rename = (name) => name, initializers = {}, name = 'graph', metadata = {} } = options
  const onnx = new OnnxBuilder()
  const types = valueTypes(graph)
  const names = new Map<string, string>()
  const uses = new Set(graph.nodes.flatMap((node) => node.inputs.map((id, i) => useKey(node.op, i, id))))
  const shared = new Map<string, unknown>()
  for (const input of graph.inputs) {
    const onnxName = rename(input.name)
    names.set(input.name, onnxName)
    const values = initializers[input.name]
    if (values === undefined) onnx.input(onnxName, input.shape, input.dtype)
    else onnx.initializer(onnxName, values, input.shape.map(Number))
  }
  const typeOf = (id: string): TensorType => {
    const type = types.get(id)
    if (type === undefined) throw new ConfigError(`lower: there is no value ${id} — expected a complete graph`)
    return type
  }
  const emitMany = (opType: string, inputs: readonly string[], attributes: OnnxAttributes, outputs: number, domain?: string): string[] =>
    onnx.node(opType, inputs, attributes, outputs, domain)
  for (const node of graph.nodes) {
    const context: LowerContext<unknown> = {
      inputs: node.inputs.map((id) => names.get(id) as string),
      inputTypes: node.inputs.map(typeOf),
      type: node,
      attrs: node.attrs,
      target,
      usedBy: (op, input) => uses.has(useKey(op, input, node.inputs[0] ?? '')),
      emit: (opType, inputs, attributes = {}, { domain } = {}) => emitMany(opType, inputs, attributes, 1, domain)[0] as string,
      emitMany,
      constant: (values, shape, dtype) => onnx.constant(values, shape, dtype),
      shared<T>(key: string, make: () => T): T {
        if (!shared.has(key)) shared.set(key, make())
        return shared.get(key) as T
      },
    }
    names.set(node.id, ruleOf(node.op).lower(context as LowerContext<typeof node.attrs>))
  }
  // Every output gets a node of its own name: one value may serve several outputs, or be an input.
  for (const output of graph.outputs) {
    onnx.node('Identity', [names.get(output.value) as string], {}, [output.name])
    onnx.output(output.name, output.shape, output.dtype)
  }
  return onnx.finish(name, metadata)
}

function useKey(op: string, input: number, id: string): string {
  return `${op} ${input} ${id}`
}
