import { DataError } from '../../errors.ts'
import { GraphBuilder } from '../../graph/builder.ts'
import type { Value } from '../../graph/builder.ts'
import { elementCount, parameterPrefix, sameShape } from '../../graph/graph.ts'
import { init } from '../parameter.ts'
import type { Initializer, ParameterSpec } from '../parameter.ts'
import { transposed } from './fold.ts'
import { isAutomatic, layerOfParameter, pathOf, uniqueName, usableName } from './names.ts'
import type { Operand, Static } from './operand.ts'
import type { FileGraph, FileNode } from './proto.ts'

/** What a stored tensor is to the operator that reads it. */
export type Role = 'weight' | 'bias' | 'gain' | 'mean' | 'variance' | 'table' | 'value'

/** How a parameter is wanted: its shape (default the file's), or its matrix transposed. */
export interface Form {
  readonly shape?: readonly number[]
  readonly transposed?: boolean
  /** Its name, where the file's is none. */
  readonly name?: string
}

const roles: Readonly<
  Record<Role, { readonly init: Initializer; readonly decay: boolean; readonly update?: 'statistic'; readonly suffix: string }>
> = {
  weight: { init: init.heNormal(), decay: true, suffix: 'weight' },
  bias: { init: init.zeros(), decay: false, suffix: 'bias' },
  gain: { init: init.constant(1), decay: false, suffix: 'weight' },
  mean: { init: init.zeros(), decay: false, update: 'statistic', suffix: 'running_mean' },
  variance: { init: init.constant(1), decay: false, update: 'statistic', suffix: 'running_var' },
  table: { init: init.normal(0.02), decay: true, suffix: 'weight' },
  value: { init: init.normal(0.02), decay: false, suffix: 'value' },
}

/** Elements up to which a constant is kept in the graph; larger ones are parameters that nothing changes. */
const smallConstant = 4096

/** Stands for infinity in constants: sums with it stay finite. */
const huge = 3e38

interface Declared {
  readonly value: Value
  readonly form: Form
}

/** A model while its file is read: the graph so far, and what every name of the file stands for. */
export class Network {
  readonly builder = new GraphBuilder()
  readonly parameters: ParameterSpec[] = []
  readonly values: Record<string, Float32Array<ArrayBuffer>> = {}
  readonly opset: number
  /** Rows for which the file was made, where its inputs have a fixed first extent. */
  readonly batchSize: number | undefined
  readonly #operands = new Map<string, Operand>()
  readonly #users = new Map<string, FileNode[]>()
  readonly #results: ReadonlySet<string>
  readonly #declared = new Map<string | Static, Declared>()
  readonly #constants = new Map<Static, Value>()
  /** The layer that reads a stored tensor first. */
  readonly #firstUser = new Map<string, string>()
  readonly #layers = new Set<string>()
  readonly #names = new Set<string>()
  readonly #kinds = new Map<string, number>()
  /** Nodes that a node before them has computed as well. */
  readonly done = new Set<FileNode>()

  constructor(graph: FileGraph, nodes: readonly FileNode[], results: readonly string[]) {
    this.opset = graph.opset
    this.batchSize = graph.inputs.map(({ shape }) => shape[0]).find((extent) => typeof extent === 'number')
    this.#results = new Set(results)
    for (const [name, tensor] of graph.initializers) this.#operands.set(name, asWeight(name, tensor))
    for (const node of nodes) {
      for (const name of node.inputs) this.#users.set(name, [...(this.#users.get(name) ?? []), node])
    }
  }

  get(name: string): Operand | undefined {
    return this.#operands.get(name)
  }

  set(name: string, operand: Operand): void {
    this.#operands.set(name, operand)
  }

  /** The node that alone reads a value; undefined where several do, or the value is a result. */
  onlyUser(name: string): FileNode | undefined {
    const users = this.#users.get(name)
    return users?.length === 1 && !this.#results.has(name) ? users[0] : undefined
  }

