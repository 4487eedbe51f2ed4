import type { RunRow } from '../summary.ts'
import type { Case, Cell } from '../verdict/case.ts'
import {
  formatBytes,
  formatFactor,
  formatMetric,
  formatRate,
  formatSeconds,
  formatShare,
  isShareMetric,
} from '../verdict/format-quantity.ts'
import type { Spread } from '../verdict/statistics.ts'
import { type Markup, html } from './html.ts'
import { scrollFrame } from './scroll-frame.ts'
import { paradigmName } from './verdict-chip.ts'

const columns = [
  'Run as',
  'Configuration',
  'Train clock',
  'In all',
  'Speed-up',
  'Samples/s',
  'Metric',
  'Bytes/step',
  'CPU',
  'Memory',
  'Status',
]

/** One row per configuration, grouped by case. */
export function summaryTable(cases: readonly Case[]): Markup {
  return scrollFrame(
    html`<table class="summary">
<thead><tr>${columns.map(columnHead)}</tr></thead>
${cases.map(
  (of) =>
    html`<tbody>
<tr class="group"><th colspan="${columns.length}" scope="rowgroup">
<span>${of.title} · ${of.metricTitle}, ${of.better} is better</span></th></tr>
${of.cells.map((cell) => row(cell, of))}</tbody>`,
)}
</table>`,
    true,
  )
}

function columnHead(name: string): Markup {
  return html`<th scope="col" class="${name === 'Configuration' ? 'label' : 'figure'}">${name}</th>`
}

function row(cell: Cell, of: Case): Markup {
  if (cell.runs.every((run) => run.faulty)) return faultyRow(cell)
  const rate = cell.samplesPerSecond && formatRate(cell.samplesPerSecond.median).replace('\u00a0samples/s', '')
  const simulated = cell.paradigm === 'virtual' && cell.done.length > 0 && html`<small>simulated</small>`
  return html`<tr data-row="${cell.index}">
<th scope="row">${paradigmName(cell.paradigm)}</th>
<td class="label" title="${cell.label}">${cell.label}</td>
<td>${spread(cell.trainSeconds, formatSeconds)}${simulated}</td>
<td>${spread(cell.totalSeconds, formatSeconds)}</td>
<td>${formatFactor(cell.speedup)}</td>
<td>${rate ?? '–'}${rate !== undefined && simulated}</td>
<td>${spread(cell.finalMetric, (value) => formatMetric(of.metricName, value), isShareMetric(of.metricName))}</td>
<td>${cell.workers === 1 ? '–' : formatBytes(cell.bytesPerStep?.median)}</td>
<td>${spread(cell.cpuSeconds, formatSeconds)}</td>
<td>${formatBytes(cell.peakBytesPerHost?.median)}</td>
<td class="status">${status(cell)}</td>
</tr>`
}

/** Median, with half the distance of the quartiles under it when there are repeats: relative, or in points for shares. */
function spread(values: Spread | undefined, format: (value: number) => string, points = false): Markup | string {
  if (!values) return '–'
  if (values.runs < 2) return format(values.median)
  const half = (values.high - values.low) / 2
  const around = half === 0 ? '0' : points ? `${(half * 100).toFixed(2)} points` : formatShare(half / Math.abs(values.median || 1))
  return html`${format(values.median)}<small>±\u00a0${around}</small>`
}

/** A run with injected faults is not compared: words stand for its figures. */
function faultyRow(cell: Cell): Markup {
  const unique = (words: (run: RunRow) => string) => [...new Set(cell.runs.map(words))].join(', ')
  return html`<tr data-row="${cell.index}">
<th scope="row">${paradigmName(cell.paradigm)}</th>
<td class="label" title="${cell.label}">${cell.label.replace(/ · (worker lost on purpose|fault injected)$/, '')}</td>
<td class="fault" colspan="${columns.length - 3}">${unique(lossWords)}; not compared</td>
<td class="status"><span class="quiet">${unique(outcome)}</span></td>
</tr>`
}

function status(cell: Cell): Markup {
  const bad = cell.runs.filter((run) => run.status !== 'done')
  const words = bad.length === 0 ? `${cell.runs.length} done` : `${cell.runs.length - bad.length} of ${cell.runs.length} done`
  const mood = bad.length === 0 ? 'good' : bad.length === cell.runs.length ? 'bad' : 'mixed'
  const notes = [
    ...new Set(bad.map((run) => (run.error ? `${outcome(run)}: ${run.error.code}` : outcome(run)))),
    ...(cell.oversubscribed ? ['ranks share cores'] : []),
  ]
  return html`<span class="${mood}">${words}</span>${notes.map((note) => html`<small>${note}</small>`)}`
}

/** `rank 1 was lost on purpose at step 48`: why such a row has no figures. */
function lossWords({ loss }: RunRow): string {
  if (!loss) return 'a rank was slowed down on purpose'
  return `rank ${loss.ranks.join(', ') || '?'} was lost on purpose${loss.level === 3 ? '' : ` at step ${loss.step}`}`
}

/** How one run ended, in a word or two. */
function outcome(run: RunRow): string {
  if (run.status === 'done') return run.faulty ? 'went on' : 'done'
  const resumable = run.checkpoint !== undefined
  return run.faulty && resumable ? 'resumable' : resumable ? `${run.status}, resumable` : run.status
}
