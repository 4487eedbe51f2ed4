/**
 * What a system is: a value with metadata, options and a pure function that composes parts into a Program (deep) or names a learner (classical).
 * The command line, documentation pages, comparisons and contract tests read everything from this value.
 * @packageDocumentation
 */
import { ConfigError } from '../errors.ts'
import type { FabricName } from '../fabric/launch.ts'
import type { BuildContext } from '../train/parts.ts'
import type { Program } from '../train/program.ts'
import type { StatisticLearner } from '../train/statistic.ts'

/** One option of a system. */
export type OptionSpec =
  | { readonly type: 'integer' | 'number'; readonly default: number; readonly min?: number; readonly max?: number; readonly doc: string }
  | { readonly type: 'choice'; readonly default: string; readonly choices: readonly string[]; readonly doc: string }
  | { readonly type: 'boolean'; readonly default: boolean; readonly doc: string }

/** Declares options of a system. */
export const option = {
  integer: <const S extends { default: number; min?: number; max?: number; doc: string }>(spec: S) =>
    ({ type: 'integer', ...spec }) as const,
  number: <const S extends { default: number; min?: number; max?: number; doc: string }>(spec: S) => ({ type: 'number', ...spec }) as const,
  choice: <const C extends readonly string[]>(choices: C, spec: { default: C[number]; doc: string }) =>
    ({ type: 'choice', choices, ...spec }) as const,
  boolean: (spec: { default: boolean; doc: string }) => ({ type: 'boolean', ...spec }) as const,
}

/** Values of declared options. */
export type OptionValues<O extends Readonly<Record<string, OptionSpec>>> = {
  readonly [K in keyof O]: O[K] extends { type: 'integer' | 'number' }
    ? number
    : O[K] extends { type: 'boolean' }
      ? boolean
      : O[K] extends { choices: readonly (infer C)[] }
        ? C
        : never
}

/** A claim of the paper, scaled to a small machine. */
export interface Claim {
  readonly text: string
  /** Where the paper, or the catalogue's derivation, states it. */
  readonly source: string
}

/** Everything that tables and pages say about a system. */
export interface SystemMetadata {
  readonly id: string
  readonly title: string
  readonly family: 'baseline' | 'data-parallel' | 'clustering' | 'linear' | (string & {})
  readonly summary: string
  /** Authors, title, venue, year; section or algorithm number. */
  readonly reference: {
    readonly authors: string
    readonly title: string
    readonly venue: string
    readonly year: number
    readonly place?: string
    readonly url?: string
  }
  readonly fabrics: readonly FabricName[]
  /** Equality to the central run: `bit`, `1e-9`, `1e-5`, `metric`, `statistical`. */
  readonly rung: 'bit' | '1e-9' | '1e-5' | 'metric' | 'statistical'
  /** How many updates a gradient may miss: a number, or a word on it. */
  readonly maxStaleness: string
  /** What is scored. */
  readonly evaluates: string
  /** Bytes that one rank sends a step, n = 4·parameters (8·statistic), p = ranks. */
  readonly bytesPerStep: string
  /** What a lost rank means: continues (3), resumes by one command (2), a typed error (1). */
  readonly faultOutcome: 1 | 2 | 3
  /** Ids of the workloads that it is run on; the first is its home. */
  readonly workloads: readonly string[]
  readonly claims: readonly Claim[]
  /** Where the file departs from the paper. */
  readonly deviations: readonly string[]
  /** When to raise or lower an option, in terms of what the report shows. */
  readonly tuning: string
}

/** A system for networks. */
export interface DeepSystem<O extends Readonly<Record<string, OptionSpec>> = Readonly<Record<string, OptionSpec>>> extends SystemMetadata {
  readonly kind: 'deep'
  readonly options: O
  /** Runs on the driver only. */
  build(context: BuildContext, options: OptionValues<O>): Program
}

/** A classical system: a local statistic and a way of merging it. */
export interface StatisticSystem<O extends Readonly<Record<string, OptionSpec>> = Readonly<Record<string, OptionSpec>>>
  extends SystemMetadata {
  readonly kind: 'statistic'
  readonly options: O
  build(
    context: { readonly worldSize: number; readonly maxSteps: number; readonly reproducible: boolean },
    options: OptionValues<O>,
  ): Program
  /** Worker code: looked up by id in the package's table, never sent. */
  readonly learner: StatisticLearner
}

// biome-ignore lint/suspicious/noExplicitAny: a table of systems holds systems of any options; each checks its own.
export type AnySystem = DeepSystem<any> | StatisticSystem<any>

/** Types a deep system from its options. */
export function defineSystem<const O extends Readonly<Record<string, OptionSpec>>>(system: Omit<DeepSystem<O>, 'kind'>): DeepSystem<O> {
  return { kind: 'deep', ...system }
}

/** Types a classical system from its options. */
export function defineStatisticSystem<const O extends Readonly<Record<string, OptionSpec>>>(
  system: Omit<StatisticSystem<O>, 'kind'>,
): StatisticSystem<O> {
  return { kind: 'statistic', ...system }
}

/** Fills in defaults and checks every given option. @throws {ConfigError} naming system, option, expected and got. */
export function resolveOptions(system: AnySystem, given: Readonly<Record<string, unknown>>): Record<string, number | string | boolean> {
  const known: Readonly<Record<string, OptionSpec>> = system.options
  for (const name of Object.keys(given)) {
    if (!(name in known)) {
      const names = Object.keys(known)
      throw new ConfigError(`${system.id}: no option ${name} — ${names.length > 0 ? `it has ${names.join(', ')}` : 'it has none'}`, {
        option: name,
      })
    }
  }
  return Object.fromEntries(
    Object.entries(known).map(([name, spec]) => [name, checkOption(system.id, name, spec, given[name] ?? spec.default)]),
  )
}

function checkOption(id: string, name: string, spec: OptionSpec, value: unknown): number | string | boolean {
  const refuse = (expected: string): never => {
    throw new ConfigError(`${id}: option ${name} — expected ${expected}, got ${JSON.stringify(value)}`, { option: name })
  }
  if (spec.type === 'boolean') {
    if (value === true || value === 'true') return true
    if (value === false || value === 'false') return false
    return refuse('true or false')
  }
  if (spec.type === 'choice') return spec.choices.includes(value as string) ? (value as string) : refuse(spec.choices.join(' | '))
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = spec
  const range = `${spec.type === 'integer' ? 'a whole number' : 'a number'}${spec.min === undefined ? '' : ` ≥ ${min}`}${spec.max === undefined ? '' : ` ≤ ${max}`}`
  if (typeof number !== 'number' || Number.isNaN(number) || number < min || number > max) return refuse(range)
  if (spec.type === 'integer' && !Number.isInteger(number)) return refuse(range)
  return number
}
