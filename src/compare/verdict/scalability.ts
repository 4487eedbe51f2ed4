/**
 * Scalability: E(p) = samples/s with p workers ÷ (p × samples/s of one). The larger p that keeps E ≥ 0.5 wins; at the same p, the
 * higher throughput. Ranks that share cores are shown but not judged.
 * @packageDocumentation
 */
import { type Case, type Cell, type ComparedParadigm, comparedParadigms, samples } from './case.ts'
import { capital, count, formatFactor, formatRate, formatShare, joinWords } from './format-quantity.ts'
import { rankingSentence } from './ranking-words.ts'
import type { Representatives } from './representatives.ts'
import { type Verdict, contender, noContest, notMeasured, rankByRatio } from './verdict.ts'

/** Efficiency from which a worker counts as used. */
export const usefulEfficiency = 0.5

/** Efficiency of one cell against solo, or against one worker of the same system and fabric where no solo run exists. */
export function efficiencyOf(cell: Cell, of: Case): number | undefined {
  if (cell.efficiency !== undefined) return cell.efficiency
  const one = of.cells.find((other) => other.workers === 1 && other.system === cell.system && other.fabric === cell.fabric)
  const [rate, base] = [cell.samplesPerSecond?.median, one?.samplesPerSecond?.median]
  return rate !== undefined && base !== undefined && base > 0 ? rate / (cell.workers * base) : undefined
}

interface Reach {
  readonly paradigm: ComparedParadigm
  /** Largest worker count with enough efficiency, its efficiency and cell; the best of the rest when none has. */
  readonly cell: Cell
  readonly workers: number
  readonly efficiency: number
  readonly most: number
}

/** The verdict on worker counts, over all counts that the representative's system ran. */
export function scalabilityVerdict(of: Case, chosen: Representatives): Verdict {
  const reaches = comparedParadigms.flatMap((paradigm) => reachOf(of, paradigm, chosen[paradigm]))
  const only = reaches[0]
  if (!only) return notMeasured('scalability', scalabilityMissing(of))
  const values = Object.fromEntries(
    reaches.map(({ paradigm, workers, efficiency, cell }) => [paradigm, { usefulWorkers: workers, efficiency, workers: cell.workers }]),
  )
  const facts = reaches.map(
    ({ paradigm, cell, efficiency }) =>
      `${paradigm} ${formatShare(efficiency)} at ${count(cell.workers, 'worker')} (${formatFactor(efficiency * cell.workers)} one)`,
  )
  if (reaches.every((reach) => reach.workers === 0)) {
    const leaders: ComparedParadigm[] = of.baseline ? ['solo'] : []
    const main = 'No number of workers that was tried keeps half of its worth, so one worker is the better use of the cores.'
    return {
      dimension: 'scalability',
      outcome: of.baseline ? 'wins' : 'tie',
      leaders,
      sentences: [main, `Efficiency: ${joinWords(facts)}.`],
      values,
    }
  }
  if (reaches.length === 1)
    return noContest('scalability', only.paradigm, `its efficiency is ${joinWords(facts).replace(`${only.paradigm} `, '')}`, values)
  const best = Math.max(...reaches.map((reach) => reach.workers))
  const top = reaches.filter((reach) => reach.workers === best)
  const detail = `Efficiency: ${joinWords(facts)}; ${tried(reaches)}.`
  if (top.length === 1) {
    const winner = top[0] as Reach
    const main = `${capital(winner.paradigm)} scales furthest: ${count(best, 'worker')} at half their worth or more.`
    return { dimension: 'scalability', outcome: 'wins', leaders: [winner.paradigm], sentences: [main, detail], values }
  }
  const ranking = rankByRatio(
    top.flatMap(({ paradigm, cell }) =>
      contender(
        paradigm,
        cell,
        samples(cell, (run) => run.samplesPerSecond),
      ),
    ),
    { better: 'higher' },
  )
  const main = rankingSentence(ranking, {
    wins: (rate) => `makes most of ${count(best, 'worker')}, ${rate}`,
    gap: (factor, other, rate) => `${factor} as much as ${other} (${rate})`,
    behind: 'behind',
    question: `makes more of ${count(best, 'worker')}`,
    format: formatRate,
  })
  return { dimension: 'scalability', outcome: ranking.outcome, leaders: ranking.leaders, sentences: [main, detail], values }
}

function reachOf(of: Case, paradigm: ComparedParadigm, chosen: Cell | undefined): Reach[] {
  if (!chosen || paradigm === 'solo') return []
  const points = of.cells
    .filter(
      (cell) =>
        cell.paradigm === paradigm && cell.system === chosen.system && cell.workers > 1 && cell.done.length > 0 && !cell.oversubscribed,
    )
    .flatMap((cell) => {
      const efficiency = efficiencyOf(cell, of)
      return efficiency === undefined ? [] : [{ cell, efficiency }]
    })
    .sort((a, b) => b.cell.workers - a.cell.workers || b.efficiency - a.efficiency)
  const useful = points.find((point) => point.efficiency >= usefulEfficiency)
  const shown =
    useful ??
    points.reduce<(typeof points)[number] | undefined>(
      (best, point) => (best && best.efficiency >= point.efficiency ? best : point),
      undefined,
    )
  if (!shown) return []
  return [
    {
      paradigm,
      cell: shown.cell,
      efficiency: shown.efficiency,
      workers: useful ? useful.cell.workers : 0,
      most: points[0]?.cell.workers ?? 0,
    },
  ]
}

function tried(reaches: readonly Reach[]): string {
  const counts = new Set(reaches.map((reach) => reach.most))
  if (counts.size === 1) return `more than ${count(Math.max(...counts), 'worker')} were not tried on a core each`
  return `most workers tried on a core each: ${joinWords(reaches.map((reach) => `${reach.paradigm} ${reach.most}`))}`
}

function scalabilityMissing(of: Case): string {
  const spread = of.cells.filter((cell) => cell.workers > 1 && cell.done.length > 0 && cell.paradigm !== 'virtual')
  if (spread.length === 0) return 'no finished run used more than one worker'
  if (spread.every((cell) => cell.oversubscribed)) return 'every run with more than one worker had more ranks than cores'
  return 'no run with one worker says what one worker is worth'
}
