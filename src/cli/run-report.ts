import type { RunRow } from '../compare/summary.ts'
import { formatBytes, formatCount, formatMetric, formatNumber, formatSeconds } from './format.ts'
import { formatFacts } from './table.ts'

/** What a run was and what it cost, for people. */
export function formatRun(row: RunRow, dir: string | undefined): string {
  const { metricName, finalMetric, finalLoss } = row
  const score =
    finalMetric === undefined
      ? undefined
      : `${formatMetric(metricName, finalMetric)}${finalLoss === undefined ? '' : ` (loss ${formatNumber(finalLoss)})`}`
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['run', `${row.system} on ${row.workload}, ${formatCount(row.rows)} rows`],
    ['spread', `${row.workers} ${row.workers === 1 ? 'rank' : 'ranks'} on ${row.fabric} (${row.paradigm})`],
    [metricName, score],
    ['time', `${formatSeconds(row.trainSeconds)} for ${formatCount(row.steps)} steps, ${formatSeconds(row.totalSeconds)} in all`],
    ['throughput', `${formatNumber(row.samplesPerSecond)} rows/s`],
    ['sent', row.workers === 1 ? 'nothing' : `${formatBytes(Math.round(row.bytesPerWorkerStep))} per rank and step`],
    ['CPU', `${formatSeconds(row.cpuSeconds)}, waiting ${(row.waitShare * 100).toFixed(0)} % of the time`],
    ['memory', `${formatBytes(row.peakBytesPerHost)} at most on one host`],
    ['record', dir],
  ]
  return formatFacts(facts.filter((fact): fact is readonly [string, string] => fact[1] !== undefined))
}