  /** A layer's name for a node: that of its parameters, the hint, or its own. */
  layerOf(node: FileNode, hint = ''): string {
    const weights = node.inputs.filter((name) => {
      const operand = this.#operands.get(name)
      return operand?.kind === 'static' && operand.weight !== undefined
    })
    const ofParameter = weights.filter((name) => !isAutomatic(name)).map(layerOfParameter)
    const path = weights.length > 0 ? pathOf(node, false) : ''
    const named = ofParameter.find((name) => name !== '') ?? (hint || path)
    return uniqueName(named || pathOf(node, true) || this.#numbered(node.op), this.#layers)
  }

  #numbered(op: string): string {
    const number = (this.#kinds.get(op) ?? 0) + 1
    this.#kinds.set(op, number)
    return `${op.toLowerCase()}-${number}`
  }

  /** A stored tensor as a parameter. It is stored once, in the form in which it is wanted first. */
  parameter(tensor: Static, role: Role, layer: string, form: Form = {}): Value {
    const key = this.#keyOf(tensor, role, layer)
    const declared = this.#declared.get(key)
    if (declared !== undefined) return this.#inForm(declared, tensor, form, layer)
    const name = this.#nameOf(tensor, role, layer, form.name)
    const stored = form.transposed === true ? transposed(tensor, [1, 0]) : tensor
    const { init: first, decay, update } = roles[role]
    const shape = form.shape ?? stored.shape
    const isWeight = shape.length >= 2
    const start = !isWeight && first.kind === 'he-normal' ? init.zeros() : first
    this.parameters.push({ name, shape, init: start, decay: decay && isWeight, ...(update === undefined ? {} : { update }) })
    this.values[name] = Float32Array.from(stored.data as ArrayLike<number>)
    const value = this.builder.input(parameterPrefix + name, shape, 'float32')
    this.#declared.set(key, { value, form })
    return value
  }

  /** Exporters store equal tensors once. Rows of equal numbers, as biases and gains are at first, are parameters of each layer that reads them. */
  #keyOf(tensor: Static, role: Role, layer: string): string | Static {
    const { weight, shape, data } = tensor
    if (weight === undefined) return tensor
    const first = this.#firstUser.get(weight)
    if (first === undefined) this.#firstUser.set(weight, layer)
    const isOwn = first !== undefined && first !== layer && shape.length === 1 && role !== 'weight' && role !== 'table'
    return isOwn && Array.from(data).every((element) => element === data[0]) ? `${weight} of ${layer}` : weight
  }

  #nameOf({ weight = '' }: Static, role: Role, layer: string, hint: string | undefined): string {
    const isOthers = this.#firstUser.get(weight) !== undefined && this.#firstUser.get(weight) !== layer && this.#declared.has(weight)
    const own = hint ?? `${layer}.${roles[role].suffix}`
    return uniqueName(isAutomatic(weight) || isOthers ? own : usableName(weight), this.#names)
  }

  /** A parameter that is stored in one form, in another one. */
  #inForm({ value, form: stored }: Declared, tensor: Static, form: Form, layer: string): Value {
    const isTransposed = (stored.transposed ?? false) !== (form.transposed ?? false)
    const turned = isTransposed ? this.builder.add('transpose', [value], { permutation: [1, 0] }, layer) : value
    const shape = form.shape ?? (form.transposed === true ? [...tensor.shape].reverse() : tensor.shape)
    return sameShape(turned.shape, shape) ? turned : this.builder.add('reshape', [turned], { shape }, layer)
  }

  /** True when a matrix is stored transposed already, by a node before this one. */
  isTransposed(tensor: Static): boolean | undefined {
    const declared = this.#declared.get(tensor.weight ?? tensor)
    return declared === undefined ? undefined : (declared.form.transposed ?? false)
  }

  /** Any operand as a value of the graph. @throws {DataError} DATA when it depends on the batch size */
  materialise(operand: Operand, layer: string): Value {
    if (operand.kind === 'computed') return operand.value
    if (operand.weight !== undefined) return this.parameter(operand, 'value', layer)
    const known = this.#constants.get(operand)
    if (known !== undefined) return known
    const value = this.#constant(operand, layer)
    this.#constants.set(operand, value)
    return value
  }

  #constant({ dtype, shape, data }: Static, layer: string): Value {
    const numbers = Array.from(data, (element) => {
      if (typeof element !== 'number') throw new DataError(`import: ${layer} computes with the batch size — expected a fixed number`)
      return Math.min(Math.max(element, -huge), huge)
    })
    if (dtype === 'int64') return this.builder.add('constant', [], { values: numbers, shape, dtype: 'int32' }, layer)
    if (numbers.length <= smallConstant) return this.builder.add('constant', [], { values: numbers, shape, dtype: 'float32' }, layer)
    const name = uniqueName(`${layer}.constant`, this.#names)
    this.parameters.push({ name, shape, init: init.zeros(), decay: false, update: 'nothing' })
    this.values[name] = Float32Array.from(numbers)
    return this.builder.input(parameterPrefix + name, shape, 'float32')
  }
}

/** A stored tensor of numbers that may be trained: not a mask, and no number that the exporter wrote down. */
function asWeight(name: string, tensor: Static): Static {
  const isWhole = (): boolean => Array.from(tensor.data, Number).every((element) => Number.isFinite(element))
  const isNamed = elementCount(tensor.shape) > 1 || (tensor.shape.length > 0 && !isAutomatic(name))
  return tensor.dtype === 'float32' && isNamed && isWhole() ? { ...tensor, weight: name } : tensor
}
