import { ConfigError, DTypeError, ShapeError } from '../errors.ts'
import { GraphBuilder } from '../graph/builder.ts'
import { checkGraph, formatShape, isBatchDim } from '../graph/graph.ts'
import type { Graph } from '../graph/graph.ts'
import { didYouMean } from '../nearest-name.ts'
import { type Kind, kinds, requireKind, requireOptions, shown } from '../option-checks.ts'
import type { ParameterSpec } from './parameter.ts'
import { drawModel } from './picture.ts'
import { flopsPerSample, parameterCounts, summarise } from './summary.ts'
import { isTensor, shownTensor, Trace } from './trace.ts'
import type { CarriedSpec, Tensor } from './trace.ts'

/** Shape of one sample of an input, with the kind of its elements where they are no float32: `{ shape: [35], dtype: 'int32' }` for tokens. */
export type InputSpec = readonly number[] | { readonly shape: readonly number[]; readonly dtype: 'float32' | 'int32' }

/** One sample of each input, by name. */
export type InputShapes = Readonly<Record<string, InputSpec>>

/** Shape and element kind of an input. */
export function inputType(input: InputSpec): { readonly shape: readonly number[]; readonly dtype: 'float32' | 'int32' } {
  return 'dtype' in input ? input : { shape: input, dtype: 'float32' }
}

/** A model as JSON: everything but derived figures. */
export interface ModelJSON {
  readonly format: 'tutti-model'
  readonly version: 1
  readonly name: string
  readonly inputs: InputShapes
  readonly graph: Graph
  readonly parameters: readonly ParameterSpec[]
  /** Absent: none. */
  readonly carried?: readonly CarriedSpec[]
}

/**
 * A model: a named forward graph and the parameters that it reads. Plain data in all its fields, immutable, equal to another when their
 * JSON is; it holds no parameter values. Sent to other threads and hosts as JSON ({@link modelFromJSON}).
 */
export class Model<I extends InputShapes = InputShapes> {
  readonly name: string
  /** Shape of one sample of each input. */
  readonly inputs: I
  /**
   * Inputs: the model's own, `param:<name>` for each parameter and `carry:<name>` for each carried state. Outputs: `output`, and `carried:<name>`.
   */
  readonly graph: Graph
  /** In the order in which the layers were called. */
  readonly parameters: readonly ParameterSpec[]
  /** States that one batch hands to the next: graph inputs `carry:<name>`, zeros for the first batch, and outputs `carried:<name>`. */
  readonly carried: readonly CarriedSpec[]
  /** Number of stored elements, trained and frozen, without running statistics; {@link Model.summary} tells them apart. */
  readonly numParameters: number
  /** Floating-point operations of the forward pass for one sample (matrix products and convolutions). Training costs about three times as much. */
  readonly flopsPerSample: number

  constructor(json: Omit<ModelJSON, 'inputs' | 'format' | 'version'> & { readonly inputs: I }) {
    this.name = json.name
    this.inputs = json.inputs
    this.graph = json.graph
    this.parameters = json.parameters
    this.carried = json.carried ?? []
    const { trained, frozen } = parameterCounts(json)
    this.numParameters = trained + frozen
    this.flopsPerSample = flopsPerSample(json.graph)
  }

  /** A table of the layers: output shape of one batch, stored elements, operations and activation bytes of one sample; at its end what is trained. */
  summary(): string {
    return summarise(this)
  }

  /** A picture of the layers and what they read, as SVG: top to bottom, in colours that follow the reader's light or dark theme. */
  picture(): string {
    return drawModel(this)
  }

  toJSON(): ModelJSON {
    const { name, inputs, graph, parameters, carried } = this
    return { format: 'tutti-model', version: 1, name, inputs, graph, parameters, ...(carried.length === 0 ? {} : { carried }) }
  }
}

/**
 * Builds a model by calling `build` once with symbolic inputs. Shapes are checked while it runs, with the layer's name in the error.
 *
 * @param name - For reports and files
 * @param inputs - Shape of one sample of each input: `{ image: [1, 28, 28] }` gives `[batch, 1, 28, 28]`
 * @param build - The forward pass, from inputs to the output
 * @throws {ShapeError} SHAPE naming the layer whose input does not fit
 * @throws {ConfigError} CONFIG for names that are taken, options that cannot be, inputs that are never read, and a function that gives no output
 * @example
 * ```ts
 * const perceptron = nn.model('perceptron', { x: [4] }, ({ x }) => nn.dense(nn.relu(nn.dense(x, 64)), 2))
 * ```
 */
