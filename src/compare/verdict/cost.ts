/**
 * Cost: seconds of the train clock to the same result, with the total clock beside them. Where all contenders end equally good, the time of the whole budget is compared; where they do
 * not, or the runs name a target, the time until the target is first reached (linear between snapshots).
 * @packageDocumentation
 */
import type { RunRow } from '../summary.ts'
import { accuracyBand } from './accuracy.ts'
import { type Case, type Cell, comparedParadigms, samples, secondsPerEpoch } from './case.ts'
import { capital, count, formatMetric, formatNumber, formatSeconds, joinWords } from './format-quantity.ts'
import { rankingSentence } from './ranking-words.ts'
import type { Representatives } from './representatives.ts'
import { type Contender, type Ranking, type Verdict, contender, rankByDifference, rankByRatio } from './verdict.ts'

/** What the time is counted to. */
interface Basis {
  readonly target?: number
  /** `for 3 epochs`, `to accuracy 98.00 %`. */
  readonly words: string
  readonly why: string
  /** True when the same budget is compared as a whole, so that other totals of the run compare too. */
  readonly wholeRun: boolean
  readonly seconds: (run: RunRow) => number | undefined
}

/** The verdict on seconds of the train clock, with the total clock and CPU seconds beside. */
export function costVerdict(of: Case, chosen: Representatives): Verdict {
  const present = comparedParadigms.flatMap((paradigm) => (chosen[paradigm] ? [{ paradigm, cell: chosen[paradigm] as Cell }] : []))
  const fitting = present.filter(({ cell }) => !cell.oversubscribed)
  const basis = basisOf(
    of,
    fitting.map(({ cell }) => cell),
  )
  const contenders = fitting.flatMap(({ paradigm, cell }) => contender(paradigm, cell, samples(cell, basis.seconds)))
  const missed = fitting.filter(({ cell }) => samples(cell, basis.seconds).length === 0)
  const ranking = rankByRatio(contenders, { better: 'lower' })
  const contested = contenders.length > 1
  const main = rankingSentence(ranking, {
    wins: (time) => `was fastest on the train clock, ${time} ${basis.words}`,
    gap: (factor, other, time) => `${factor} as fast as ${other} (${time})`,
    question: 'is faster on the train clock',
    behind: 'slower',
    format: (seconds) => formatSeconds(seconds),
  })
  const sentences = [
    contested ? main + basis.why : uncontested(contenders[0], basis),
    ...missed.map(({ paradigm }) => `${capital(paradigm)} never reached ${formatMetric(of.metricName, basis.target)}.`),
    ...(contested && basis.wholeRun ? [totalClock(fitting, contenders, ranking)] : []),
    outweighed(fitting),
    ...(contested ? [cpuCost(fitting)] : []),
    ...present.filter(({ cell }) => cell.oversubscribed).map(({ paradigm, cell }) => oversubscribed(paradigm, cell)),
    ...partlyFailed(present),
  ].filter((sentence) => sentence !== '')
  const values = Object.fromEntries(
    present.map(({ paradigm, cell }) => [
      paradigm,
      {
        ...pick('seconds', contenders.find((entry) => entry.paradigm === paradigm)?.value),
        ...pick('trainSeconds', cell.trainSeconds?.median),
        ...pick('totalSeconds', cell.totalSeconds?.median),
        ...pick('cpuSeconds', cell.cpuSeconds?.median),
        ...pick('speedup', cell.speedup),
      },
    ]),
  )
  const ahead = { ...winnerOf('train', ranking), ...(basis.wholeRun ? winnerOf('total', totalRanking(fitting)) : {}) }
  return { dimension: 'cost', outcome: ranking.outcome, leaders: ranking.leaders, ahead, sentences, values }
}

function totalRanking(fitting: Present): Ranking {
  const contenders = fitting.flatMap(({ paradigm, cell }) =>
    contender(
      paradigm,
      cell,
      samples(cell, (run) => run.totalSeconds),
    ),
  )
  return rankByRatio(contenders, { better: 'lower' })
}

function winnerOf(clock: 'train' | 'total', { outcome, leaders }: Ranking): NonNullable<Verdict['ahead']> {
  return outcome === 'wins' && leaders[0] ? { [clock]: leaders[0] } : {}
}

function pick(name: string, value: number | undefined): Record<string, number> {
  return value === undefined || !Number.isFinite(value) ? {} : { [name]: value }
}

function uncontested(only: Contender | undefined, basis: Basis): string {
  if (!only) return 'Not measured: no finished run of this case has a time that can be compared.'
  return `Only ${only.paradigm} has a time that can be compared: ${formatSeconds(only.value)} of the train clock ${basis.words}.`
}

