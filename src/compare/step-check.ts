/**
 * Is a step as long as its slowest rank needs? A parallel job lasts as long as its longest part, T = max(T_1, …, T_n). Here:
 *
 *   T_rank = compute + communicate        what a rank does itself
 *   T_step = train clock / steps          what a step lasts
 *
 *   T_step ──────────────────────────────────────────────┐
 *   │ max(T_rank)             │ waiting  │ outside        │
 *
 * `waiting`: the rank that was longest in the step still waited (latency, arrival in turn); `outside`: between instructions, which
 * no rank booked as work or waiting. Ranks that do not wait for each other (asynchronous systems) have no common step. A lone rank
 * exchanges nothing: what it booked on collectives of one is `outside`.
 * @packageDocumentation
 */
import type { RunRecord } from '../records/record.ts'
import { mean } from './verdict/statistics.ts'

/** The check of one run, in seconds; `residual` = (T_step − max(T_rank)) / T_step. */
export interface StepCheck {
  /** Steps with a row for every rank; 0 when only totals are known. */
  readonly sampledSteps: number
  readonly stepSeconds: number
  readonly slowestSeconds: number
  readonly waitSeconds: number
  readonly outsideSeconds: number
  readonly residual: number
  /** Rank that was slowest most often, and in which share of the sampled steps. */
  readonly slowestRank: number
  readonly slowestShare: number
  /** False when gradients were computed on old parameters: then ranks have no common step. */
  readonly synchronous: boolean
}

/** Checks T_step = max(T_rank) on the sampled steps of a record; undefined when no rank took a step. */
export function stepCheck(record: RunRecord): StepCheck | undefined {
  const steps = Math.max(0, ...record.ranks.map((rank) => rank.steps))
  const trainSeconds = record.summary.trainSeconds
  if (steps === 0 || !(trainSeconds > 0)) return undefined
  const stepSeconds = trainSeconds / steps
  const synchronous = !record.ranks.some((rank) => Object.keys(rank.staleness ?? {}).some((updates) => Number(updates) > 0))
  const sampled = perStep(record)
  const { own, lived, slowestRank, slowestShare } = sampled.length > 0 ? fromSteps(sampled) : fromTotals(record, steps)
  const waitSeconds = Math.max(0, lived - own)
  return {
    sampledSteps: sampled.length,
    stepSeconds,
    slowestSeconds: own,
    waitSeconds,
    outsideSeconds: stepSeconds - own - waitSeconds,
    residual: (stepSeconds - own) / stepSeconds,
    slowestRank,
    slowestShare,
    synchronous,
  }
}

interface RankTime {
  readonly rank: number
  readonly own: number
  readonly lived: number
}

/** Times of every rank in each step that all ranks sampled. */
function perStep(record: RunRecord): RankTime[][] {
  const bySteps = new Map<number, RankTime[]>()
  for (const { rank, stepTimes } of record.ranks) {
    for (const [step, compute, moving, waiting] of stepTimes) {
      const times = bySteps.get(step) ?? []
      const [communicate, wait] = record.config.workers === 1 ? [0, 0] : [moving, waiting]
      times.push({ rank, own: compute + communicate, lived: compute + communicate + wait })
      bySteps.set(step, times)
    }
  }
  return [...bySteps.values()].filter((times) => times.length === record.ranks.length)
}

function slowestOf(times: readonly RankTime[]): RankTime {
  return times.reduce((slowest, time) => (time.own > slowest.own ? time : slowest))
}

function fromSteps(sampled: readonly RankTime[][]) {
  const slowest = sampled.map(slowestOf)
  const wins = new Map<number, number>()
  for (const { rank } of slowest) wins.set(rank, (wins.get(rank) ?? 0) + 1)
  const [slowestRank, steps] = [...wins].reduce((best, entry) => (entry[1] > best[1] ? entry : best))
  return {
    own: mean(slowest.map((time) => time.own)),
    lived: longestLived(sampled),
    slowestRank,
    slowestShare: steps / sampled.length,
  }
}

/** The rank whose steps are longest on average, waiting included: its sum cannot exceed the train clock, a sum of maxima could. */
function longestLived(sampled: readonly RankTime[][]): number {
  const sums = new Map<number, number>()
  for (const { rank, lived } of sampled.flat()) sums.set(rank, (sums.get(rank) ?? 0) + lived)
  return Math.max(...sums.values()) / sampled.length
}

/** Without rows per step, the totals give a lower bound: the maximum of sums is at most the sum of the maxima. */
function fromTotals(record: RunRecord, steps: number) {
  const totals = record.ranks.map((rank) => {
    const [communicate, wait] = record.config.workers === 1 ? [0, 0] : [rank.communicateSeconds, rank.waitSeconds]
    const own = (rank.computeSeconds + communicate) / steps
    return { rank: rank.rank, own, lived: own + wait / steps }
  })
  const slowest = slowestOf(totals)
  return { own: slowest.own, lived: Math.max(...totals.map((time) => time.lived)), slowestRank: slowest.rank, slowestShare: 1 }
}
