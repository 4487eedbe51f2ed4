import type { MachineInfo, RunRecord } from '../../records/record.ts'
import type { RunRow } from '../summary.ts'
import type { Case, Cell, ComparedParadigm } from '../verdict/case.ts'
import { comparedParadigms } from '../verdict/case.ts'
import { type Skipped, whyMissing } from '../verdict/missing.ts'
import type { JudgedCase, OverallVerdict } from '../verdict/overall.ts'
import { type Representatives, representatives } from '../verdict/representatives.ts'
import type { Verdict } from '../verdict/verdict.ts'

/** Version of {@link ResultsDocument}; a changed meaning makes a new one. */
export const resultsVersion = 1

/**
 * `results.json`: everything that the report shows, as data. Times in seconds, sizes in bytes, shares and efficiencies of 1; a spread is
 * `{ median, low, high, runs }` with quartiles. Fields that were not measured are absent.
 */
export interface ResultsDocument {
  readonly form: 'tutti-results'
  readonly version: number
  readonly tutti: string
  readonly title: string
  /** Start of the first and of the last run, ISO 8601. */
  readonly startedAt: string
  readonly lastStartedAt: string
  readonly machines: readonly MachineInfo[]
  /** One object per run. */
  readonly rows: readonly RunRow[]
  readonly cases: readonly CaseResult[]
  readonly overall: readonly OverallVerdict[]
}

/** One workload at one size. */
export interface CaseResult {
  readonly workload: string
  readonly rows: number
  readonly metric: { readonly name: string; readonly better: 'higher' | 'lower' }
  readonly cells: readonly CellResult[]
  /** Label of the cell that stands for each paradigm in the verdicts. */
  readonly representatives: Readonly<Partial<Record<ComparedParadigm, string>>>
  /** Why a paradigm has none. */
  readonly missing: Readonly<Partial<Record<ComparedParadigm, string>>>
  readonly verdicts: readonly Verdict[]
}

/** One configuration with its repeats. */
export type CellResult = Omit<Cell, 'key' | 'index' | 'runs' | 'done'> & {
  /** Ids of all runs, and how many finished. */
  readonly runs: readonly string[]
  readonly finished: number
}

/** Puts rows, cells and verdicts together. */
export function resultsDocument(
  records: readonly RunRecord[],
  rows: readonly RunRow[],
  judged: readonly JudgedCase[],
  overall: readonly OverallVerdict[],
  options: { readonly title: string; readonly skipped: readonly Skipped[] },
): ResultsDocument {
  const starts = records.map((record) => record.config.startedAt).sort()
  const machines = uniqueMachines(records)
  return {
    form: 'tutti-results',
    version: resultsVersion,
    tutti: records[0]?.config.version ?? '',
    title: options.title,
    startedAt: starts[0] ?? '',
    lastStartedAt: starts.at(-1) ?? '',
    machines,
    rows,
    cases: judged.map((entry) => caseResult(entry, machines[0] as MachineInfo, options.skipped)),
    overall,
  }
}

/** Machines of the records, each once. */
export function uniqueMachines(records: readonly RunRecord[]): MachineInfo[] {
  const byContent = new Map(records.map((record) => [JSON.stringify(record.config.machine), record.config.machine]))
  return [...byContent.values()]
}

function caseResult({ case: of, verdicts }: JudgedCase, machine: MachineInfo, skipped: readonly Skipped[]): CaseResult {
  return {
    workload: of.workload,
    rows: of.rows,
    metric: { name: of.metricName, better: of.better },
    cells: of.cells.map(({ key: _key, index: _index, runs, done, ...cell }) => ({
      ...cell,
      runs: runs.map((run) => run.id),
      finished: done.length,
    })),
    representatives: labels(representatives(of)),
    missing: missingOf(of, machine, skipped),
    verdicts,
  }
}

function labels(chosen: Representatives): Partial<Record<ComparedParadigm, string>> {
  return Object.fromEntries(Object.entries(chosen).map(([paradigm, cell]) => [paradigm, cell.label]))
}

/** Why each absent paradigm of a case is absent. */
export function missingOf(of: Case, machine: MachineInfo, skipped: readonly Skipped[]): Partial<Record<ComparedParadigm, string>> {
  return Object.fromEntries(
    comparedParadigms.flatMap((paradigm) => {
      const why = whyMissing(paradigm, of, machine, skipped)
      return why === undefined ? [] : [[paradigm, why]]
    }),
  )
}
