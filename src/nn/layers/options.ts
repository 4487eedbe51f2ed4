import { ConfigError } from '../../errors.ts'
import { type KnownOptions, kinds, requireKind, requireOptions, shown } from '../../option-checks.ts'
import type { Initializer } from '../parameter.ts'
import { traceOf } from '../trace.ts'
import type { Tensor } from '../trace.ts'

/** One number for both sides, or vertical and horizontal. */
export type Size = number | readonly [number, number]

/** One number for all sides, or depth, vertical and horizontal. */
export type Size3 = number | readonly [number, number, number]

/** Options of layers without parameters. */
export interface LayerOptions {
  /** Unique in the model; default the kind of layer and a number. */
  readonly name?: string
}

/** Options of layers with a weight and a bias. */
export interface WeightedLayerOptions extends LayerOptions {
  /** First values of the weight (default He normal). The bias starts at 0. */
  readonly init?: Initializer
  /** Whether a bias is added (default true). */
  readonly bias?: boolean
}

/** Options of a layer with a weight, as {@link nameLayer} checks them. */
export const weightedOptions = { init: kinds.object, bias: kinds.flag } as const satisfies KnownOptions

/**
 * Begins a layer: checks what it is given, and reserves its name.
 * @param known - Its options beside the name
 * @throws {ConfigError} CONFIG when x is no tensor, an option is unknown or of another kind, or the name is taken
 */
export function nameLayer(x: Tensor, kind: string, options: LayerOptions, known: KnownOptions = {}): string {
  const trace = traceOf(x, kind)
  const name = (options as LayerOptions | null)?.name
  requireOptions(typeof name === 'string' ? name : kind, options, { name: kinds.text, ...known })
  return trace.layer(kind, name)
}

/** `size` for each of `rank` spatial dims. @throws {ConfigError} CONFIG unless these are so many integers from `smallest` on */
export function extents(layer: string, what: string, size: Size | Size3, rank: 2 | 3, smallest: number): readonly number[] {
  const all = typeof size === 'number' ? new Array<number>(rank).fill(size) : size
  if (!Array.isArray(all))
    throw new ConfigError(`${layer}: ${what} cannot be used — expected a number, or ${rank} in an array, got ${shown(size)}`)
  if (all.length !== rank || all.some((extent) => !Number.isInteger(extent) || extent < smallest)) {
    throw new ConfigError(`${layer}: ${what} cannot be used — expected ${rank} integers from ${smallest} on, got [${all.join(', ')}]`)
  }
  return all
}

/** @throws {ConfigError} CONFIG unless `value` is a positive integer */
export function requirePositive(layer: string, what: string, value: number): void {
  requireKind(layer, what, kinds.count, value)
}

/** @throws {ConfigError} CONFIG unless `value` is an array of whole numbers */
export function requireIntegers(layer: string, what: string, value: readonly number[]): void {
  const isList = Array.isArray(value) && value.every((each) => Number.isInteger(each))
  if (!isList) throw new ConfigError(`${layer}: ${what} cannot be used — expected an array of whole numbers, got ${shown(value)}`)
}
