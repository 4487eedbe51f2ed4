/**
 * Text of the command line → values of the library. Every parser throws {@link ConfigError} with `expected …, got …`; commander's
 * options use them through {@link argument}, configuration files and `--set` directly.
 * @packageDocumentation
 */
import { InvalidArgumentError } from 'commander'
import { ConfigError, TuttiError } from '../errors.ts'

/** Limits of a number; `min` and `max` are included, `above` is not. */
export interface NumberLimits {
  readonly above?: number
  readonly min?: number
  readonly max?: number
}

/** A whole number; `1_000` and `1,000` are not taken, `10k` is {@link parseSize}'s. */
export function parseInteger(text: string, limits: NumberLimits = {}): number {
  const value = /^[+-]?\d+$/.test(text.trim()) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value) || !within(value, limits)) fail(`a whole number${describeLimits(limits)}`, text)
  return value
}

/** A finite number. */
export function parseNumber(text: string, limits: NumberLimits = {}): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (!Number.isFinite(value) || !within(value, limits)) fail(`a number${describeLimits(limits)}`, text)
  return value
}

/** `true`, `yes`, `on`, `1` and their opposites. */
export function parseBoolean(text: string): boolean {
  const word = text.trim().toLowerCase()
  if (['true', 'yes', 'on', '1'].includes(word)) return true
  if (['false', 'no', 'off', '0'].includes(word)) return false
  return fail('true or false', text)
}

/** A comma-separated list without empty parts. */
export function parseList(text: string): string[] {
  const parts = text.split(',').map((part) => part.trim())
  if (parts.some((part) => part === '')) fail('names separated by commas, such as a,b', text)
  return parts
}

/** A list whose parts another parser reads. */
export function parseListOf<T>(parse: (part: string) => T): (text: string) => T[] {
  return (text) => parseList(text).map(parse)
}

const sizeFactors: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9 }

/** A count with an optional thousand, million or billion: `500`, `10k`, `1.5M`. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([kmg]?)$/i.exec(text.trim())
  const value = match === null ? Number.NaN : Math.round(Number(match[1]) * sizeFactors[match[2]!.toLowerCase()]!)
  if (!Number.isSafeInteger(value) || value < 1) fail('a count such as 500, 10k or 1.5M', text)
  return value
}

const byteFactors: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
}

/** Bytes with an optional unit, decimal (`512mb`) or binary (`512MiB`). */
export function parseBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim())
  const factor = match === null ? undefined : byteFactors[match[2]!.toLowerCase()]
  if (match === null || factor === undefined) return fail('bytes such as 4096, 512mb or 2GiB', text)
  return Math.round(Number(match[1]) * factor)
}

/** `metric=value`, such as `accuracy=0.98`. */
export function parseUntil(text: string): { metric: string; value: number } {
  const [metric, value] = splitPair(text, 'metric=value, such as accuracy=0.98')
  return { metric: camelCase(metric), value: parseNumber(value) }
}

/** `key=value` of `--set`: the key in kebab-case or camelCase, the value as JSON where it is JSON and as text elsewhere. */
export function parseSetting(text: string): [key: string, value: unknown] {
  const [key, value] = splitPair(text, 'key=value, such as local-steps=8')
  try {
    return [camelCase(key), JSON.parse(value)]
  } catch {
    return [camelCase(key), value]
  }
}

/** `global-batch-size` → `globalBatchSize`; camelCase stays as it is. */
export function camelCase(name: string): string {
  return name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

/** `globalBatchSize` → `global-batch-size`. */
export function kebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** One of a closed set of words. */
export function parseOneOf<const T extends string>(words: readonly T[]): (text: string) => T {
  return (text) => words.find((word) => word === text) ?? fail(words.join(' | '), text)
}

/** Makes a parser usable as a commander argument parser: the message becomes part of commander's one line. */
export function argument<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text)
    } catch (error) {
      if (error instanceof TuttiError) throw new InvalidArgumentError(error.message)
      throw error
    }
  }
}

/** A commander argument parser for options that may be given several times. */
export function repeatable<T>(parse: (text: string) => T): (text: string, earlier: T[] | undefined) => T[] {
  const one = argument(parse)
  return (text, earlier) => [...(earlier ?? []), one(text)]
}

function splitPair(text: string, expected: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1 || at === text.length - 1) fail(expected, text)
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()]
}

function within(value: number, { above, min, max }: NumberLimits): boolean {
  return (above === undefined || value > above) && (min === undefined || value >= min) && (max === undefined || value <= max)
}

function describeLimits({ above, min, max }: NumberLimits): string {
  if (above !== undefined) return ` of more than ${above}${max === undefined ? '' : ` and at most ${max}`}`
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`
  if (min !== undefined) return ` of at least ${min}`
  return max === undefined ? '' : ` of at most ${max}`
}

function fail(expected: string, got: string): never {
  throw new ConfigError(`expected ${expected}, got '${got}'`)
}
