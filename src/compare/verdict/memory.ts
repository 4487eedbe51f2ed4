/**
 * Memory: peak resident bytes of all processes on the busiest host, and how many of them there are. Differences above 5 % count.
 * @packageDocumentation
 */
import { type Case, comparedParadigms, samples } from './case.ts'
import { capital, formatBytes, joinWords } from './format-quantity.ts'
import { rankingSentence } from './ranking-words.ts'
import type { Representatives } from './representatives.ts'
import { equalBand, median } from './statistics.ts'
import { type Contender, type Verdict, contender, noContest, notMeasured, rankByRatio, valuesOf } from './verdict.ts'

/** The verdict on peak memory. Memory hardly varies between repeats, so a single run decides beyond 5 %. */
export function memoryVerdict(_of: Case, chosen: Representatives): Verdict {
  const contenders = comparedParadigms.flatMap((paradigm) => {
    const cell = chosen[paradigm]
    return cell
      ? contender(
          paradigm,
          cell,
          samples(cell, (run) => run.peakBytesPerHost || undefined),
        )
      : []
  })
  const values = valuesOf('peakBytesPerHost', contenders)
  const only = contenders[0]
  if (!only) return notMeasured('memory', 'no finished run recorded its memory')
  if (contenders.length < 2) return noContest('memory', only.paradigm, `it needed ${formatBytes(only.value)} at its peak`, values)
  const ranking = rankByRatio(contenders, { better: 'lower', singleBand: equalBand })
  const main = rankingSentence(ranking, {
    wins: (bytes) => `needed least, ${bytes} at its peak on one host`,
    gap: (factor, other, bytes) => `${other} needed ${factor} as much (${bytes})`,
    question: 'needs less',
    behind: 'heavier',
    format: (bytes) => formatBytes(bytes),
    singleBand: equalBand,
  })
  const several = ranking.order.filter((entry) => entry.cell.processes > 1)
  const parts = several.map(
    (entry) => `${entry.paradigm} used ${entry.cell.processes}\u00a0processes of up to ${formatBytes(perProcess(entry))}`,
  )
  const detail = several.length > 0 ? [`${capital(joinWords(parts))}.`] : []
  return { dimension: 'memory', outcome: ranking.outcome, leaders: ranking.leaders, sentences: [main, ...detail], values }
}

function perProcess(entry: Contender): number {
  return median(entry.cell.done.map((run) => run.peakBytesPerProcess))
}
