import { relative } from 'node:path'
import type { ResultsDocument } from '../compare/report/results.ts'
import { dimensionTitles } from '../compare/verdict/verdict.ts'
import { formatBytes, formatCount, formatMetric, formatNumber, formatSeconds } from './format.ts'
import { formatFacts, formatTable } from './table.ts'

interface TableRow {
  readonly workload: string
  readonly rows: number
  readonly metric: string
  readonly cell: ResultsDocument['cases'][number]['cells'][number]
}

/** The final table, the verdicts over all cases, and where the report is. */
export function formatComparison(results: ResultsDocument, paths: { readonly reportPath: string; readonly resultsPath: string }): string {
  const rows = results.cases.flatMap(({ workload, rows: numRows, metric, cells }) =>
    cells.map((cell): TableRow => ({ workload, rows: numRows, metric: metric.name, cell })),
  )
  const table = formatTable(rows, [
    { title: 'workload', value: (row) => row.workload },
    { title: 'rows', value: (row) => formatCount(row.rows), align: 'right' },
    { title: 'system', value: (row) => row.cell.system },
    {
      title: 'spread',
      value: (row) => (row.cell.workers === 1 ? 'solo' : `${row.cell.paradigm}, ${row.cell.fabric} ×${row.cell.workers}`),
    },
    { title: 'metric', value: (row) => row.cell.finalMetric && `${row.metric} ${formatMetric(row.metric, row.cell.finalMetric.median)}` },
    { title: 'time', value: (row) => row.cell.trainSeconds && formatSeconds(row.cell.trainSeconds.median), align: 'right' },
    { title: 'rows/s', value: (row) => row.cell.samplesPerSecond && formatNumber(row.cell.samplesPerSecond.median), align: 'right' },
    { title: 'speed-up', value: (row) => row.cell.speedup?.toFixed(2), align: 'right' },
    { title: 'sent/step', value: (row) => row.cell.bytesPerStep && formatBytes(Math.round(row.cell.bytesPerStep.median)), align: 'right' },
    { title: 'CPU', value: (row) => row.cell.cpuSeconds && formatSeconds(row.cell.cpuSeconds.median), align: 'right' },
    { title: 'memory', value: (row) => row.cell.peakBytesPerHost && formatBytes(row.cell.peakBytesPerHost.median), align: 'right' },
  ])
  const verdicts = formatFacts(results.overall.map(({ dimension, sentence }) => [dimensionTitles[dimension], sentence]))
  const files = formatFacts([
    ['report', shortPath(paths.reportPath)],
    ['results', shortPath(paths.resultsPath)],
  ])
  return [table, verdicts, files].join('\n\n')
}

/** Relative to the working folder where the file lies in it. */
function shortPath(path: string): string {
  const short = relative('', path)
  return short.startsWith('..') ? path : short
}
