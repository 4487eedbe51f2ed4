/**
 * Communication: bytes that leave a process on the way to the end, and the share of the time spent on moving bytes and on waiting for
 * others. Bytes are counted and therefore exact; time is decided as cost is, so that a small difference between single runs is none.
 * Ahead in both, or in one while the other is not decided, wins; one each is a trade-off.
 * @packageDocumentation
 */
import type { RunRow } from '../summary.ts'
import { type Case, type ComparedParadigm, comparedParadigms, samples } from './case.ts'
import { capital, formatBytes, formatNumber, formatShare, joinWords } from './format-quantity.ts'
import type { Representatives } from './representatives.ts'
import { median, singleRunBand } from './statistics.ts'
import { type Contender, type Ranking, type Verdict, contender, noContest, notMeasured, rankByDifference, rankByRatio } from './verdict.ts'

/** Shares that differ by no more than this are level, whatever their ratio. */
const shareBand = 0.02
/** Least share that enters a ratio: below it, clocks do not see it. */
const leastShare = 1e-4

/** The verdict on traffic and waiting among the ways of running that spread the work; solo sends nothing and is no contender. */
export function communicationVerdict(_of: Case, chosen: Representatives): Verdict {
  const entries = (pick: (run: RunRow) => number) =>
    comparedParadigms.flatMap((paradigm) => {
      const cell = chosen[paradigm]
      return cell && cell.workers > 1 ? contender(paradigm, cell, samples(cell, pick)) : []
    })
  const bytes = entries((run) => run.bytesBetweenProcesses * run.steps)
  const shares = entries((run) => Math.max(leastShare, lostShare(run)))
  const only = bytes[0]
  if (!only) return notMeasured('communication', 'no finished run spread its work over several ranks')
  const values = Object.fromEntries(bytes.map((entry) => [entry.paradigm, figures(entry)]))
  const facts = bytes.map(fact).join('; ')
  if (bytes.length < 2) return noContest('communication', only.paradigm, facts, values)
  const byBytes = rankByDifference(bytes, 'lower', 0.01 * Math.max(...bytes.map((entry) => entry.value)))
  const byTime = rankByRatio(shares, { better: 'lower', tieWithin: shareBand })
  const fewest = byBytes.outcome === 'wins' ? byBytes.leaders[0] : undefined
  const calmest = byTime.outcome === 'wins' ? byTime.leaders[0] : undefined
  const ahead = { ...(fewest ? { bytes: fewest } : {}), ...(calmest ? { time: calmest } : {}) }
  const sentences = [mainSentence(fewest, calmest, byBytes, byTime), `${capital(facts)}.`]
  return { dimension: 'communication', ...outcomeOf(byBytes, byTime), ahead, sentences, values }
}

type Ranked = Pick<Ranking, 'outcome' | 'leaders' | 'order'>

function outcomeOf(byBytes: Ranked, byTime: Ranked): Pick<Verdict, 'outcome' | 'leaders'> {
  const both = byBytes.leaders.filter((paradigm) => byTime.leaders.includes(paradigm))
  if (both.length === 0) return { outcome: 'trade-off', leaders: [...new Set([...byBytes.leaders, ...byTime.leaders])] }
  if (both.length === 1) return { outcome: 'wins', leaders: both }
  return { outcome: byTime.outcome === 'unclear' ? 'unclear' : 'tie', leaders: both }
}

function mainSentence(
  fewest: ComparedParadigm | undefined,
  calmest: ComparedParadigm | undefined,
  byBytes: Ranked,
  byTime: Ranked,
): string {
  const open = timeWords(byTime)
  if (fewest && calmest) {
    return fewest === calmest
      ? `${capital(fewest)} sends least between processes and loses least time to it.`
      : `A trade-off: ${fewest} sends fewer bytes between processes, ${calmest} spends a smaller share of its time on it.`
  }
  if (fewest) return `${capital(fewest)} sends least between processes; in time ${open}.`
  const bytes = `${capital(joinWords(byBytes.leaders))} send equally much between processes`
  return calmest ? `${bytes}; ${calmest} loses least time to it.` : `${bytes}; in time ${open}.`
}

/** What is said of the time where nobody is ahead in it. */
function timeWords({ outcome, leaders, order }: Ranked): string {
  if (outcome === 'tie') return `${joinWords(leaders)} are level`
  const once = order.some((entry) => entry.samples.length === 1)
  const percent = Math.round((singleRunBand - 1) * 100)
  const why = once ? `with one run each only a difference above ${percent}\u00a0% counts` : 'the repeats overlap'
  return `${joinWords(leaders, 'or')} may be ahead (${why})`
}

function lostShare(run: RunRow): number {
  return run.communicateShare + run.waitShare
}

function middle(entry: Contender, pick: (run: RunRow) => number): number {
  return median(entry.cell.done.map(pick))
}

function fact(entry: Contender): string {
  const between = middle(entry, (run) => run.bytesBetweenProcesses)
  const all = middle(entry, (run) => run.bytesPerStep)
  const rounds = formatNumber(middle(entry, (run) => run.roundsPerWorkerStep))
  const sent =
    between > 0
      ? `sends ${formatBytes(between)} a step between processes`
      : `sends nothing between processes (${formatBytes(all)} a step through memory)`
  const share = formatShare(middle(entry, lostShare))
  const wait = formatShare(middle(entry, (run) => run.waitShare))
  return `${entry.paradigm} ${sent} in ${rounds} rounds per worker and spends ${share} of its time on it (${wait} waiting)`
}

function figures(entry: Contender): Record<string, number> {
  return {
    bytesBetweenProcesses: entry.value,
    bytesPerStep: middle(entry, (run) => run.bytesPerStep),
    roundsPerWorkerStep: middle(entry, (run) => run.roundsPerWorkerStep),
    communicateShare: middle(entry, (run) => run.communicateShare),
    waitShare: middle(entry, (run) => run.waitShare),
  }
}
