/**
 * Models of other programs: every node of the file becomes operators of ours, stored tensors become parameters, and what a file computes from
 * shapes is computed while it is read.
 * @packageDocumentation
 */
import type { ForeignOptions } from './options.ts'
import { ConfigError, DataError, TuttiError } from '../../errors.ts'
import { formatShape, isBatchDim, parameterPrefix } from '../../graph/graph.ts'
import type { Shape } from '../../graph/graph.ts'
import { prune } from '../../graph/prune.ts'
import { Model } from '../model.ts'
import type { InputShapes } from '../model.ts'
import { Attributes, nodeText } from './attributes.ts'
import { folds } from './fold.ts'
import { fuseGelu } from './fuse-gelu.ts'
import { isAutomatic, uniqueName, usableName } from './names.ts'
import { Network } from './network.ts'
import { computed, isFoldable } from './operand.ts'
import type { Operand, Static } from './operand.ts'
import { unreadVariant } from './operators/recurrent.ts'
import { readers, runtimeReaders } from './operators/table.ts'
import type { FileGraph, FileInput, FileNode } from './proto.ts'
import { Step } from './step.ts'
import type { Reader } from './step.ts'

/** Versions of the standard operators that are read. */
export const readableOpsets = [13, 23] as const

/**
 * The model of a file, and the values of its parameters.
 * @throws {DataError} DATA in one line when the file needs what there is not: all operators that are not read at once, or the first node that
 *   cannot be expressed
 */
export function importForeign(
  file: FileGraph,
  options: ForeignOptions,
): { readonly model: Model; readonly values: Record<string, Float32Array<ArrayBuffer>> } {
  const [oldest, newest] = readableOpsets
  if (file.opset < oldest || file.opset > newest) {
    throw new DataError(`import: the file uses other operators than are read — expected opset ${oldest} to ${newest}, got ${file.opset}`)
  }
  const output = options.output ?? file.outputs[0] ?? ''
  if (!file.outputs.includes(output)) {
    throw new ConfigError(`import: the file has no output ${output} — expected one of ${file.outputs.join(', ')}`)
  }
  const nodes = neededFor(file, output)
  requireReadable(nodes)
  const network = new Network(file, nodes, [output])
  const inputs = addInputs(network, file.inputs, options.dims ?? {})
  for (const node of nodes) if (!network.done.has(node)) readNode(network, node)
  return finish(network, output, inputs, options.name ?? nameOf(file.name))
}

/** The nodes that an output needs, in their order. */
function neededFor(file: FileGraph, output: string): FileNode[] {
  const needed = new Set([output])
  const nodes = [...file.nodes].reverse().filter((node) => {
    const isNeeded = node.outputs.some((name) => needed.has(name))
    if (isNeeded) for (const name of node.inputs) needed.add(name)
    return isNeeded
  })
  return nodes.reverse()
}

function readerOf({ op, domain }: FileNode): Reader | undefined {
  const table = domain === '' ? readers : domain === 'com.microsoft' ? runtimeReaders : {}
  return Object.hasOwn(table, op) ? table[op] : undefined
}

function canFold({ op, domain }: FileNode): boolean {
  return domain === '' && (op === 'Constant' || Object.hasOwn(folds, op))
}

/** @throws {DataError} DATA naming every operator that is not read, or not in that form, with how often it occurs */
function requireReadable(nodes: readonly FileNode[]): void {
  const counts = new Map<string, number>()
  for (const node of nodes) {
    const variant = unreadVariant(node)
    if (variant === undefined && (readerOf(node) !== undefined || canFold(node))) continue
    const named = node.domain === '' ? node.op : `${node.domain}.${node.op}`
    const name = variant === undefined ? named : `${named} with ${variant}`
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  if (counts.size === 0) return
  const list = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => (count === 1 ? name : `${name} × ${count}`))
  throw new DataError(`import: the file has operators that are not read — ${list.join(', ')} (docs/onnx.md lists those that are)`)
}

/** Names that the graphs around a model use. */
const reserved = ['output', 'loss', 'correct', 'target', 'weight', 'divisor']

/** Float kinds and whole kinds of ONNX. */
const [floatKinds, wholeKinds] = [new Set([1, 10, 11, 16]), new Set([2, 3, 5, 6, 7])]

