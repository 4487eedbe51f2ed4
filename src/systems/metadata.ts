import { ConfigError } from '../errors.ts'
import { type FabricName, fabricNames } from '../fabric/launch.ts'

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

/** What a system of your own must say of itself: an id. The rest is worth giving once others read it; systems of this package give all. */
export type SystemDescription = Pick<SystemMetadata, 'id'> & Partial<Omit<SystemMetadata, 'id'>>

/**
 * A description with defaults in place of what it leaves out: it runs on every fabric, its title is its id, a network system is at home at
 * `mlp/waveform`, and what only its author can know is `not stated`. `assumed` names the fields that were filled in.
 * @throws {ConfigError} for an id that cannot be part of a file name, or a fabric that does not exist.
 */
export function completeMetadata(
  description: SystemDescription,
  kind: 'deep' | 'statistic',
): SystemMetadata & { readonly assumed: readonly string[] } {
  const { id } = description
  if (typeof id !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(id)) {
    throw new ConfigError(
      `defineSystem: an id names folders and table rows — expected letters, digits, '-', '_' and '.', got ${JSON.stringify(id) ?? 'none'}`,
    )
  }
  const foreign = description.fabrics?.filter((fabric) => !fabricNames.includes(fabric)) ?? []
  if (foreign.length > 0) throw new ConfigError(`${id}: fabrics — expected some of ${fabricNames.join(', ')}, got ${foreign.join(', ')}`)
  const title = description.title ?? id
  const assumed: Omit<SystemMetadata, 'id'> = {
    title,
    family: 'own',
    summary: title,
    reference: { authors: 'unpublished', title, venue: 'a system of your own', year: 0 },
    fabrics: fabricNames,
    rung: 'metric',
    maxStaleness: notStated,
    evaluates: notStated,
    bytesPerStep: notStated,
    faultOutcome: 2,
    workloads: kind === 'deep' ? ['mlp/waveform'] : [],
    claims: [],
    deviations: [],
    tuning: notStated,
  }
  const given = Object.fromEntries(Object.entries(description).filter(([, value]) => value !== undefined))
  return { ...assumed, ...given, id, assumed: Object.keys(assumed).filter((name) => !(name in given)) }
}

const notStated = 'not stated'
