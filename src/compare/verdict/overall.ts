/**
 * One line per dimension over all cases. A winner needs two thirds of the decided cases; otherwise the result depends on the axis (rows
 * or workload) whose best single split explains most of them.
 * @packageDocumentation
 */
import { type Case, type ComparedParadigm, comparedParadigms } from './case.ts'
import { capital, formatRows, joinWords } from './format-quantity.ts'
import { type Dimension, type Verdict, dimensions } from './verdict.ts'

/** What holds over all cases in one dimension. */
export interface OverallVerdict {
  readonly dimension: Dimension
  readonly outcome: 'wins' | 'depends' | 'undecided' | 'not measured'
  readonly leader?: ComparedParadigm
  readonly decided: number
  readonly cases: number
  readonly sentence: string
}

/** A case with its verdicts. */
export interface JudgedCase {
  readonly case: Case
  readonly verdicts: readonly Verdict[]
}

interface Point {
  readonly winner: ComparedParadigm
  readonly rows: number
  readonly workload: string
}

/** The overall verdicts, one per dimension. */
export function overallVerdicts(judged: readonly JudgedCase[]): OverallVerdict[] {
  return dimensions.map((dimension) => overall(dimension, judged))
}

function overall(dimension: Dimension, judged: readonly JudgedCase[]): OverallVerdict {
  const found = judged.flatMap((entry) => {
    const verdict = entry.verdicts.find((candidate) => candidate.dimension === dimension)
    return verdict ? [{ of: entry.case, verdict }] : []
  })
  const points = found.flatMap(({ of, verdict }) => {
    const winner = verdict.outcome === 'wins' ? verdict.leaders[0] : undefined
    return winner ? [{ winner, rows: of.rows, workload: of.workload }] : []
  })
  const base = { dimension, decided: points.length, cases: found.length }
  const others = otherOutcomes(found.map(({ verdict }) => verdict))
  if (points.length === 0) {
    const outcome = found.every(({ verdict }) => verdict.outcome === 'not measured') ? 'not measured' : 'undecided'
    const sentence =
      outcome === 'not measured'
        ? 'No record speaks about it.'
        : `No case has a single winner: ${others}.${unbeaten(found.map(({ verdict }) => verdict))}`
    return { ...base, outcome, sentence }
  }
  const tail = others ? `; the rest: ${others}` : ''
  const [leader, wins] = majority(points)
  if (wins >= (2 / 3) * points.length) {
    const scope = points.length === 1 ? 'the one decided case' : `${wins} of ${points.length} decided cases`
    return { ...base, outcome: 'wins', leader, sentence: `${capital(leader)} wins ${scope}${tail}.` }
  }
  return {
    ...base,
    outcome: 'depends',
    sentence: `Depends on ${bestSplit(points)}${tail}.${unbeaten(found.map(({ verdict }) => verdict))}`,
  }
}

function otherOutcomes(verdicts: readonly Verdict[]): string {
  const words = {
    tie: 'tied',
    unclear: 'unclear',
    'trade-off': 'a trade-off',
    'no contest': 'without a contest',
    'not measured': 'not measured',
  } as const
  return joinWords(
    Object.entries(words).flatMap(([outcome, word]) => {
      const n = verdicts.filter((verdict) => verdict.outcome === outcome).length
      return n === 0 ? [] : [`${n}\u00a0${word}`]
    }),
  )
}

/** How often each was the best or not told apart from it. */
function unbeaten(verdicts: readonly Verdict[]): string {
  const contested = verdicts.filter((verdict) => verdict.outcome === 'wins' || verdict.outcome === 'tie' || verdict.outcome === 'unclear')
  const counts = comparedParadigms
    .map((paradigm) => ({ paradigm, n: contested.filter((verdict) => verdict.leaders.includes(paradigm)).length }))
    .filter(({ n }) => n > 0)
    .sort((a, b) => b.n - a.n)
  if (counts.every(({ n }) => n === contested.length)) return ''
  return ` Not beaten: ${joinWords(counts.map(({ paradigm, n }) => `${paradigm} in ${n} of ${contested.length}`))}.`
}

function majority(points: readonly Point[]): [ComparedParadigm, number] {
  const counts = new Map<ComparedParadigm, number>()
  for (const { winner } of points) counts.set(winner, (counts.get(winner) ?? 0) + 1)
  return [...counts].reduce((best, entry) => (entry[1] > best[1] ? entry : best))
}

/** The single cut of one axis after which the majorities of both sides explain most points. */
function bestSplit(points: readonly Point[]): string {
  const rows = [...new Set(points.map((point) => point.rows))].sort((a, b) => a - b)
  const byRows = rows.slice(1).map((threshold) => ({
    left: points.filter((point) => point.rows < threshold),
    right: points.filter((point) => point.rows >= threshold),
    words: ([below, above]: readonly string[]) => `the rows: ${below} below ${formatRows(threshold)}, ${above} from there on`,
  }))
  const byWorkload = [...new Set(points.map((point) => point.workload))].map((workload) => ({
    left: points.filter((point) => point.workload === workload),
    right: points.filter((point) => point.workload !== workload),
    words: ([of, others]: readonly string[]) => `the workload: ${of} for ${workload}, ${others} for the others`,
  }))
  const splits = [...byRows, ...byWorkload].filter((split) => split.left.length > 0 && split.right.length > 0)
  const explained = (split: (typeof splits)[number]) => majority(split.left)[1] + majority(split.right)[1]
  const best = splits.reduce<(typeof splits)[number] | undefined>(
    (top, split) => (top && explained(top) >= explained(split) ? top : split),
    undefined,
  )
  if (!best) return `more than the records vary: ${joinWords(points.map((point) => point.winner))} win once each`
  const sides = [majority(best.left)[0], majority(best.right)[0]]
  const part = explained(best) === points.length ? '' : ` (explains ${explained(best)} of ${points.length})`
  return best.words(sides) + part
}
