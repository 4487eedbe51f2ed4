import type { ErrorJSON } from '../errors.ts'
import type { LaunchResult } from '../fabric/launch.ts'
import type { MetricRow, RankRecord, RunConfig, RunRecord, RunSummary, TraceEvent, TrafficRecord } from '../records/record.ts'
import type { RankResult } from '../train/rank-result.ts'

/** What the driver saw of a run besides what its ranks hand back. */
export interface Observed {
  readonly config: RunConfig
  readonly metrics: readonly MetricRow[]
  /** What a resumed run had spent: step and train clock at its checkpoint, total and CPU seconds; zeros for a run from the start. */
  readonly before: { readonly step: number; readonly seconds: number; readonly totalSeconds: number; readonly cpuSeconds: number }
  readonly checkpoint: string | undefined
  readonly totalSeconds: number
  readonly samplesPerStep: number
  /** CPU seconds of the driver's process during the run, where the ranks are its threads. */
  readonly cpuSeconds: number | undefined
}

/** Puts the ranks' results together into one record. */
export function assembleRecord(observed: Observed, launched: LaunchResult<RankResult>): RunRecord {
  const { config, metrics } = observed
  const split = splitExchange(launched.results)
  const ranks = launched.usage.map((usage, rank): RankRecord => {
    const result = launched.results[rank]
    const times = split[rank]
    const error = launched.rankErrors[rank]
    return {
      rank,
      host: usage.host,
      pid: usage.pid,
      steps: result?.steps ?? 0,
      trainSeconds: result?.trainSeconds ?? 0,
      computeSeconds: result?.computeSeconds ?? 0,
      communicateSeconds: (result?.exchangeSeconds ?? 0) * (times?.communicateShare ?? 0),
      waitSeconds: (result?.exchangeSeconds ?? 0) * (1 - (times?.communicateShare ?? 0)),
      otherSeconds: result?.otherSeconds ?? 0,
      cpuSeconds: usage.cpuSeconds,
      peakRssBytes: usage.peakRssBytes,
      ...(result?.staleness ? { staleness: result.staleness } : {}),
      stepTimes: times?.steps ?? [],
      ...(error ? { error } : {}),
    }
  })
  const trace = splitTrace(launched.results.map((result) => result?.trace ?? []))
  return { config, summary: summarise(observed, launched, ranks), metrics, ranks, traffic: sumTraffic(launched.traffic), trace }
}

interface SplitTimes {
  /** [step, compute, communicate, wait] */
  readonly steps: readonly (readonly [number, number, number, number])[]
  /** Share of the exchange time that moved bytes. */
  readonly communicateShare: number
}

/**
 * Divides every rank's exchange time into moving and waiting: in a step that ranks share, the one that came last did not wait, so the shortest exchange
 * of the step is what moving takes and the rest is waiting.
 */
function splitExchange(results: readonly (RankResult | undefined)[]): (SplitTimes | undefined)[] {
  const shortest = new Map<number, number>()
  for (const result of results) {
    for (const [step, , exchange] of result?.stepTimes ?? [])
      shortest.set(step, Math.min(shortest.get(step) ?? Number.POSITIVE_INFINITY, exchange))
  }
  return results.map((result) => {
    if (result === undefined) return undefined
    let moved = 0
    let exchanged = 0
    const steps = result.stepTimes.map(([step, compute, exchange]) => {
      const communicate = shortest.get(step) ?? exchange
      moved += communicate
      exchanged += exchange
      return [step, compute, communicate, exchange - communicate] as const
    })
    return { steps, communicateShare: exchanged > 0 ? moved / exchanged : 1 }
  })
}

