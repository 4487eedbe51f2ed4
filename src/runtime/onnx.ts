/**
 * Writes ONNX models: a thin layer over the protobuf classes of `onnx-proto`.
 * @packageDocumentation
 */
import { isBatchDim } from '../graph/graph.ts'
import type { Shape } from '../graph/graph.ts'
import type { OnnxAttributes } from '../graph/ops/rule.ts'
import type { DType } from '../memory/dtype.ts'
import { onnx } from './onnx-proto.ts'

/** Element kinds of ONNX that we write. */
export type OnnxDType = DType | 'int64'

const elementTypes = {
  float32: onnx.TensorProto.DataType.FLOAT,
  float64: onnx.TensorProto.DataType.DOUBLE,
  int32: onnx.TensorProto.DataType.INT32,
  int64: onnx.TensorProto.DataType.INT64,
  uint8: onnx.TensorProto.DataType.UINT8,
  bool: onnx.TensorProto.DataType.BOOL,
} satisfies Record<OnnxDType, number>

/** Operator set of the files that we write: the first in which ScatterND adds and reductions take their modern forms. */
export const opset = 17

/** One ONNX node. */
interface OnnxNode {
  readonly opType: string
  readonly domain: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: OnnxAttributes
}

type ValueInfo = InstanceType<typeof onnx.ValueInfoProto>

/** Collects nodes, inputs, outputs and initialisers of one ONNX graph. */
export class OnnxBuilder {
  readonly #nodes: OnnxNode[] = []
  readonly #inputs = new Map<string, ValueInfo>()
  readonly #outputs = new Map<string, ValueInfo>()
  readonly #initializers = new Map<string, InstanceType<typeof onnx.TensorProto>>()
  readonly #constants = new Map<string, string>()
  #next = 0

  /** Declares an input; `'batch'` becomes a free dimension. */
  input(name: string, shape: Shape, dtype: DType): void {
    this.#inputs.set(name, valueInfo(name, shape, dtype))
  }

  /** Declares an output: the name of a node's output. */
  output(name: string, shape: Shape, dtype: DType): void {
    this.#outputs.set(name, valueInfo(name, shape, dtype))
  }

  /** Adds a node and returns the names of its outputs. */
  node(
    opType: string,
    inputs: readonly string[],
    attributes: OnnxAttributes,
    outputs: number | readonly string[],
    domain = '',
  ): readonly string[] {
    const names = typeof outputs === 'number' ? Array.from({ length: outputs }, () => `${opType}_${this.#next++}`) : outputs
    this.#nodes.push({ opType, domain, inputs: [...inputs], outputs: names, attributes })
    return names
  }

  /** A constant tensor; equal ones are stored once. Returns its name. */
  constant(values: readonly number[], shape: readonly number[], dtype: 'float32' | 'int32' | 'int64' | 'bool'): string {
    const key = `${dtype} [${shape.join()}] ${values.join()}`
    const existing = this.#constants.get(key)
    if (existing !== undefined) return existing
    const name = `constant_${this.#constants.size}`
    this.#constants.set(key, name)
    this.#initializers.set(
      name,
      onnx.TensorProto.create({ name, dims: [...shape], dataType: elementTypes[dtype], rawData: bytesOf(values, dtype) }),
    )
    return name
  }

  /** A float32 tensor stored under a name of its own. */
  initializer(name: string, values: Float32Array, shape: readonly number[]): void {
    const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    this.#initializers.set(name, onnx.TensorProto.create({ name, dims: [...shape], dataType: elementTypes.float32, rawData }))
  }

  /** The graph as a file. */
  finish(name: string, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
    const domains = new Set(['', ...this.#nodes.map((node) => node.domain)])
    const model = onnx.ModelProto.create({
      irVersion: 8,
      producerName: 'tutti',
      opsetImport: [...domains].map((domain) => ({ domain, version: domain === '' ? opset : 1 })),
      metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
      graph: {
        name,
        node: this.#nodes.map(nodeProto),
        input: [...this.#inputs.values()],
        output: [...this.#outputs.values()],
        initializer: [...this.#initializers.values()],
      },
    })
    return onnx.ModelProto.encode(model).finish()
  }
}

function nodeProto({ opType, domain, inputs, outputs, attributes }: OnnxNode): InstanceType<typeof onnx.NodeProto> {
  return onnx.NodeProto.create({
    opType,
    domain,
    name: `${opType}/${outputs[0]}`,
    input: [...inputs],
    output: [...outputs],
    attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
  })
}

function bytesOf(values: readonly number[], dtype: 'float32' | 'int32' | 'int64' | 'bool'): Uint8Array {
  if (dtype === 'float32') return new Uint8Array(Float32Array.from(values).buffer)
  if (dtype === 'int32') return new Uint8Array(Int32Array.from(values).buffer)
  if (dtype === 'int64') return new Uint8Array(BigInt64Array.from(values, (value) => BigInt(value)).buffer)
  return Uint8Array.from(values)
}

function valueInfo(name: string, shape: Shape, dtype: OnnxDType): ValueInfo {
  const dim = shape.map((extent) => (isBatchDim(extent) ? { dimParam: extent } : { dimValue: extent }))
  return onnx.ValueInfoProto.create({ name, type: { tensorType: { elemType: elementTypes[dtype], shape: { dim } } } })
}

function attribute(name: string, value: OnnxAttributes[string]): InstanceType<typeof onnx.AttributeProto> {
  const kinds = onnx.AttributeProto.AttributeType
  if (typeof value === 'string') return onnx.AttributeProto.create({ name, type: kinds.STRING, s: new TextEncoder().encode(value) })
  if (typeof value === 'number') return onnx.AttributeProto.create({ name, type: kinds.INT, i: value })
  if ('float' in value) return onnx.AttributeProto.create({ name, type: kinds.FLOAT, f: value.float })
  return onnx.AttributeProto.create({ name, type: kinds.INTS, ints: [...value] })
}
