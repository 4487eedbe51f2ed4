import { capital, formatFactor, joinWords } from './format-quantity.ts'
import { type RatioTest, singleRunBand } from './statistics.ts'
import type { Contender, Ranking } from './verdict.ts'

/** How a ranked quantity is spoken of. */
export interface RankingWords {
  /** Follows the winner: `was fastest, 14.2 s for 3 epochs`. */
  readonly wins: (value: string) => string
  /** One of the others against the winner: `1.84 × as fast as solo (26.1 s)`; `value` may carry an interval. */
  readonly gap: (factor: string, other: string, value: string) => string
  /** Ends `whether a or b …`: `is faster`. */
  readonly question: string
  /** Follows those that are clearly behind an undecided lead: `slower`. */
  readonly behind: string
  readonly format: (value: number) => string
  /** Difference that a single run can show, as a factor. */
  readonly singleBand?: number
}

/** One sentence for a ranking of two or more contenders: who leads, by how much, and what cannot be told apart. */
export function rankingSentence(ranking: Ranking, words: RankingWords): string {
  const [leader, ...others] = ranking.order
  if (!leader || others.length === 0) return ''
  const name = (entry: Contender) => `${entry.paradigm} (${words.format(entry.value)})`
  const level = ranking.order.filter((entry) => ranking.leaders.includes(entry.paradigm))
  const behind = ranking.order.filter((entry) => !ranking.leaders.includes(entry.paradigm))
  const testOf = (entry: Contender) => ranking.tests[others.indexOf(entry)] as RatioTest
  if (ranking.outcome === 'wins') {
    const gaps = behind.map((entry) => {
      const test = testOf(entry)
      const factor = formatFactor(test.ratio >= 1 ? test.ratio : 1 / test.ratio)
      return words.gap(factor, entry.paradigm, `${words.format(entry.value)}${gapInterval(test)}`)
    })
    return `${capital(leader.paradigm)} ${words.wins(words.format(leader.value))}: ${joinWords(gaps)}.`
  }
  const rest = behind.length > 0 ? ` ${capital(joinWords(behind.map(name)))} ${behind.length === 1 ? 'is' : 'are'} ${words.behind}.` : ''
  if (ranking.outcome === 'tie') {
    const test = testOf(level.at(-1) as Contender)
    const interval =
      test.runs < 2 ? '' : `: their ratio lies in ${rangeOf(test.low, test.high)} (95${nbsp}% interval, ${test.runs}${nbsp}runs)`
    return `${capital(joinWords(level.map(name)))} tie${interval}.${rest}`
  }
  const open = level.slice(1).filter((entry) => testOf(entry).outcome !== 'tie')
  const reasons = [...new Set(open.map((entry) => unclearReason(testOf(entry), entry, leader, words.singleBand ?? singleRunBand)))]
  return `Whether ${joinWords(level.map(name), 'or')} ${words.question} is unclear: ${reasons.join('; ')}.${rest}`
}

const nbsp = '\u00a0'

function gapInterval(test: RatioTest): string {
  if (test.runs < 2) return ''
  const [low, high] = test.ratio < 1 ? [1 / test.high, 1 / test.low] : [test.low, test.high]
  return `; 95${nbsp}% interval ${rangeOf(low, high)}`
}

function rangeOf(low: number, high: number): string {
  return `${low.toFixed(2)}–${high.toFixed(2)}`
}

function unclearReason(test: RatioTest, entry: Contender, leader: Contender, singleBand: number): string {
  if (test.runs < 2) {
    const percent = Math.round((singleBand - 1) * 100)
    return `with one run each the spread is not known, and only a difference above ${percent}${nbsp}% counts`
  }
  const interval = `${rangeOf(test.low, test.high)} (95${nbsp}% interval, ${test.runs}${nbsp}runs)`
  return `the ratio of ${entry.paradigm} to ${leader.paradigm} lies in ${interval}, which allows both`
}
