import { ConfigError } from '../errors.ts'
import type { GraphBuilder, Value } from '../graph/builder.ts'
import { parameterPrefix } from '../graph/graph.ts'
import type { ParameterSpec } from './parameter.ts'

/** A value inside a model function: what layers take and return. Immutable; `shape` starts with `'batch'`. */
export type Tensor = Value

/** What a model function has declared so far: parameters and layer names. */
export class Trace {
  readonly parameters: ParameterSpec[] = []
  readonly #layers = new Set<string>()
  readonly #counters = new Map<string, number>()
  readonly #builder: GraphBuilder

  constructor(builder: GraphBuilder) {
    this.#builder = builder
    traces.set(builder, this)
  }

  /** Reserves a layer's name; without one, `kind` and a number. @throws {ConfigError} CONFIG when the name is taken or not usable */
  layer(kind: string, name: string | undefined): string {
    const number = (this.#counters.get(kind) ?? 0) + 1
    this.#counters.set(kind, number)
    const layer = name ?? `${kind}-${number}`
    if (!/^[\w-]+(\.[\w-]+)*$/.test(layer)) {
      throw new ConfigError(
        `${kind}: the layer cannot be named ${JSON.stringify(layer)} — expected letters, digits, - and _, parts joined by dots`,
      )
    }
    if (this.#layers.has(layer)) {
      throw new ConfigError(`${kind}: the layer name ${layer} is taken — expected unique names (give this layer another one)`)
    }
    this.#layers.add(layer)
    return layer
  }

  /** Declares a parameter and returns its value. */
  parameter(spec: ParameterSpec): Tensor {
    this.parameters.push(spec)
    return this.#builder.input(parameterPrefix + spec.name, spec.shape, 'float32')
  }
}

const traces = new WeakMap<GraphBuilder, Trace>()

/** The trace that a tensor belongs to. @throws {ConfigError} CONFIG outside of a model function */
export function traceOf(tensor: Tensor): Trace {
  const trace = traces.get(tensor.builder)
  if (trace === undefined)
    throw new ConfigError('nn: a layer was used outside of a model — expected a call inside the function given to nn.model')
  return trace
}