/** The inputs of the model: the first dim is the batch, free or not. */
function addInputs(network: Network, inputs: readonly FileInput[], dims: Readonly<Record<string, number>>): InputShapes {
  const known = new Set(inputs.flatMap(({ shape }) => shape.filter((extent) => typeof extent === 'string')))
  const unknown = Object.keys(dims).find((name) => !known.has(name))
  if (unknown !== undefined)
    throw new ConfigError(`import: there is no free dim ${unknown} — expected one of ${[...known].join(', ') || 'none'}`)
  const taken = new Set(reserved)
  const shapes: Record<string, InputShapes[string]> = {}
  for (const input of inputs) {
    const name = uniqueName(usableName(input.name) || 'input', taken)
    const [, ...sample] = input.shape.map((extent) => (typeof extent === 'number' ? extent : (dims[extent] ?? extent)))
    const free = sample.filter((extent) => typeof extent === 'string')
    if (input.shape.length === 0 || free.length > 0) {
      const got = `[${input.shape.map((extent) => (extent === '' ? '?' : extent)).join(', ')}]`
      const mend =
        free.includes('') || free.length === 0
          ? 'give extents: dims'
          : `tutti import ${free.map((dim) => `--dim ${dim}=N`).join(' ')}, or dims of loadModel`
      throw new DataError(
        `import: input ${input.name} has a shape that is not fixed — expected [batch, …] with numbers, got ${got} (${mend})`,
      )
    }
    const shape = sample as number[]
    const isFloat = floatKinds.has(input.elementType)
    if (!isFloat && !wholeKinds.has(input.elementType)) {
      throw new DataError(
        `import: input ${input.name} has elements that are not read — expected floats or whole numbers, got kind ${input.elementType}`,
      )
    }
    shapes[name] = isFloat ? shape : { shape, dtype: 'int32' }
    network.set(input.name, computed(network.builder.input(name, ['batch', ...shape], isFloat ? 'float32' : 'int32')))
  }
  return shapes
}

function readNode(network: Network, node: FileNode): void {
  const step = new Step(network, node)
  let results: readonly Operand[]
  try {
    results = resultsOf(step)
  } catch (error) {
    if (error instanceof TuttiError && error.message.startsWith('import:')) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new DataError(`import: ${nodeText(node)} cannot be read — ${reason}`, {}, error)
  }
  node.outputs.forEach((name, i) => {
    const result = results[i]
    if (name !== '' && result !== undefined) network.set(name, result)
  })
}

function resultsOf(step: Step): readonly Operand[] {
  const { node, inputs, attributes } = step
  if (node.op === 'Constant') return [constantOf(node)]
  const [only] = inputs
  if (node.op === 'Identity' && only?.kind === 'static') return [renamed(only, node.outputs[0] ?? '')]
  const given = inputs.map((operand) => (isFoldable(operand) ? operand : undefined))
  const isKnown = inputs.every((operand, i) => operand === undefined || given[i] !== undefined)
  const fold = Object.hasOwn(folds, node.op) && node.domain === '' ? folds[node.op] : undefined
  // A shape that grows with the batch is a known list, too: what it fills is not.
  const extents = given[node.op === 'ConstantOfShape' ? 0 : node.op === 'Expand' ? 1 : -1]
  const isFixed = Array.from(extents?.data ?? []).every((extent) => !isBatchDim(extent))
  if (isKnown && isFixed && fold !== undefined) return asList(fold(given, attributes, node.outputs.length))
  const reader = readerOf(node)
  if (reader === undefined) throw step.fault('computes with values of the input', 'numbers that follow from the file', 'computed ones')
  return asList(reader(step)).map((result) => ('builder' in result ? computed(result) : result))
}

function asList<T>(result: T | readonly T[]): readonly T[] {
  return Array.isArray(result) ? (result as readonly T[]) : [result as T]
}

/** Exporters store equal tensors once: a copy under a parameter's name is a parameter of its own. */
function renamed(operand: Static, name: string): Static {
  return operand.weight === undefined || isAutomatic(name) ? operand : { ...operand, weight: name }
}

function constantOf(node: FileNode): Static {
  const tensor = new Attributes(node).tensor('value')
  if (tensor !== undefined) return tensor
  for (const [name, dtype] of [
    ['value_int', 'int64'],
    ['value_ints', 'int64'],
    ['value_float', 'float32'],
    ['value_floats', 'float32'],
  ] as const) {
    const value = node.attributes.get(name)
    if (typeof value === 'number') return { kind: 'static', dtype, shape: [], data: [value] }
    if (Array.isArray(value)) return { kind: 'static', dtype, shape: [value.length], data: value as readonly number[] }
  }
  throw new DataError(
    `import: ${nodeText(node)} holds no tensor — expected numbers, got ${[...node.attributes.keys()].join(', ') || 'nothing'}`,
  )
}

function finish(
  network: Network,
  output: string,
  inputs: InputShapes,
  name: string,
): { readonly model: Model; readonly values: Record<string, Float32Array<ArrayBuffer>> } {
  const result = network.get(output)
  if (result?.kind !== 'computed')
    throw new DataError(`import: output ${output} does not depend on the inputs — expected a model, got fixed numbers`)
  const shape: Shape = result.value.shape
  if (!isBatchDim(shape[0]) || result.value.dtype !== 'float32') {
    throw new DataError(
      `import: output ${output} has no row per sample — expected float32 [batch, …], got ${result.value.dtype} ${formatShape(shape)}`,
    )
  }
  network.builder.output('output', result.value)
  const graph = prune(fuseGelu(network.builder.build()))
  const read = new Set(graph.inputs.map((input) => input.name))
  const parameters = network.parameters.filter((spec) => read.has(parameterPrefix + spec.name))
  const values = Object.fromEntries(parameters.map((spec) => [spec.name, network.values[spec.name] as Float32Array<ArrayBuffer>]))
  return { model: new Model({ name, inputs, graph, parameters }), values }
}

function nameOf(file: string): string {
  const name = usableName(file)
  return name === '' || /^(main_graph|torch_jit|torch-jit-export|graph)/.test(name) ? 'imported' : name
}
