/**
 * Accuracy: quality at the end of the budget. A tie within half a point (metrics that are shares) or 1 %, or within the range of the
 * repeats; else the better one. Relative errors below 1e-5 are all exact as far as float32 can tell.
 * @packageDocumentation
 */
import { type Case, type Cell, comparedParadigms, samples } from './case.ts'
import { capital, formatMetric, isShareMetric, joinWords } from './format-quantity.ts'
import type { Representatives } from './representatives.ts'
import { type Contender, type Verdict, contender, noContest, notMeasured, range, rankByDifference, valuesOf } from './verdict.ts'

/** Relative errors below this are exact in float32 (target of the least-squares workload). */
const exactError = 1e-5

/** Largest difference that still is a tie, in units of the metric. */
export function accuracyBand(metricName: string, values: readonly number[]): number {
  if (isShareMetric(metricName)) return 0.005
  const onePercent = 0.01 * Math.max(0, ...values.map(Math.abs))
  return metricName === 'relativeError' ? Math.max(onePercent, exactError) : onePercent
}

/** The verdict on the final metric. */
export function accuracyVerdict(of: Case, chosen: Representatives): Verdict {
  const contenders = comparedParadigms.flatMap((paradigm) => {
    const cell = chosen[paradigm]
    return cell
      ? contender(
          paradigm,
          cell,
          samples(cell as Cell, (run) => run.finalMetric),
        )
      : []
  })
  const values = valuesOf('metric', contenders)
  const only = contenders[0]
  if (!only) return notMeasured('accuracy', `no finished run has a final ${of.metricTitle}`)
  if (contenders.length < 2) {
    return noContest('accuracy', only.paradigm, `its ${of.metricTitle} is ${formatMetric(of.metricName, only.value)}`, values)
  }
  const band = accuracyBand(
    of.metricName,
    contenders.map((entry) => entry.value),
  )
  const ranking = rankByDifference(contenders, of.better, band)
  const name = (entry: Contender) => `${entry.paradigm} ${formatMetric(of.metricName, entry.value)}`
  const behind = ranking.order.filter((entry) => !ranking.leaders.includes(entry.paradigm))
  const level = ranking.order.filter((entry) => ranking.leaders.includes(entry.paradigm))
  const tolerance = bandWords(of, contenders, band)
  const worse = `${joinWords(behind.map(name))} ${behind.length === 1 ? 'is' : 'are'} worse by more than ${tolerance}`
  const sentences: string[] = []
  if (behind.length === 0) {
    sentences.push(`All end with the same ${of.metricTitle} within ${tolerance}: ${joinWords(level.map(name))}.`)
  } else {
    const best = level.length === 1 ? 'ends best' : 'end level'
    sentences.push(`${capital(joinWords(level.map(name)))} ${best} in ${of.metricTitle}; ${worse}.`)
  }
  if (contenders.some((entry) => entry.samples.length === 1))
    sentences.push('Where a configuration ran once, its spread over seeds is not known.')
  return { dimension: 'accuracy', outcome: ranking.outcome, leaders: ranking.leaders, sentences, values }
}

function bandWords(of: Case, contenders: readonly Contender[], band: number): string {
  const widest = Math.max(...contenders.map(range))
  if (widest > band) return `the range of the repeats (${difference(of, widest)})`
  if (isShareMetric(of.metricName)) return 'half a point'
  return of.metricName === 'relativeError' && band === exactError ? 'what float32 can resolve' : '1\u00a0%'
}

function difference(of: Case, value: number): string {
  return isShareMetric(of.metricName) ? `${(value * 100).toFixed(2)} points` : formatMetric(of.metricName, value)
}
