/**
 * One line per dimension over all cases: who is ahead in which, and what became of the others. What a size changes is said only where
 * the same workload ran at several sizes, and more than one case on each side of the size agree.
 * @packageDocumentation
 */
import { type Case, type ComparedParadigm, comparedParadigms } from './case.ts'
import { startUpOutweighs } from './cost.ts'
import { capital, formatRows, joinWords } from './format-quantity.ts'
import { type Dimension, type Verdict, type VerdictOutcome, dimensions } from './verdict.ts'

/** What holds over all cases in one dimension. A winner needs two thirds of the decided cases. */
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

interface Entry {
  readonly of: Case
  readonly verdict: Verdict
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
  const groups = byWinner(found)
  const decided = groups.reduce((sum, group) => sum + group.entries.length, 0)
  const base = { dimension, decided, cases: found.length }
  if (found.every(({ verdict }) => verdict.outcome === 'not measured')) {
    return { ...base, outcome: 'not measured', sentence: 'No record speaks about it.' }
  }
  const clauses =
    dimension === 'faults'
      ? lossClauses(found)
      : [winClauses(dimension, groups, found.length), ...openClauses(dimension, found)].filter((clause) => clause !== '')
  const sentence = [
    `${capital(clauses.join('; '))}.`,
    ...sizeSentence(found),
    ...(dimension === 'cost' ? startUpSentence(found) : []),
  ].join(' ')
  const first = groups[0]
  if (!first) return { ...base, outcome: 'undecided', sentence }
  if (first.entries.length < (2 / 3) * decided) return { ...base, outcome: 'depends', sentence }
  return { ...base, outcome: 'wins', leader: first.winner, sentence }
}

interface Group {
  readonly winner: ComparedParadigm
  readonly entries: readonly Entry[]
}

/** Decided cases by their winner, the most frequent one first. */
function byWinner(found: readonly Entry[]): Group[] {
  const groups = new Map<ComparedParadigm, Entry[]>()
  for (const entry of found) {
    const winner = winnerOf(entry)
    if (winner) groups.set(winner, [...(groups.get(winner) ?? []), entry])
  }
  return [...groups].map(([winner, entries]) => ({ winner, entries })).sort((a, b) => b.entries.length - a.entries.length)
}

function winnerOf({ verdict }: Entry): ComparedParadigm | undefined {
  return verdict.outcome === 'wins' ? verdict.leaders[0] : undefined
}

/** A lost worker is no race: what happens is said instead. */
type Contested = Exclude<Dimension, 'faults'>

/** What a winner of the dimension does, and what is asked where none is found. */
const ahead = {
  cost: ['is fastest on the train clock', 'fastest'],
  scalability: ['makes most of more workers', 'best with more workers'],
  accuracy: ['ends best', 'best'],
  communication: ['is ahead', 'ahead'],
  memory: ['needs least memory', 'smallest'],
} as const satisfies Record<Contested, readonly [wins: string, open: string]>

/** `distributed is fastest in a, solo in b`. */
function winClauses(dimension: Contested, groups: readonly Group[], total: number): string {
  // One worker “wins” in scalability where no larger number is worth its cores.
  const alone = groups.filter(({ winner }) => dimension === 'scalability' && winner === 'solo')
  const [first, ...others] = groups.filter((group) => !alone.includes(group))
  const clauses = [
    ...(first ? [`${first.winner} ${ahead[dimension][0]} ${placeOf(first.entries, total)}`] : []),
    ...others.map(({ winner, entries }) => `${winner} ${placeOf(entries, total)}`),
    ...alone.map(({ entries }) => `more workers do not pay ${placeOf(entries, total)}`),
  ]
  return clauses.join(', ')
}

const lossWords = [
  'end in a way that is not recorded',
  'end without a checkpoint when a worker is lost',
  'end with a checkpoint to resume from when a worker is lost',
  'go on when a worker is lost',
] as const

/** What a lost worker does to each way of running: the worst of its cases. */
function lossClauses(found: readonly Entry[]): string[] {
  const tried = found.filter(({ verdict }) => verdict.outcome !== 'not measured')
  const levelOf = (paradigm: ComparedParadigm): number =>
    Math.min(...tried.map(({ verdict }) => verdict.values[paradigm]?.['level'] ?? Number.POSITIVE_INFINITY))
  return [3, 2, 1, 0].flatMap((level) => {
    const names = comparedParadigms.filter((paradigm) => levelOf(paradigm) === level)
    return names.length === 0 ? [] : [`${joinWords(names)} ${lossWords[level]} (tried ${placeOf(tried, found.length)})`]
  })
}

/** Stands for the leaders where they are not the same in all cases. */
const several = 'two or more'

function openClauses(dimension: Contested, found: readonly Entry[]): string[] {
  const clause = (outcome: VerdictOutcome, words: (who: string, where: string) => string) => {
    const entries = found.filter(({ verdict }) => verdict.outcome === outcome)
    if (entries.length === 0) return []
    const leaders = [...new Set(entries.map(({ verdict }) => joinWords(comparedParadigms.filter((one) => verdict.leaders.includes(one)))))]
    return [words(leaders.length === 1 ? (leaders[0] as string) : several, placeOf(entries, found.length))]
  }
  return [
    ...clause('tie', (who, where) => `${who} are level ${where}`),
    ...clause('unclear', (_, where) => `the runs do not tell who is ${ahead[dimension][1]} ${where}`),
    ...clause('trade-off', (_, where) => `each is better in one respect ${where}`),
    ...clause('no contest', (who, where) => `only ${who === several ? 'one way of running' : who} was measured ${where}`),
    ...clause('not measured', (_, where) => `not measured ${where}`),
  ]
}

/** `in kmeans/mnist and ols/linear`, `in 5 of 8 cases`, `in all 4 cases`. */
function placeOf(entries: readonly Entry[], total: number): string {
  if (entries.length === total && total > 1) return `in all ${total}\u00a0cases`
  return entries.length <= 2 ? `in ${joinWords(entries.map(({ of }) => of.title))}` : `in ${entries.length} of ${total}\u00a0cases`
}

/** The size at which the winner changes, if one size parts all decided cases of the workloads that ran at several. */
function sizeSentence(found: readonly Entry[]): string[] {
  const points = found.flatMap((entry) => {
    const winner = winnerOf(entry)
    return winner ? [{ winner, rows: entry.of.rows, workload: entry.of.workload }] : []
  })
  const sized = points.filter((point) => points.some((other) => other.workload === point.workload && other.rows !== point.rows))
  const sizes = [...new Set(sized.map((point) => point.rows))].sort((a, b) => a - b)
  for (const size of sizes.slice(1)) {
    const [below, above] = [sized.filter((point) => point.rows < size), sized.filter((point) => point.rows >= size)]
    const winners = [below, above].map((side) => [...new Set(side.map((point) => point.winner))])
    const agreed = winners.every((side) => side.length === 1) && winners[0]?.[0] !== winners[1]?.[0]
    if (!agreed || below.length < 2 || above.length < 2) continue
    const where = [...new Set(sized.map((point) => point.workload))]
    return [
      `For ${joinWords(where)} it depends on the rows: ${winners[0]?.[0]} below ${formatRows(size)}, ${winners[1]?.[0]} from there on.`,
    ]
  }
  return []
}

function startUpSentence(found: readonly Entry[]): string[] {
  const small = found.filter(({ verdict }) => Object.values(verdict.values).some(startUpOutweighs))
  if (small.length === 0) return []
  return [
    `${capital(placeOf(small, found.length))} start-up takes longer than the training itself in at least one way of running: there, look at the totals.`,
  ]
}
