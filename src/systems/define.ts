/**
 * What a system is: a value with metadata, options and a pure function that composes parts into a Program (deep) or names a learner (classical).
 * The command line, documentation pages, comparisons and contract tests read everything from this value.
 * @packageDocumentation
 */
import { ConfigError } from '../errors.ts'
import type { BuildContext } from '../train/parts.ts'
import type { Program } from '../train/program.ts'
import type { StatisticLearner } from '../train/statistic.ts'
import { completeMetadata, type SystemDescription, type SystemMetadata } from './metadata.ts'
import { statisticProgram } from './statistic-program.ts'

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
export type OptionValues<O extends OptionSpecs> = {
  readonly [K in keyof O]: O[K] extends { type: 'integer' | 'number' }
    ? number
    : O[K] extends { type: 'boolean' }
      ? boolean
      : O[K] extends { choices: readonly (infer C)[] }
        ? C
        : never
}

/** Options of a system by name. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>

/** What the build of a classical system may know of the job. */
export interface StatisticBuildContext {
  readonly worldSize: number
  /** Most learning steps. */
  readonly maxSteps: number
  /** Same bits for the same ranks: excludes the all-reduce `native`. */
  readonly reproducible: boolean
}

/** What every system has beside its description. */
interface Defined<O extends OptionSpecs> extends SystemMetadata {
  readonly options: O
  /** Fields of the description that were left out and have their default; empty for the systems of this package. */
  readonly assumed: readonly string[]
}

/** A system for networks. */
export interface DeepSystem<O extends OptionSpecs = OptionSpecs> extends Defined<O> {
  readonly kind: 'deep'
  /** Runs on the driver only. */
  build(context: BuildContext, options: OptionValues<O>): Program
}

/** A classical system: a local statistic and a way of merging it. */
export interface StatisticSystem<O extends OptionSpecs = OptionSpecs> extends Defined<O> {
  readonly kind: 'statistic'
  build(context: StatisticBuildContext, options: OptionValues<O>): Program
  /** Worker code: looked up in the package's table or in the user's file, never sent. */
  readonly learner: StatisticLearner
  /** Address (`import.meta.url`) of the file that exports a system of the user's: workers load the learner from there. */
  readonly module?: string
}

// biome-ignore lint/suspicious/noExplicitAny: a table of systems holds systems of any options; each checks its own.
export type AnySystem = DeepSystem<any> | StatisticSystem<any>

/** What {@link defineSystem} takes: an id and a build; everything else has a default. */
export interface DeepDescription<O extends OptionSpecs> extends SystemDescription {
  readonly options?: O
  /** Puts instructions in order. Runs on the driver only. */
  build(context: BuildContext, options: OptionValues<O>): Program
}

/** What {@link defineStatisticSystem} takes: an id, a learner and, in a file of your own, `module: import.meta.url`. */
export interface StatisticDescription<O extends OptionSpecs, Memory> extends SystemDescription {
  readonly options?: O
  /** Default: all-reduce of the statistic in every step ({@link statisticProgram}). */
  build?(context: StatisticBuildContext, options: OptionValues<O>): Program
  readonly learner: StatisticLearner<Memory, OptionValues<O> & Readonly<Record<string, unknown>>>
  readonly module?: string
}

/**
 * A system for networks from its description, with defaults in place of what it leaves out.
 * @throws {ConfigError} for an id, an option or a build that is none.
 */
export function defineSystem<const O extends OptionSpecs = Record<never, never>>(description: DeepDescription<O>): DeepSystem<O> {
  const metadata = completeMetadata(description, 'deep')
  const { id, options, build } = description
  if (typeof build !== 'function') throw new ConfigError(`${id}: build — expected a function that returns a Program, got ${typeof build}`)
  return { ...metadata, kind: 'deep', options: checkOptionSpecs(id, options ?? ({} as O)), build }
}

/**
 * A classical system from its description, with defaults in place of what it leaves out.
 * @throws {ConfigError} for an id, an option or a learner that is none.
 */
export function defineStatisticSystem<const O extends OptionSpecs = Record<never, never>, Memory = unknown>(
  description: StatisticDescription<O, Memory>,
): StatisticSystem<O> {
  const metadata = completeMetadata(description, 'statistic')
  const { id, options, learner, module } = description
  if (typeof learner?.statisticLength !== 'function' || typeof learner.open !== 'function' || typeof learner.metric?.name !== 'string')
    throw new ConfigError(
      `${id}: learner — expected { metric, statisticLength, open }, got ${Object.keys(learner ?? {}).join(', ') || 'none'}`,
    )
  const build = description.build ?? (({ maxSteps, reproducible }) => statisticProgram(reproducible ? 'ring' : 'native', { maxSteps }))
  return {
    ...metadata,
    kind: 'statistic',
    options: checkOptionSpecs(id, options ?? ({} as O)),
    build,
    learner: learner as StatisticLearner,
    ...(module === undefined ? {} : { module }),
  }
}

/** Whether a value is what {@link defineSystem} or {@link defineStatisticSystem} returned, in this process or from another copy of the package. */
export function isSystem(value: unknown): value is AnySystem {
  if (typeof value !== 'object' || value === null) return false
  const { kind, id, build, options, fabrics } = value as Partial<AnySystem>
  const isDefined = typeof id === 'string' && typeof build === 'function' && typeof options === 'object' && Array.isArray(fabrics)
  return (kind === 'deep' || kind === 'statistic') && isDefined
}

function checkOptionSpecs<O extends OptionSpecs>(id: string, options: O): O {
  for (const [name, spec] of Object.entries<OptionSpec | undefined>(options)) {
    if (spec === undefined || !optionTypes.includes(spec.type))
      throw new ConfigError(
        `${id}: option ${name} — expected option.integer({ default, doc }) or another of option, got ${JSON.stringify(spec)}`,
      )
    checkOption(id, name, spec, spec.default)
  }
  return options
}

const optionTypes: readonly string[] = ['integer', 'number', 'choice', 'boolean'] satisfies readonly OptionSpec['type'][]

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
