import { parameterLength, type ParameterSpec } from '../nn/parameter.ts'
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

/**
 * The order inside every flat buffer: buckets contiguous, in the order in which backward finishes them. Frozen parameters lie behind everything that
 * is exchanged, in buffers of parameters alone.
 *
 *   parameters   │ bucket 0 │ bucket 1 │ … │ tail │ frozen │
 *   gradients    │ bucket 0 │ bucket 1 │ … │ tail │
 *   slots        │ bucket 0 │ bucket 1 │ … │
 */
export interface ParameterLayout {
  readonly ranges: readonly ParameterRange[]
  /** Elements that a step changes, padding included: where the tail begins. */
  readonly length: number
  /** Elements of a buffer of parameters: those, the tail and what is frozen. */
  readonly wholeLength: number
  /** Element ranges `[start, end)` of the buckets; the last one also carries the tail. */
  readonly buckets: readonly { readonly start: number; readonly end: number }[]
}

/** Elements of a cache line, so that every parameter starts on its own. */
const step = 16

/** Elements behind the parameters that are summed with them: loss, stop, save. */
export const tailLength = 16
export const tail = { loss: 0, stop: 1, save: 2 } as const

/** Lays the parameters out bucket by bucket. Every parameter that a step changes is in exactly one bucket; frozen ones follow behind the tail. */
export function layoutParameters(parameters: readonly ParameterSpec[], buckets: readonly (readonly string[])[]): ParameterLayout {
  const byName = new Map(parameters.map((parameter) => [parameter.name, parameter]))
  const ranges: ParameterRange[] = []
  const bounds: { start: number; end: number }[] = []
  let offset = 0
  const place = (name: string): void => {
    const parameter = byName.get(name)
    if (parameter === undefined) {
      throw new ConfigError(`layout: parameter ${name} is in two buckets or in no model — each parameter belongs to one bucket`)
    }
    byName.delete(name)
    const length = parameterLength(parameter)
    const { shape, decay, update = 'optimizer' } = parameter
    ranges.push({ name, offset, length, shape, decay, update })
    offset += Math.ceil(length / step) * step
  }
  for (const bucket of buckets) {
    const start = offset
    bucket.forEach(place)
    bounds.push({ start, end: offset })
  }
  const length = offset
  offset += tailLength
  for (const { name, update } of parameters) if (update === 'nothing') place(name)
  if (byName.size > 0) throw new ConfigError(`layout: ${[...byName.keys()].join(', ')} in no bucket — each parameter belongs to one bucket`)
  return { ranges, length, wholeLength: offset, buckets: bounds }
}

/** What an exchange covers: one bucket, or all that a step changes. The last bucket carries the tail. */
export function exchangedRange({ buckets, length }: ParameterLayout, bucket?: number): { readonly start: number; readonly end: number } {
  const { start, end } = (bucket === undefined ? undefined : buckets[bucket]) ?? { start: 0, end: length }
  return { start, end: end === length ? end + tailLength : end }
}

/** The part of a flat buffer that an exchange covers; see {@link exchangedRange}. */
export function exchangedPart(layout: ParameterLayout, flat: Float32Array<ArrayBuffer>, bucket?: number): Float32Array<ArrayBuffer> {
  const { start, end } = exchangedRange(layout, bucket)
  return flat.subarray(start, end)
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

/** Views of the parameters in a flat buffer, by name; of frozen ones where the buffer holds them. */
export function viewsByName(layout: ParameterLayout, flat: Float32Array<ArrayBuffer>): Record<string, Float32Array<ArrayBuffer>> {
  const held = layout.ranges.filter(({ offset, length }) => offset + length <= flat.length)
  return Object.fromEntries(held.map(({ name, offset, length }) => [name, flat.subarray(offset, offset + length)]))
}
