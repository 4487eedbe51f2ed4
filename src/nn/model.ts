import { ConfigError, ShapeError } from '../errors.ts'
import { GraphBuilder } from '../graph/builder.ts'
import { checkGraph, formatShape, isBatchDim } from '../graph/graph.ts'
import type { Graph } from '../graph/graph.ts'
import type { ParameterSpec } from './parameter.ts'
import { drawModel } from './picture.ts'
import { flopsPerSample, parameterCounts, summarise } from './summary.ts'
import { Trace } from './trace.ts'
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
 * @throws {ConfigError} CONFIG for names that are taken and options that cannot be
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
  const builder = new GraphBuilder()
  const trace = new Trace(builder)
  const symbols = Object.entries(inputs).map(([input, spec]) => {
    const { shape, dtype } = inputType(spec)
    if (/[:#]/.test(input) || ['output', 'loss', 'correct', 'target', 'weight', 'divisor'].includes(input)) {
      throw new ConfigError(
        `${name}: an input cannot be named ${input} — expected a name without : and # that the training graph does not use`,
      )
    }
    if (shape.some((dim) => !Number.isInteger(dim) || dim < 1)) {
      throw new ShapeError(`${name}: the input ${input} has no usable shape — expected positive integers, got ${formatShape(shape)}`)
    }
    return [input, builder.input(input, ['batch', ...shape], dtype)] as const
  })
  if (symbols.length === 0) throw new ConfigError(`${name}: the model has no input — expected at least one`)
  const output = build(Object.fromEntries(symbols) as { readonly [K in keyof I]: Tensor })
  if (!isBatchDim(output.shape[0])) {
    throw new ShapeError(`${name}: the output has no row per sample — expected [batch, …], got ${formatShape(output.shape)}`)
  }
  builder.output('output', output)
  trace.requireCarriedOut(name)
  return new Model({ name, inputs, graph: builder.build(), parameters: trace.parameters, carried: trace.carried })
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
