/**
 * ONNX files as plain data: what an importer needs of the protobuf messages.
 * @packageDocumentation
 */
import { DataError } from '../../errors.ts'
import { type messages, onnx } from '../../runtime/onnx-proto.ts'
import { readTensor } from './tensor.ts'
import type { ReadExternal } from './options.ts'
import type { Static } from './operand.ts'

/** The protobuf message of a whole file. */
export type ModelProto = InstanceType<typeof onnx.ModelProto>

/** A value of an attribute. */
export type Attribute = number | string | readonly number[] | readonly string[] | Static

/** One node of a file. */
export interface FileNode {
  readonly op: string
  readonly domain: string
  /** May be empty. */
  readonly name: string
  /** Names of values; `''` for an input that is left out. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: ReadonlyMap<string, Attribute>
}

/** One input of a file that has to be fed. */
export interface FileInput {
  readonly name: string
  /** Element kind, as ONNX numbers them. */
  readonly elementType: number
  /** Extents: a number, or the name of a free one (`''` where it has none). */
  readonly shape: readonly (number | string)[]
}

/** What a file holds. */
export interface FileGraph {
  readonly name: string
  /** Version of the standard operators. */
  readonly opset: number
  readonly inputs: readonly FileInput[]
  readonly outputs: readonly string[]
  readonly nodes: readonly FileNode[]
  readonly initializers: ReadonlyMap<string, Static>
}

/** @throws {DataError} DATA when the bytes are no ONNX file */
export function decodeModel(bytes: Uint8Array): ModelProto {
  try {
    return onnx.ModelProto.decode(bytes)
  } catch (cause) {
    throw new DataError(
      `import: ${bytes.byteLength} bytes are no ONNX file — expected a whole model in the ONNX format (was it cut off, or is it another format?)`,
      {},
      cause,
    )
  }
}

/**
 * The graph of a decoded file.
 * @param external - Reads weights that lie in files of their own
 * @throws {DataError} DATA when there is no graph, or a tensor cannot be read
 */
export function readGraph(model: ModelProto, external?: ReadExternal): FileGraph {
  const { graph } = model
  if (graph === null || graph === undefined || (graph.node ?? []).length === 0) {
    throw new DataError(
      'import: the file holds no model description and no graph — expected a whole model in the ONNX format (was it cut off, or is it another format?)',
    )
  }
  const initializers = new Map((graph.initializer ?? []).map((tensor) => [tensor.name ?? '', readTensor(tensor, external)]))
  const standard = (model.opsetImport ?? []).find(({ domain }) => isStandard(domain ?? ''))
  return {
    name: graph.name ?? '',
    opset: Number(standard?.version ?? 0),
    inputs: (graph.input ?? []).map(readInput).filter(({ name }) => !initializers.has(name)),
    outputs: (graph.output ?? []).map(({ name }) => name ?? ''),
    nodes: (graph.node ?? []).map((node) => readNode(node, external)),
    initializers,
  }
}

/** True for the domain of the standard's operators, which has two names. */
function isStandard(domain: string): boolean {
  return domain === '' || domain === 'ai.onnx'
}

function readInput({ name, type }: messages.IValueInfoProto): FileInput {
  const tensor = type?.tensorType
  const shape = (tensor?.shape?.dim ?? []).map((dim) => {
    const extent = Number(dim.dimValue ?? 0)
    return extent > 0 ? extent : (dim.dimParam ?? '')
  })
  return { name: name ?? '', elementType: Number(tensor?.elemType ?? 0), shape }
}

function readNode(node: messages.INodeProto, external?: ReadExternal): FileNode {
  const domain = node.domain ?? ''
  return {
    op: node.opType ?? '',
    domain: isStandard(domain) ? '' : domain,
    name: node.name ?? '',
    inputs: node.input ?? [],
    outputs: node.output ?? [],
    attributes: new Map(
      (node.attribute ?? []).flatMap((attribute) => {
        const value = readAttribute(attribute, external)
        return value === undefined ? [] : [[attribute.name ?? '', value] as const]
      }),
    ),
  }
}

function textOf(bytes: Uint8Array | null | undefined): string {
  return new TextDecoder().decode(bytes ?? new Uint8Array())
}

/** Graphs and lists of tensors are of operators that are not read. */
function readAttribute(attribute: messages.IAttributeProto, external?: ReadExternal): Attribute | undefined {
  const kinds = onnx.AttributeProto.AttributeType
  switch (attribute.type) {
    case kinds.INT:
      return Number(attribute.i ?? 0)
    case kinds.FLOAT:
      return attribute.f ?? 0
    case kinds.STRING:
      return textOf(attribute.s)
    case kinds.INTS:
      return (attribute.ints ?? []).map(Number)
    case kinds.FLOATS:
      return attribute.floats ?? []
    case kinds.STRINGS:
      return (attribute.strings ?? []).map(textOf)
    case kinds.TENSOR:
      return attribute.t ? readTensor(attribute.t, external) : undefined
    default:
      return undefined
  }
}
