/**
 * Checks of what a caller gives, said in one line: names that nothing reads, and values of another kind.
 * @packageDocumentation
 */
import { ConfigError } from './errors.ts'
import { nearestName } from './nearest-name.ts'

/** What a value must be, and how an error says it: `a number above 0`. */
export interface Kind {
  readonly expected: string
  fits(value: unknown): boolean
}

/** Options by name: `true` for those that are checked elsewhere. */
export type KnownOptions = Readonly<Record<string, true | Kind>>

const isNumber = (value: unknown): value is number => Number.isFinite(value)

/** Kinds of values that options have. */
export const kinds = {
  flag: { expected: 'true or false', fits: (value) => typeof value === 'boolean' },
  text: { expected: 'a text', fits: (value) => typeof value === 'string' },
  object: { expected: 'an object', fits: (value) => typeof value === 'object' && value !== null && !Array.isArray(value) },
  array: { expected: 'an array', fits: (value) => Array.isArray(value) || ArrayBuffer.isView(value) },
  number: { expected: 'a number', fits: isNumber },
  positive: { expected: 'a number above 0', fits: (value) => isNumber(value) && value > 0 },
  notNegative: { expected: 'a number from 0 on', fits: (value) => isNumber(value) && value >= 0 },
  seed: { expected: 'a whole number from 0 on', fits: (value) => Number.isSafeInteger(value) && (value as number) >= 0 },
  count: { expected: 'a positive integer', fits: (value) => Number.isSafeInteger(value) && (value as number) >= 1 },
} as const satisfies Readonly<Record<string, Kind>>

/** One of these words. */
export function oneOf(...words: readonly string[]): Kind {
  return { expected: `one of ${words.map((word) => JSON.stringify(word)).join(', ')}`, fits: (value) => words.includes(value as string) }
}

/**
 * Refuses names that nothing reads, which would otherwise be ignored, and values of another kind. An option that is undefined is one that was
 * left out.
 * @param where - What takes the options: `train`, `sgd`, the name of a layer
 * @throws {ConfigError} with the name that was probably meant, or what was expected
 */
export function requireOptions(where: string, given: unknown, known: KnownOptions): void {
  const names = Object.keys(known)
  if (!kinds.object.fits(given)) {
    throw new ConfigError(`${where}: the options cannot be read — expected { ${names.slice(0, 8).join(', ')} }, got ${shown(given)}`)
  }
  for (const [name, value] of Object.entries(given as object)) {
    if (!Object.hasOwn(known, name)) throw unknownOption(where, name, names)
    const kind = known[name]
    if (value !== undefined && typeof kind === 'object' && !kind.fits(value)) throw wrongKind(where, name, kind, value)
  }
}

/** @throws {ConfigError} unless the value is of the kind */
export function requireKind(where: string, name: string, kind: Kind, value: unknown): void {
  if (!kind.fits(value)) throw wrongKind(where, name, kind, value)
}

function wrongKind(where: string, name: string, { expected }: Kind, value: unknown): ConfigError {
  return new ConfigError(`${where}: ${name} cannot be used — expected ${expected}, got ${shown(value)}`, { option: name })
}

function unknownOption(where: string, wrong: string, names: readonly string[]): ConfigError {
  const nearest = names.find((name) => initials(name) === wrong.toLowerCase()) ?? nearestName(wrong, names)
  const mend = nearest === undefined ? 'leave it out' : `did you mean ${nearest}?`
  return new ConfigError(`${where}: no option ${wrong} — expected ${names.join(', ') || 'none'} (${mend})`, { option: wrong })
}

/** `lr` of `learningRate`. */
function initials(name: string): string {
  return name.replaceAll(/(?<=.)[a-z0-9]/g, '').toLowerCase()
}

/** A value as an error shows it: texts in quotes, nothing longer than a line. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'function') return value.name === '' ? 'a function' : `the function ${value.name}`
  if (isPromise(value)) return 'a Promise (put await before it)'
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'symbol') return String(value)
  if (ArrayBuffer.isView(value)) return `a ${value.constructor.name}`
  const text = jsonOf(value)
  if (text.length <= 80) return text
  return Array.isArray(value) ? `an array of ${value.length}` : typeof value === 'string' ? `${text.slice(0, 60)}…"` : 'another object'
}

function isPromise(value: unknown): boolean {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}

/** Cyclic objects have no JSON. */
function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'another object'
  } catch {
    return 'another object'
  }
}
