/**
 * What a verdict is, and the one rule by which contenders are ranked on a measured quantity: the best median leads; who cannot be
 * told apart from it ties with it or leaves it unclear.
 * @packageDocumentation
 */
import type { Cell, ComparedParadigm } from './case.ts'
import { type RatioTest, type Sample, compareRatio, median } from './statistics.ts'

/** What is judged, in the order of the report. */
export const dimensions = ['cost', 'scalability', 'accuracy', 'communication', 'memory', 'faults'] as const
export type Dimension = (typeof dimensions)[number]

export const dimensionTitles = {
  cost: 'Cost',
  scalability: 'Scalability',
  accuracy: 'Accuracy',
  communication: 'Communication',
  memory: 'Memory',
  faults: 'A lost worker',
} as const satisfies Record<Dimension, string>

/**
 * `trade-off`: each is better in one of two quantities. `no contest`: only one way of running was measured. `not measured`: no record
 * speaks.
 */
export type VerdictOutcome = 'wins' | 'tie' | 'unclear' | 'trade-off' | 'no contest' | 'not measured'

/** A verdict on one dimension of one case. */
export interface Verdict {
  readonly dimension: Dimension
  readonly outcome: VerdictOutcome
  /** The winner; those that tie, are unclear or trade off; empty when nothing was measured. */
  readonly leaders: readonly ComparedParadigm[]
  /** Who is ahead in each quantity, where the dimension has several (`bytes`, `time`); absent where nobody is. */
  readonly ahead?: Readonly<Record<string, ComparedParadigm>>
  /** Plain sentences, computed from the records. */
  readonly sentences: readonly string[]
  /** The quantities behind them, by paradigm; times in seconds, sizes in bytes, shares of 1. */
  readonly values: Readonly<Partial<Record<ComparedParadigm, Readonly<Record<string, number>>>>>
}

/** A paradigm with its repeats of one quantity. */
export interface Contender {
  readonly paradigm: ComparedParadigm
  readonly cell: Cell
  readonly samples: readonly Sample[]
  readonly value: number
}

/** Contenders from best to worst, and how the leader stands against each of the others. */
export interface Ranking {
  readonly outcome: 'wins' | 'tie' | 'unclear' | 'no contest' | 'not measured'
  readonly leaders: readonly ComparedParadigm[]
  readonly order: readonly Contender[]
  readonly tests: readonly RatioTest[]
}

/** A contender, or none when there is no sample. */
export function contender(paradigm: ComparedParadigm, cell: Cell, samples: readonly Sample[]): Contender[] {
  return samples.length === 0 ? [] : [{ paradigm, cell, samples, value: median(samples.map((sample) => sample.value)) }]
}

/** Options of {@link rankByRatio}. */
export interface RankOptions {
  readonly better: 'higher' | 'lower'
  /** What the ratio must exceed when a contender ran once. */
  readonly singleBand?: number
  /** Absolute difference from the leader up to which it is a tie, whatever the ratio. */
  readonly tieWithin?: number
}

/** Ranks positive quantities by their ratio. */
export function rankByRatio(contenders: readonly Contender[], options: RankOptions): Ranking {
  const sign = options.better === 'lower' ? 1 : -1
  const order = [...contenders].sort((a, b) => sign * (a.value - b.value))
  const leader = order[0]
  if (!leader || order.length < 2) return { ...uncontested(order), order, tests: [] }
  const wins = options.better === 'lower' ? 'larger' : 'smaller'
  const tests = order.slice(1).map((other): RatioTest => {
    const test = compareRatio(other.samples, leader.samples, options.singleBand)
    return Math.abs(other.value - leader.value) <= (options.tieWithin ?? 0) ? { ...test, outcome: 'tie' } : test
  })
  return {
    ...decide(
      order,
      tests.map((test) => (test.outcome === wins ? 'worse' : test.outcome === 'tie' ? 'tie' : 'unclear')),
    ),
    order,
    tests,
  }
}

/** Ranks by absolute difference: within `band`, or within the larger range of the repeats of either, is a tie. */
export function rankByDifference(contenders: readonly Contender[], better: 'higher' | 'lower', band: number): Omit<Ranking, 'tests'> {
  const sign = better === 'lower' ? 1 : -1
  const order = [...contenders].sort((a, b) => sign * (a.value - b.value))
  const leader = order[0]
  if (!leader || order.length < 2) return { ...uncontested(order), order }
  const against = order.slice(1).map((other) => {
    const tie = Math.abs(other.value - leader.value) <= Math.max(band, range(leader), range(other))
    return tie ? ('tie' as const) : ('worse' as const)
  })
  return { ...decide(order, against), order }
}

/** Largest minus smallest repeat. */
export function range(entry: Contender): number {
  const values = entry.samples.map((sample) => sample.value)
  return Math.max(...values) - Math.min(...values)
}

function uncontested(order: readonly Contender[]): Pick<Ranking, 'outcome' | 'leaders'> {
  return { outcome: order.length === 0 ? 'not measured' : 'no contest', leaders: order.map((entry) => entry.paradigm) }
}

function decide(order: readonly Contender[], against: readonly ('worse' | 'tie' | 'unclear')[]): Pick<Ranking, 'outcome' | 'leaders'> {
  const level = order.filter((_, i) => i === 0 || against[i - 1] !== 'worse').map((entry) => entry.paradigm)
  if (against.includes('unclear')) return { outcome: 'unclear', leaders: level }
  return level.length > 1 ? { outcome: 'tie', leaders: level } : { outcome: 'wins', leaders: level }
}

/** Values of a ranking for the verdict's table. */
export function valuesOf(name: string, order: readonly Contender[]): Verdict['values'] {
  return Object.fromEntries(order.map((entry) => [entry.paradigm, { [name]: entry.value }]))
}

/** The verdict where no record speaks. */
export function notMeasured(dimension: Dimension, why: string, values: Verdict['values'] = {}): Verdict {
  return { dimension, outcome: 'not measured', leaders: [], sentences: [`Not measured: ${why}.`], values }
}

/** The verdict where only one way of running was measured: its figure, and that nothing stands against it. */
export function noContest(dimension: Dimension, only: ComparedParadigm, fact: string, values: Verdict['values']): Verdict {
  const sentences = [`Only ${only} was measured, so there is nothing to compare: ${fact}.`]
  return { dimension, outcome: 'no contest', leaders: [only], sentences, values }
}
