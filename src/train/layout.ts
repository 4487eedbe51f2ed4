import type { ParameterSpec } from '../nn/parameter.ts'
import { ConfigError } from '../errors.ts'

/** Where one parameter lies in the flat buffers of its class (parameters, gradients, slots). */
export interface ParameterRange {
  readonly name: string
  readonly offset: number
  readonly length: number
  readonly shape: readonly number[]
  /** Whether weight decay applies to it. */
  readonly decay: boolean
  /** Who changes it; see `ParameterSpec.update`. */
  readonly update: 'optimizer' | 'statistic' | 'nothing'
}

/** The order inside every flat buffer: buckets contiguous, in the order in which backward finishes them. */
export interface ParameterLayout {
  readonly ranges: readonly ParameterRange[]
  /** Elements, padding included. */
  readonly length: number
  /** Element ranges `[start, end)` of the buckets; the last one also carries the tail. */
  readonly buckets: readonly { readonly start: number; readonly end: number }[]
}

/** Elements of a cache line, so that every parameter starts on its own. */
const step = 16

/** Elements behind the parameters that are summed with them: loss, stop, save. */
export const tailLength = 16
export const tail = { loss: 0, stop: 1, save: 2 } as const

/** Lays the parameters out bucket by bucket. Every parameter that has a gradient is in exactly one bucket; frozen ones follow in the last. */
export function layoutParameters(parameters: readonly ParameterSpec[], buckets: readonly (readonly string[])[]): ParameterLayout {
  const byName = new Map(parameters.map((parameter) => [parameter.name, parameter]))
  const ranges: ParameterRange[] = []
  const bounds: { start: number; end: number }[] = []
  let offset = 0
  const frozen = parameters.filter(({ update }) => update === 'nothing').map(({ name }) => name)
  for (const [k, bucket] of buckets.entries()) {
    const start = offset
    for (const name of k === buckets.length - 1 ? [...bucket, ...frozen] : bucket) {
      const parameter = byName.get(name)
      if (parameter === undefined) {
        throw new ConfigError(`layout: parameter ${name} is in two buckets or in no model — each parameter belongs to one bucket`)
      }
      byName.delete(name)
      const length = parameter.shape.reduce((product, extent) => product * extent, 1)
      const { shape, decay, update = 'optimizer' } = parameter
      ranges.push({ name, offset, length, shape, decay, update })
      offset += Math.ceil(length / step) * step
    }
    bounds.push({ start, end: offset })
  }
  if (byName.size > 0) throw new ConfigError(`layout: ${[...byName.keys()].join(', ')} in no bucket — each parameter belongs to one bucket`)
  return { ranges, length: offset, buckets: bounds }
}

/** Cuts the parameters, in the order in which backward finishes them, into buckets of at most `bucketBytes` (at least one parameter each). */
export function bucketParameters(order: readonly string[], sizes: ReadonlyMap<string, number>, bucketBytes: number): string[][] {
  const buckets: string[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const name of order) {
    const size = 4 * (sizes.get(name) ?? 0)
    if (bytes + size > bucketBytes) {
      buckets.push([])
      bytes = 0
    }
    buckets.at(-1)?.push(name)
    bytes += size
  }
  return buckets
}

/** Views of the parameters in a flat buffer, by name. */
export function viewsByName(layout: ParameterLayout, flat: Float32Array<ArrayBuffer>): Record<string, Float32Array<ArrayBuffer>> {
  return Object.fromEntries(layout.ranges.map(({ name, offset, length }) => [name, flat.subarray(offset, offset + length)]))
}
