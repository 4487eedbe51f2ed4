import { ConfigError } from '../../errors.ts'
import type { Initializer } from '../parameter.ts'

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

/** `size` for each of `rank` spatial dims. @throws {ConfigError} CONFIG unless these are so many integers from `smallest` on */
export function extents(layer: string, what: string, size: Size | Size3, rank: 2 | 3, smallest: number): readonly number[] {
  const all = typeof size === 'number' ? new Array<number>(rank).fill(size) : size
  if (all.length !== rank || all.some((extent) => !Number.isInteger(extent) || extent < smallest)) {
    throw new ConfigError(`${layer}: ${what} cannot be used — expected ${rank} integers from ${smallest} on, got [${all.join(', ')}]`)
  }
  return all
}

/** @throws {ConfigError} CONFIG unless `value` is a positive integer */
export function requirePositive(layer: string, what: string, value: number): void {
  if (!Number.isInteger(value) || value < 1)
    throw new ConfigError(`${layer}: ${what} cannot be used — expected a positive integer, got ${value}`)
}
