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

/** A parameter and what layers read it by. */
export interface Declared {
  readonly spec: ParameterSpec
  readonly value: Tensor
}

/** A run of a shared function: the first declares parameters, later ones take them in the same order. */
interface SharedRun {
  readonly isFirst: boolean
  readonly parameters: Declared[]
  /** The parameter that a later run takes next. */
  next: number
}

/** What a model function has declared so far: parameters, layer names, carried states. */
export class Trace {
  readonly parameters: ParameterSpec[] = []
  readonly carried: CarriedSpec[] = []
  readonly #layers = new Set<string>()
  readonly #counters = new Map<string, number>()
  readonly #builder: GraphBuilder
  /** The shared functions that run now, the innermost last. */
  readonly #sharedRuns: SharedRun[] = []
  readonly #handedOn = new Set<string>()

  constructor(builder: GraphBuilder) {
    this.#builder = builder
    traces.set(builder, this)
  }

  /** Reserves a layer's name; without one, `kind` and a number. @throws {ConfigError} CONFIG when the name is taken or not usable */
  layer(kind: string, name: string | undefined): string {
    const number = (this.#counters.get(kind) ?? 0) + 1
    this.#counters.set(kind, number)
    const layer = name === undefined ? `${kind}-${number}` : this.#nameOfUse(name)
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

  /** In a later run of a shared function a layer is the next use of the one that the first run named. */
  #nameOfUse(name: string): string {
    if (this.#sharedRuns.every(({ isFirst }) => isFirst)) return name
    let use = 2
    while (this.#layers.has(`${name}-use${use}`)) use++
    return `${name}-use${use}`
  }

  /** Declares a parameter and returns its value; in a later run of a shared function, the value that the first run declared. */
  parameter(spec: ParameterSpec): Tensor {
    const later = this.#sharedRuns.findLast(({ isFirst }) => !isFirst)
    const declared = later === undefined ? this.#declare(spec) : taken(later, spec)
    const inner = later === undefined ? this.#sharedRuns : this.#sharedRuns.slice(this.#sharedRuns.indexOf(later) + 1)
    for (const run of inner) run.parameters.push(declared)
    return declared.value
  }

  #declare(spec: ParameterSpec): Declared {
    this.parameters.push(spec)
    return { spec, value: this.#builder.input(parameterPrefix + spec.name, spec.shape, 'float32') }
  }

  /**
   * Runs a function that shares its parameters.
   * @param known - What its first run declared; absent in the first run
   * @throws {ConfigError} CONFIG when a later run declares others
   */
  shared<T>(known: readonly Declared[] | undefined, run: () => T): { readonly result: T; readonly parameters: readonly Declared[] } {
    const parameters = [...(known ?? [])]
    const now: SharedRun = { isFirst: known === undefined, parameters, next: 0 }
    if (known !== undefined) this.#passOver(known)
    this.#sharedRuns.push(now)
    try {
      const result = run()
      if (!now.isFirst && now.next !== parameters.length) {
        throw new ConfigError(`share: a later run declared fewer parameters — expected ${parameters.length}, got ${now.next}`)
      }
      return { result, parameters }
    } finally {
      this.#sharedRuns.pop()
    }
  }

  /** A later run whose first run declared these by an inner shared function does not take them again itself. */
  #passOver([first, ...others]: readonly Declared[]): void {
    const outer = this.#sharedRuns.findLast(({ isFirst }) => !isFirst)
    if (outer === undefined || first === undefined || outer.parameters[outer.next]?.value !== first.value) return
    outer.next += 1 + others.length
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

/** The next parameter that the first run declared. */
function taken(run: SharedRun, spec: ParameterSpec): Declared {
  const known = run.parameters[run.next++]
  if (known === undefined || !sameShape(known.spec.shape, spec.shape)) {
    const expected = known === undefined ? 'none' : `${known.spec.name} ${formatShape(known.spec.shape)}`
    throw new ConfigError(
      `share: a later run declared another parameter — expected ${expected}, got ${spec.name} ${formatShape(spec.shape)}`,
    )
  }
  return known
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
