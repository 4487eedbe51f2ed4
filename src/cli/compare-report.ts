import { relative } from 'node:path'
import type { ResultsDocument } from '../compare/report/results.ts'
import type { RunRow } from '../compare/summary.ts'
import type { Skipped } from '../compare/verdict/missing.ts'
import { dimensionTitles } from '../compare/verdict/verdict.ts'
import { formatBytes, formatCount, formatMetric, formatNumber, formatSeconds } from './format.ts'
import { formatFacts, formatTable } from './table.ts'

interface TableRow {
  readonly workload: string
  readonly rows: number
  readonly metric: string
  readonly cell: ResultsDocument['cases'][number]['cells'][number]
  /** Words instead of figures: a run that was made to lose a worker is not compared. */
  readonly loss?: string
}

/** Where the report is. */
export interface ReportPaths {
  readonly reportPath: string
  readonly resultsPath: string
}

/** The final table, the verdicts over all cases, what was left out, and where the report is. */
export function formatComparison(results: ResultsDocument, paths: ReportPaths, skipped: readonly Skipped[] = []): string {
  const runs = new Map(results.rows.map((row) => [row.id, row]))
  const rows = results.cases.flatMap(({ workload, rows: numRows, metric, cells }) =>
    cells.map((cell): TableRow => {
      const losses = cell.runs.flatMap((id) => runs.get(id)?.loss ?? [])
      const loss = losses.find((one) => one.injected)
      return { workload, rows: numRows, metric: metric.name, cell, ...(loss ? { loss: lossText(loss) } : {}) }
    }),
  )
  const table = formatTable(rows, [
    { title: 'workload', value: (row) => row.workload },
    { title: 'rows', value: (row) => formatCount(row.rows), align: 'right' },
    { title: 'system', value: (row) => row.cell.system },
    {
      title: 'spread',
      value: (row) => spreadOf(row.cell),
    },
    { title: 'result', value: resultOf, rest: (row) => row.loss },
    {
      title: 'train clock',
      value: (row) => simulated(row, row.cell.trainSeconds && formatSeconds(row.cell.trainSeconds.median)),
      align: 'right',
    },
    { title: 'in all', value: (row) => row.cell.totalSeconds && formatSeconds(row.cell.totalSeconds.median), align: 'right' },
    {
      title: 'rows/s',
      value: (row) => simulated(row, row.cell.samplesPerSecond && formatNumber(row.cell.samplesPerSecond.median)),
      align: 'right',
    },
    { title: 'speed-up', value: (row) => row.cell.speedup?.toFixed(2), align: 'right' },
    {
      title: 'sent/step',
      value: (row) => (row.cell.workers === 1 ? undefined : row.cell.bytesPerStep && formatBytes(Math.round(row.cell.bytesPerStep.median))),
      align: 'right',
    },
    { title: 'CPU', value: (row) => row.cell.cpuSeconds && formatSeconds(row.cell.cpuSeconds.median), align: 'right' },
    { title: 'memory', value: (row) => row.cell.peakBytesPerHost && formatBytes(row.cell.peakBytesPerHost.median), align: 'right' },
  ])
  const notes = rows.some(({ cell }) => cell.paradigm === 'virtual') ? ['~ simulated: the clock of virtual ranks, no measurement'] : []
  const verdicts = formatFacts(results.overall.map(({ dimension, sentence }) => [dimensionTitles[dimension], sentence]))
  const files = formatFacts([...leftOut(skipped), ['report', shortPath(paths.reportPath)], ['results', shortPath(paths.resultsPath)]])
  return [[table, ...notes].join('\n'), verdicts, files].join('\n\n')
}

/** `solo`, `parallel, threads ×2`, `hybrid ×4`. */
function spreadOf({ workers, paradigm, fabric }: TableRow['cell']): string {
  if (workers === 1 && paradigm === 'solo') return 'solo'
  return `${paradigm === fabric ? '' : `${paradigm}, `}${fabric} ×${workers}`
}

function resultOf({ cell, metric }: TableRow): string | undefined {
  return cell.finalMetric && `${metric} ${formatMetric(metric, cell.finalMetric.median)}`
}

/** `rank 1 lost on purpose at step 48; resumable`. */
function lossText({ ranks, step, level }: NonNullable<RunRow['loss']>): string {
  const end = { 3: 'went on', 2: 'resumable', 1: 'not resumable', 0: 'end unknown' }[level]
  return `rank ${ranks.join(', ')} lost on purpose${level === 3 ? '' : ` at step ${step}`}; ${end}`
}

function simulated({ cell }: TableRow, text: string | undefined): string | undefined {
  return text !== undefined && cell.paradigm === 'virtual' ? `~${text}` : text
}

/** Every way of running that was left out, once with each reason. */
function leftOut(skipped: readonly Skipped[]): (readonly [string, string])[] {
  const texts = new Set(skipped.map(({ paradigm, reason }) => `${paradigm}: ${reason}`))
  return [...texts].map((text, i) => [i === 0 ? 'left out' : '', text] as const)
}

/** Relative to the working folder where the file lies in it. */
function shortPath(path: string): string {
  const short = relative('', path)
  return short.startsWith('..') ? path : short
}
