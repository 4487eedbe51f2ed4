import { ConfigError } from '../../errors.ts'
import type { Initializer } from '../parameter.ts'

/** One number for both sides, or vertical and horizontal. */
export type Size = number | readonly [number, number]

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

/** `size` for both dimensions. @throws {ConfigError} CONFIG unless both are integers from `smallest` on */
export function pair(layer: string, what: string, size: Size, smallest: number): readonly [number, number] {
  const both = typeof size === 'number' ? ([size, size] as const) : size
  for (const extent of both) {
    if (!Number.isInteger(extent) || extent < smallest) {
      throw new ConfigError(`${layer}: ${what} cannot be used — expected integers from ${smallest} on, got [${both.join(', ')}]`)
    }
  }
  return both
}

/** @throws {ConfigError} CONFIG unless `value` is a positive integer */
export function requirePositive(layer: string, what: string, value: number): void {
  if (!Number.isInteger(value) || value < 1)
    throw new ConfigError(`${layer}: ${what} cannot be used — expected a positive integer, got ${value}`)
}