export function model<const I extends InputShapes>(
  name: string,
  inputs: I,
  build: (inputs: { readonly [K in keyof I]: Tensor }) => Tensor,
): Model<I> {
  requireKind('model', 'name', modelName, name)
  requireKind(name, 'inputs', kinds.object, inputs)
  requireKind(name, 'build', buildFunction, build)
  const builder = new GraphBuilder()
  const trace = new Trace(builder)
  const symbols = Object.entries(inputs).map(([input, spec]) => {
    const { shape, dtype } = checkedInput(name, input, spec)
    return [input, builder.input(input, ['batch', ...shape], dtype)] as const
  })
  if (symbols.length === 0) throw new ConfigError(`${name}: the model has no input — expected at least one`)
  const output: Tensor = build(namedInputs(name, Object.fromEntries(symbols)) as { readonly [K in keyof I]: Tensor })
  if (!isTensor(output)) {
    const mend = output === undefined ? ' (is a return missing?)' : ''
    throw new ConfigError(
      `${name}: the function gives no output — expected that it returns what a layer returned, got ${shownTensor(output)}${mend}`,
    )
  }
  if (!isBatchDim(output.shape[0])) {
    throw new ShapeError(`${name}: the output has no row per sample — expected [batch, …], got ${formatShape(output.shape)}`)
  }
  builder.output('output', output)
  trace.requireCarriedOut(name)
  const graph = builder.build()
  const read = new Set([...graph.nodes.flatMap((node) => node.inputs), output.id])
  const unread = symbols.find(([input]) => !read.has(input))
  if (unread !== undefined) {
    throw new ConfigError(`${name}: the input ${unread[0]} is never read — expected that the output depends on it (or leave it out)`)
  }
  return new Model({ name, inputs, graph, parameters: trace.parameters, carried: trace.carried })
}

const modelName: Kind = { expected: 'a text that is not empty', fits: (value) => typeof value === 'string' && value.trim() !== '' }
const buildFunction: Kind = { expected: 'a function from inputs to the output', fits: (value) => typeof value === 'function' }
/** Names of inputs that a training graph adds. */
const ownInputs = ['output', 'loss', 'correct', 'target', 'weight', 'divisor']

function checkedInput(model: string, input: string, spec: unknown): ReturnType<typeof inputType> {
  if (/[:#]/.test(input) || input.trim() === '' || ownInputs.includes(input)) {
    throw new ConfigError(
      `${model}: an input cannot be named ${input.trim() === '' ? shown(input) : input} — expected a name without : and # that the training graph does not use`,
    )
  }
  const {
    shape,
    dtype = 'float32',
    ...others
  } = (Array.isArray(spec) || !kinds.object.fits(spec) ? { shape: spec } : spec) as {
    readonly shape?: unknown
    readonly dtype?: 'float32' | 'int32'
  }
  const where = `${model}: the input ${input}`
  requireOptions(where, others, { shape: true, dtype: true })
  if (!Array.isArray(shape)) {
    const mend = typeof shape === 'number' ? ` (write [${shape}])` : ''
    throw new ShapeError(`${where} has no usable shape — expected that of one sample, such as [1, 28, 28], got ${shown(shape)}${mend}`)
  }
  if (shape.some((dim) => !Number.isInteger(dim) || dim < 1)) {
    throw new ShapeError(`${where} has no usable shape — expected positive integers, got ${formatShape(shape)}`)
  }
  if (dtype !== 'float32' && dtype !== 'int32')
    throw new DTypeError(`${where} cannot hold its elements — expected dtype float32 or int32, got ${shown(dtype)}`)
  return { shape, dtype }
}

/** The inputs of a model function, which says so when it asks for one that there is not. */
function namedInputs(model: string, inputs: Readonly<Record<string, Tensor>>): Readonly<Record<string, Tensor>> {
  return new Proxy(inputs, {
    get(own, input) {
      if (typeof input === 'symbol' || Object.hasOwn(own, input)) return own[input as string]
      const names = Object.keys(own)
      throw new ConfigError(`${model}: the model has no input ${input} — expected ${names.join(', ')}${didYouMean(input, names)}`)
    },
  })
}

/** Rebuilds a model from its JSON. @throws {ConfigError} CONFIG when it is none, or of another version */
export function modelFromJSON(json: ModelJSON): Model {
  if (json?.format !== 'tutti-model' || json.version !== 1) {
    throw new ConfigError(
      `model: the JSON is no model of ours — expected format tutti-model, version 1, got ${json?.format}, version ${json?.version}`,
    )
  }
  checkGraph(json.graph)
  return new Model(json)
}
