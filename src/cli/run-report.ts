import type { RunRow } from '../compare/summary.ts'
import { formatBytes, formatCount, formatMetric, formatNumber, formatSeconds } from './format.ts'
import { formatFacts } from './table.ts'

/** What a run was and what it cost, for people. */
export function formatRun(row: RunRow, dir: string | undefined): string {
  const { metricName, finalMetric, finalLoss } = row
  // Statistics have no batches, and no loss besides their score.
  const score =
    finalMetric === undefined
      ? undefined
      : `${formatMetric(metricName, finalMetric)}${finalLoss === undefined || row.globalBatchSize === undefined ? '' : ` (loss ${formatNumber(finalLoss)})`}`
  const simulated = row.paradigm === 'virtual'
  const training = `${formatSeconds(row.trainSeconds)} for ${formatCount(row.steps)} ${row.steps === 1 ? 'step' : 'steps'}`
  const waiting = row.workers === 1 ? '' : `, waiting ${(row.waitShare * 100).toFixed(0)} % of the time`
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['run', `${row.system} on ${row.workload}, ${formatCount(row.rows)} rows`],
    ['spread', `${row.workers} ${row.workers === 1 ? 'rank' : 'ranks'} on ${row.fabric} (${row.paradigm})`],
    [metricName, score],
    // Virtual ranks have a clock of their own: what a step costs there is an assumption, not a measurement.
    ...(simulated
      ? [
          ['simulated', `${training}, ${formatNumber(row.samplesPerSecond)} rows/s: the clock of ${row.fabric}, no measurement`] as const,
          ['time', `${formatSeconds(row.totalSeconds)} in all here`] as const,
        ]
      : [
          ['time', `${training} (train clock), ${formatSeconds(row.totalSeconds)} in all`] as const,
          ['throughput', `${formatNumber(row.samplesPerSecond)} rows/s`] as const,
        ]),
    ['sent', row.workers === 1 ? 'nothing' : `${formatBytes(Math.round(row.bytesPerWorkerStep))} per rank and step`],
    ['CPU', `${formatSeconds(row.cpuSeconds)}${waiting}${waiting !== '' && simulated ? ' (simulated)' : ''}`],
    ['memory', `${formatBytes(row.peakBytesPerHost)} at most on one host`],
    ['record', dir],
  ]
  return formatFacts(facts.filter((fact): fact is readonly [string, string] => fact[1] !== undefined))
}