/** Cuts every traced exchange that ranks share into waiting for the last one, and moving. */
function splitTrace(traces: readonly (readonly TraceEvent[])[]): TraceEvent[] {
  const shortest = new Map<string, number>()
  const keyed = traces.map((events) => {
    const seen = new Map<string, number>()
    return events.map((event) => {
      const place = `${event.args?.step} ${event.name}`
      const nth = (seen.get(place) ?? 0) + 1
      seen.set(place, nth)
      const key = `${place} ${nth}`
      if (event.cat === 'communicate') shortest.set(key, Math.min(shortest.get(key) ?? Number.POSITIVE_INFINITY, event.dur))
      return { event, key }
    })
  })
  return keyed.flat().flatMap(({ event, key }): TraceEvent[] => {
    const moving = shortest.get(key)
    if (event.cat !== 'communicate' || moving === undefined || moving >= event.dur) return [event]
    const waiting = event.dur - moving
    return [
      { ...event, cat: 'wait', dur: waiting },
      { ...event, ts: event.ts + waiting, dur: moving },
    ]
  })
}

function sumTraffic(traffic: LaunchResult<unknown>['traffic']): TrafficRecord {
  const links = new Map<string, TrafficRecord['links'][number]>()
  const phases: Record<string, { rounds: number; waitSeconds: number; operations: number }> = {}
  for (const counters of traffic) {
    for (const link of counters?.links ?? []) {
      const key = `${link.from} ${link.to} ${link.phase}`
      const known = links.get(key)
      if (known === undefined) links.set(key, { ...link })
      else {
        known.bytes += link.bytes
        known.messages += link.messages
      }
    }
    for (const [phase, { rounds, waitSeconds, operations }] of Object.entries(counters?.phases ?? {})) {
      const known = phases[phase] ?? { rounds: 0, waitSeconds: 0, operations: 0 }
      phases[phase] = {
        rounds: known.rounds + rounds,
        waitSeconds: known.waitSeconds + waitSeconds,
        operations: known.operations + operations,
      }
    }
  }
  return { links: [...links.values()], phases }
}

function summarise(observed: Observed, launched: LaunchResult<RankResult>, ranks: readonly RankRecord[]): RunSummary {
  const done = launched.results.filter((result): result is RankResult => result !== undefined)
  const failed: ErrorJSON | undefined = launched.error
  const interrupted = done.some((result) => result.interrupted)
  const lastRow = observed.metrics.at(-1)
  const steps = Math.max(0, ...done.map((result) => result.steps), lastRow?.step ?? 0)
  const { before } = observed
  const ownSeconds = Math.max(0, ...done.map((result) => result.trainSeconds), (lastRow?.time ?? 0) - before.seconds)
  const scores = observed.metrics.filter((row) => row.kind === 'evaluation')
  const score = scores.at(-1)
  const lastStep = observed.metrics.filter((row) => row.kind === 'step').at(-1)
  const finalLoss = score?.loss ?? (lastStep?.kind === 'step' ? lastStep.loss : undefined)
  // Processes of one host share its memory; threads share one process.
  const processes = new Map(ranks.map(({ pid, host, peakRssBytes }) => [`${host} ${pid}`, peakRssBytes]))
  return {
    status: failed ? 'failed' : interrupted ? 'interrupted' : 'done',
    ...(failed ? { error: failed } : {}),
    steps,
    epochs: lastRow?.epoch ?? 0,
    ...(before.step > 0 ? { resumedAt: before.step } : {}),
    trainSeconds: before.seconds + ownSeconds,
    totalSeconds: before.totalSeconds + observed.totalSeconds,
    samplesPerSecond: ownSeconds > 0 ? ((steps - before.step) * observed.samplesPerStep) / ownSeconds : 0,
    cpuSeconds: before.cpuSeconds + (observed.cpuSeconds ?? ranks.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0)),
    peakRssBytes: Math.max(0, ...processes.values()),
    ...(score ? { finalMetric: score.metric } : {}),
    ...(finalLoss === undefined || Number.isNaN(finalLoss) ? {} : { finalLoss }),
    ...(observed.checkpoint === undefined ? {} : { checkpoint: observed.checkpoint }),
  }
}
