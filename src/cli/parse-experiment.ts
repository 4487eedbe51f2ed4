/**
 * Values that describe an experiment rather than a number: networks, faults, schedules, partitions, hosts.
 * @packageDocumentation
 */
import { ConfigError } from '../errors.ts'
import type { FaultSpec, LinkShape } from '../fabric/launch.ts'
import { parseHosts as checkHosts } from '../fabric/mpi/host-list.ts'
import { type ScheduleSpec, schedule } from '../nn/schedule.ts'
import { didYouMean } from '../nearest-name.ts'
import type { PartitionSpec } from '../train/job.ts'
import { parseBytes, parseInteger, parseList, parseNumber, parseOneOf } from './parse.ts'

/** Named networks: delay of a message one way, bytes a second each way and host. */
export const networkProfiles = {
  lan: { latencyMs: 0.2, bandwidthBytesPerS: 125e6 },
  '100mbit': { latencyMs: 0.2, bandwidthBytesPerS: 12.5e6 },
  wan: { latencyMs: 20, bandwidthBytesPerS: 1.25e6 },
} as const satisfies Readonly<Record<string, LinkShape>>

/** A profile's name, or `DELAY:BANDWIDTH`, such as `5ms:12.5mb`. */
export function parseNetwork(text: string): LinkShape {
  const names = Object.keys(networkProfiles)
  if (Object.hasOwn(networkProfiles, text)) return networkProfiles[text as keyof typeof networkProfiles]
  const [delay = '', bandwidth] = text.split(':')
  if (bandwidth === undefined || !/ms$/.test(delay)) {
    throw new ConfigError(
      `expected ${names.join(', ')} or DELAY:BYTES_PER_SECOND such as 5ms:12.5mb, got '${text}'${didYouMean(text, names)}`,
    )
  }
  return { latencyMs: parseNumber(delay.slice(0, -2), { min: 0 }), bandwidthBytesPerS: parseBytes(bandwidth) }
}

const faultKinds = ['crash', 'throw', 'hang', 'slow'] as const

/** `KIND:RANK@OPERATIONS`, such as `crash:1@100`; `slow` takes a factor: `slow:1@100x2`. */
export function parseFault(text: string): FaultSpec {
  const match = /^([a-z]+):(\d+)@(\d+)(?:x([\d.]+))?$/.exec(text)
  if (match === null) throw new ConfigError(`expected KIND:RANK@OPERATIONS such as crash:1@100 (${faultKinds.join(', ')}), got '${text}'`)
  const kind = parseOneOf(faultKinds)(match[1]!)
  const factor = match[4] === undefined ? {} : { factor: parseNumber(match[4], { min: 1 }) }
  return { kind, rank: parseInteger(match[2]!), afterOperations: parseInteger(match[3]!), ...factor }
}

/** `constant`, `cosine` (or `cosine:FLOOR`), `step:EVERY` (or `step:EVERY:FACTOR`), `polynomial` (or `polynomial:POWER`), `inverse-sqrt:STEPS`. */
export function parseSchedule(text: string): ScheduleSpec {
  const [kind, first, second] = text.split(':')
  if (kind === 'constant' && first === undefined) return schedule.constant()
  if (kind === 'cosine') return schedule.cosine(first === undefined ? {} : { floor: parseNumber(first, { min: 0, max: 1 }) })
  if (kind === 'step' && first !== undefined) {
    return schedule.step({
      every: parseInteger(first, { min: 1 }),
      ...(second === undefined ? {} : { factor: parseNumber(second, { min: 0 }) }),
    })
  }
  if (kind === 'polynomial') return schedule.polynomial(first === undefined ? {} : { power: parseNumber(first, { above: 0 }) })
  if (kind === 'inverse-sqrt' && first !== undefined) return schedule.inverseSqrt(parseInteger(first, { min: 1 }))
  throw new ConfigError(`expected constant, cosine[:FLOOR], step:EVERY[:FACTOR], polynomial[:POWER] or inverse-sqrt:STEPS, got '${text}'`)
}

/** `shared`, `iid`, `contiguous`, `by-label`, `dirichlet:ALPHA`. */
export function parsePartition(text: string): PartitionSpec {
  if (text === 'shared' || text === 'iid' || text === 'contiguous') return { kind: text }
  if (text === 'by-label') return { kind: 'byLabel' }
  const alpha = /^dirichlet:(.+)$/.exec(text)?.[1]
  if (alpha !== undefined) return { kind: 'dirichlet', alpha: parseNumber(alpha, { min: 1e-6 }) }
  throw new ConfigError(`expected shared, iid, contiguous, by-label or dirichlet:ALPHA, got '${text}'`)
}

/** Hosts as the fabric takes them: `a:8,b:8`, `a:*`. */
export function parseHosts(text: string): string[] {
  const hosts = parseList(text)
  checkHosts(hosts)
  return hosts
}
