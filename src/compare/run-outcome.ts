/**
 * How a run ended when something was lost, and what it was asked to reach, read from its configuration and summary.
 * @packageDocumentation
 */
import type { ErrorCode } from '../errors.ts'
import type { RunConfig, RunRecord } from '../records/record.ts'

/** Outcome of a run that lost a rank: 3 it went on, 2 a checkpoint resumes it, 1 it ended with a typed error, 0 nothing is known. */
export interface RankLoss {
  /** Ranks that were lost, as far as the record names them. */
  readonly ranks: readonly number[]
  readonly injected: boolean
  readonly level: 0 | 1 | 2 | 3
  /** Step at which the run ended, and the steps it had planned (0: unknown). */
  readonly step: number
  readonly plannedSteps: number
  readonly message?: string
  readonly checkpoint?: string
}

const lossCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['PEER_LOST', 'RANK_FAILED', 'COLLECTIVE_TIMEOUT'])

/** True when faults were injected on purpose (`options.fault` or `options.faults`). */
export function isFaulty(config: RunConfig): boolean {
  return injectedFaults(config).length > 0
}

interface Fault {
  readonly rank?: number
  readonly kind: string
}

function injectedFaults(config: RunConfig): Fault[] {
  const option = config.options.faults ?? config.options.fault
  const list = Array.isArray(option) ? option : option === undefined || option === null || option === false ? [] : [option]
  return list.map((fault: unknown) => {
    if (typeof fault === 'object' && fault !== null) {
      const { rank, kind } = fault as Record<string, unknown>
      return { kind: String(kind ?? 'crash'), ...(typeof rank === 'number' ? { rank } : {}) }
    }
    return { kind: String(fault) }
  })
}

/** What became of a run that lost a rank; undefined for a run that lost none. A slow rank is not a lost one. */
export function rankLoss(record: RunRecord): RankLoss | undefined {
  const { config, summary } = record
  const faults = injectedFaults(config).filter((fault) => !fault.kind.startsWith('slow'))
  const failedByLoss = summary.status === 'failed' && summary.error !== undefined && lossCodes.has(summary.error.code)
  if (faults.length === 0 && !failedByLoss) return undefined
  if (summary.status === 'interrupted') return undefined
  const named = ranksIn(summary.error?.details)
  const resumable = summary.status === 'failed' && summary.checkpoint !== undefined
  return {
    ranks: named.length > 0 ? named : faults.flatMap((fault) => (fault.rank === undefined ? [] : [fault.rank])),
    injected: faults.length > 0,
    level: summary.status === 'done' ? 3 : resumable ? 2 : summary.error ? 1 : 0,
    step: summary.steps,
    plannedSteps: config.preflight.steps,
    ...(summary.error ? { message: summary.error.message } : {}),
    ...(resumable && summary.checkpoint !== undefined ? { checkpoint: summary.checkpoint } : {}),
  }
}

function ranksIn(details: Readonly<Record<string, unknown>> | undefined): number[] {
  const ranks = details?.ranks
  if (Array.isArray(ranks)) return ranks.filter((rank): rank is number => typeof rank === 'number')
  return typeof details?.rank === 'number' ? [details.rank] : []
}

/** Value of the deciding metric that the run's `until` asks for (`{ accuracy: 0.98 }`, `{ metric: 0.98 }` or `'accuracy=0.98'`). */
export function declaredTarget(config: RunConfig): number | undefined {
  const until = config.options.until
  if (typeof until === 'string') {
    const [name, value] = until.split('=')
    return (name === config.metric.name || name === 'metric') && Number.isFinite(Number(value)) ? Number(value) : undefined
  }
  if (typeof until !== 'object' || until === null) return undefined
  const { metric, [config.metric.name]: named } = until as Record<string, unknown>
  const target = named ?? metric
  return typeof target === 'number' && Number.isFinite(target) ? target : undefined
}
