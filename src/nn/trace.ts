import { ConfigError, ShapeError } from '../errors.ts'
import { GraphBuilder } from '../graph/builder.ts'
import type { Value } from '../graph/builder.ts'
import { carriedPrefix, carryPrefix, formatShape, parameterPrefix, sameShape } from '../graph/graph.ts'
import { shown } from '../option-checks.ts'
import type { ParameterSpec } from './parameter.ts'

/** A value inside a model function: what layers take and return. Immutable; `shape` starts with `'batch'`. */
export type Tensor = Value

/** A state that one batch hands to the next, such as that of a recurrent layer over a running text. */
export interface CarriedSpec {
  readonly name: string
  /** Shape for one sample, that is, for one row of the batch. It starts as zeros. */
  readonly shape: readonly number[]
}

/** A second or later run of a shared function: the parameters of the first run, in their order. */
interface Replay {
  readonly parameters: readonly { readonly spec: ParameterSpec; readonly value: Tensor }[]
  readonly suffix: string
  next: number
}

/** What a model function has declared so far: parameters, layer names, carried states. */
export class Trace {
  readonly parameters: ParameterSpec[] = []
  readonly carried: CarriedSpec[] = []
  readonly #layers = new Set<string>()
  readonly #counters = new Map<string, number>()
  readonly #builder: GraphBuilder
  /** Parameters declared while a shared function runs for the first time; the innermost function last. */
  readonly #recordings: { spec: ParameterSpec; value: Tensor }[][] = []
  #replay: Replay | undefined
  readonly #handedOn = new Set<string>()

  constructor(builder: GraphBuilder) {
    this.#builder = builder
    traces.set(builder, this)
  }

  /** Reserves a layer's name; without one, `kind` and a number. @throws {ConfigError} CONFIG when the name is taken or not usable */
  layer(kind: string, name: string | undefined): string {
    const number = (this.#counters.get(kind) ?? 0) + 1
    this.#counters.set(kind, number)
    const layer = name === undefined ? `${kind}-${number}` : name + (this.#replay?.suffix ?? '')
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

  /** Declares a parameter and returns its value; in a later run of a shared function, the value that the first run declared. */
  parameter(spec: ParameterSpec): Tensor {
    if (this.#replay !== undefined) return replayed(this.#replay, spec)
    this.parameters.push(spec)
    const value = this.#builder.input(parameterPrefix + spec.name, spec.shape, 'float32')
    this.#recordings.at(-1)?.push({ spec, value })
    return value
  }

  /** Runs a function whose parameters later runs shall use again. */
  record<T>(run: () => T): { readonly result: T; readonly parameters: Replay['parameters'] } {
    const parameters: { spec: ParameterSpec; value: Tensor }[] = []
    this.#recordings.push(parameters)
    try {
      return { result: run(), parameters }
    } finally {
      this.#recordings.pop()
    }
  }

  /** Runs a function on parameters that an earlier run declared; names that it gives to layers get `suffix`. */
  replay<T>(parameters: Replay['parameters'], suffix: string, run: () => T): T {
    const outer = this.#replay
    const replay: Replay = { parameters, suffix: (outer?.suffix ?? '') + suffix, next: 0 }
    this.#replay = replay
    try {
      const result = run()
      if (replay.next !== parameters.length) {
        throw new ConfigError(`share: a later run declared fewer parameters — expected ${parameters.length}, got ${replay.next}`)
      }
      return result
    } finally {
      this.#replay = outer
    }
  }

  /**
   * Declares a state that is carried from batch to batch and returns its value before this batch: graph input `carry:<name>`, `[batch, …shape]`.
   * @throws {ConfigError} CONFIG when the name is taken
   */
  carry(name: string, shape: readonly number[]): Tensor {
    const value = this.#builder.input(carryPrefix + name, ['batch', ...shape], 'float32')
    this.carried.push({ name, shape })
    return value
  }

  /**
   * Says what the next batch gets: graph output `carried:<name>`.
   * @throws {ConfigError} CONFIG when no such state was declared
   * @throws {ShapeError} SHAPE when the value has another shape
   */
  carryOut(name: string, value: Tensor): void {
    const spec = this.carried.find((each) => each.name === name)
    if (spec === undefined) throw new ConfigError(`nn: there is no carried state ${name} — expected a name that was declared before`)
    if (!sameShape(value.shape, ['batch', ...spec.shape])) {
      throw new ShapeError(
        `nn: the carried state ${name} has another shape — expected ${formatShape(['batch', ...spec.shape])}, got ${formatShape(value.shape)}`,
      )
    }
    this.#builder.output(carriedPrefix + name, value)
    this.#handedOn.add(name)
  }

  /** @throws {ConfigError} CONFIG when a carried state is never handed on */
  requireCarriedOut(model: string): void {
    const missing = this.carried.find(({ name }) => !this.#handedOn.has(name))
    if (missing === undefined) return
    throw new ConfigError(
      `${model}: the carried state ${missing.name} is never handed on — expected a value for the next batch (nn.carryOut)`,
    )
  }
}

/** The next parameter of the first run. */
function replayed(replay: Replay, spec: ParameterSpec): Tensor {
  const known = replay.parameters[replay.next++]
  if (known === undefined || !sameShape(known.spec.shape, spec.shape)) {
    const expected = known === undefined ? 'none' : `${known.spec.name} ${formatShape(known.spec.shape)}`
    throw new ConfigError(
      `share: a later run declared another parameter — expected ${expected}, got ${spec.name} ${formatShape(spec.shape)}`,
    )
  }
  return known.value
}

const traces = new WeakMap<GraphBuilder, Trace>()

/** @throws {ConfigError} CONFIG unless `value` is what a layer returns; a recurrent one returns two of them */
export function requireTensor(where: string, value: unknown): asserts value is Tensor {
  if (isTensor(value)) return
  throw new ConfigError(`${where}: what it reads is no value of a model — expected what a layer returned, got ${shownTensor(value)}`)
}

/** Whether this is a value inside of a model function. */
export function isTensor(value: unknown): value is Tensor {
  return typeof value === 'object' && value !== null && (value as Partial<Tensor>).builder instanceof GraphBuilder
}

/** What is no tensor, as an error shows it. */
export function shownTensor(value: unknown): string {
  if (typeof value !== 'object' || value === null || !isTensor((value as { sequence?: unknown }).sequence)) return shown(value)
  return '{ sequence, state }, as nn.lstm and nn.gru give it (use .sequence)'
}

/** The trace that a tensor belongs to. @throws {ConfigError} CONFIG outside of a model function */
export function traceOf(tensor: Tensor, where = 'nn'): Trace {
  requireTensor(where, tensor)
  const trace = traces.get(tensor.builder)
  if (trace === undefined)
    throw new ConfigError('nn: a layer was used outside of a model — expected a call inside the function given to nn.model')
  return trace
}