function basisOf(of: Case, cells: readonly Cell[]): Basis {
  const targets = cells.flatMap((cell) => cell.done.flatMap((run) => run.target ?? []))
  if (targets.length > 0) return targetBasis(of, Math[of.better === 'higher' ? 'min' : 'max'](...targets), ' The runs name this target.')
  const finals = cells.flatMap((cell) => (cell.finalMetric ? [cell.finalMetric.median] : []))
  const entries = cells.flatMap((cell) =>
    contender(
      'solo',
      cell,
      samples(cell, (run) => run.finalMetric),
    ),
  )
  const quality = rankByDifference(entries, of.better, accuracyBand(of.metricName, finals))
  const apart = entries.length > 1 && quality.leaders.length < entries.length
  if (apart && cells.some((cell) => cell.done.some((run) => run.curve.length > 1))) {
    const reached = cells.flatMap((cell) => samples(cell, (run) => run.finalMetric).map((sample) => sample.value))
    const worst = of.better === 'higher' ? Math.min(...reached) : Math.max(...reached)
    return targetBasis(of, worst, ' They did not end equally good, so the time is taken to what all of them reached.')
  }
  const epochs = cells.flatMap((cell) => cell.done.map((run) => run.epochs))
  const same = epochs.every((value) => Math.abs(value - (epochs[0] as number)) <= 0.01 * (epochs[0] as number))
  if (!same)
    return {
      words: 'per epoch',
      why: ' Their budgets differ, so the time of one epoch is compared.',
      wholeRun: false,
      seconds: secondsPerEpoch,
    }
  const budget = epochs[0] === undefined || epochs[0] === 0 ? 'for the whole run' : `for ${epochWords(epochs[0])}`
  return { words: budget, why: '', wholeRun: true, seconds: (run) => run.trainSeconds }
}

function epochWords(epochs: number): string {
  return Number.isInteger(epochs) ? count(epochs, 'epoch') : `${formatNumber(epochs)}\u00a0epochs`
}

function targetBasis(of: Case, target: number, why: string): Basis {
  const words = `to ${of.metricTitle} ${formatMetric(of.metricName, target)}`
  return { target, words, why, wholeRun: false, seconds: (run) => timeToReach(run, target) }
}

/** Train seconds until the metric first reaches the target, linear between snapshots; undefined when it never does. */
export function timeToReach(run: Pick<RunRow, 'curve' | 'better'>, target: number): number | undefined {
  const reached = (metric: number) => (run.better === 'higher' ? metric >= target : metric <= target)
  const index = run.curve.findIndex((point) => reached(point.metric))
  const point = run.curve[index]
  const before = run.curve[index - 1]
  if (!point || !before) return point?.time
  const part = point.metric === before.metric ? 1 : (target - before.metric) / (point.metric - before.metric)
  return before.time + part * (point.time - before.time)
}

type Present = readonly { readonly paradigm: Contender['paradigm']; readonly cell: Cell }[]

function totalClock(fitting: Present, contenders: readonly Contender[], ranking: Ranking): string {
  const known = fitting.flatMap(({ paradigm, cell }) => (cell.totalSeconds ? [{ paradigm, seconds: cell.totalSeconds.median }] : []))
  if (known.length < contenders.length) return ''
  const order = [...known].sort((a, b) => a.seconds - b.seconds)
  const list = joinWords(order.map(({ paradigm, seconds }) => `${paradigm} ${formatSeconds(seconds)}`))
  const first = order[0] as (typeof order)[number]
  const change = ranking.leaders.includes(first.paradigm) ? '' : `, so ${first.paradigm} is first there`
  return `In all, with start-up and evaluation: ${list}${change}.`
}

/** True where less than half of the whole time was training: then the train clock says little about what a user waits for. */
export function startUpOutweighs({ trainSeconds, totalSeconds }: Readonly<Record<string, number>>): boolean {
  return trainSeconds !== undefined && totalSeconds !== undefined && totalSeconds > 2 * trainSeconds
}

function outweighed(fitting: Present): string {
  const found = fitting.flatMap(({ paradigm, cell }) => {
    const [trainSeconds, totalSeconds] = [cell.trainSeconds?.median ?? 0, cell.totalSeconds?.median ?? 0]
    const words = `${paradigm} ${formatSeconds(trainSeconds)} of training, ${formatSeconds(totalSeconds)} in all`
    return startUpOutweighs({ trainSeconds, totalSeconds }) ? [words] : []
  })
  return found.length === 0 ? '' : `Start-up outweighs the training: ${found.join('; ')}.`
}

function cpuCost(fitting: Present): string {
  const known = fitting.flatMap(({ paradigm, cell }) => (cell.cpuSeconds ? [{ paradigm, seconds: cell.cpuSeconds.median }] : []))
  if (known.length < 2) return ''
  const order = [...known].sort((a, b) => a.seconds - b.seconds)
  return `Processor time spent: ${joinWords(order.map(({ paradigm, seconds }) => `${paradigm} ${formatSeconds(seconds)}`))}.`
}

function oversubscribed(paradigm: string, cell: Cell): string {
  const run = cell.runs.reduce((worst, candidate) => (candidate.ranksPerHost > worst.ranksPerHost ? candidate : worst))
  const cores = count(run.cores, 'core')
  return `${capital(paradigm)} put ${count(run.ranksPerHost, 'rank')} on ${cores}, so its time is shown but not judged.`
}

function partlyFailed(present: Present): string[] {
  return present.flatMap(({ paradigm, cell }) => {
    const tried = cell.runs.length
    return cell.done.length < tried ? [`${capital(paradigm)}: ${cell.done.length} of ${tried} runs finished; the others are left out.`] : []
  })
}
