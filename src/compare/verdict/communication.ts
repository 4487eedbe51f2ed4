/**
 * Communication: bytes that leave a process on the way to the end, and the share of a step spent on moving bytes and on waiting for
 * others. Better in both wins; one each is a trade-off.
 * @packageDocumentation
 */
import type { RunRow } from '../summary.ts'
import { type Case, comparedParadigms, samples } from './case.ts'
import { capital, formatBytes, formatNumber, formatShare, joinWords } from './format-quantity.ts'
import type { Representatives } from './representatives.ts'
import { median } from './statistics.ts'
import { type Contender, type Verdict, contender, noContest, notMeasured, rankByDifference } from './verdict.ts'

/** Shares that differ by no more than this are level. */
const shareBand = 0.02

/** The verdict on traffic and waiting among the ways of running that spread the work; solo sends nothing and is no contender. */
export function communicationVerdict(_of: Case, chosen: Representatives): Verdict {
  const entries = (pick: (run: RunRow) => number) =>
    comparedParadigms.flatMap((paradigm) => {
      const cell = chosen[paradigm]
      return cell && cell.workers > 1 ? contender(paradigm, cell, samples(cell, pick)) : []
    })
  const bytes = entries((run) => run.bytesBetweenProcesses * run.steps)
  const shares = entries(lostShare)
  const only = bytes[0]
  if (!only) return notMeasured('communication', 'no finished run spread its work over several ranks')
  const values = Object.fromEntries(bytes.map((entry) => [entry.paradigm, figures(entry)]))
  const facts = bytes.map(fact).join('; ')
  if (bytes.length < 2) return noContest('communication', only.paradigm, facts, values)
  const most = Math.max(...bytes.map((entry) => entry.value))
  const byBytes = rankByDifference(bytes, 'lower', 0.01 * most)
  const byShare = rankByDifference(shares, 'lower', shareBand)
  const both = byBytes.leaders.filter((paradigm) => byShare.leaders.includes(paradigm))
  const outcome = both.length === 0 ? 'trade-off' : both.length === 1 ? 'wins' : 'tie'
  const leaders = both.length > 0 ? both : [...new Set([...byBytes.leaders, ...byShare.leaders])]
  const [first] = byBytes.leaders
  const [calmest] = byShare.leaders
  const main = {
    wins: `${capital(String(both[0]))} loses least to communication, in bytes sent between processes and in time.`,
    tie: `${capital(joinWords(both))} are level in the bytes they send between processes and in the time they lose to it.`,
    'trade-off': `A trade-off: ${first} sends fewer bytes between processes, ${calmest} spends a smaller share of its time on it.`,
  }[outcome]
  return { dimension: 'communication', outcome, leaders, sentences: [main, `${capital(facts)}.`], values }
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
