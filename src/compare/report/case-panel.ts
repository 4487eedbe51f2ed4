import type { MachineInfo } from '../../records/record.ts'
import type { Case } from '../verdict/case.ts'
import { count, formatNumber, formatRows } from '../verdict/format-quantity.ts'
import type { Skipped } from '../verdict/missing.ts'
import type { JudgedCase } from '../verdict/overall.ts'
import { dimensionTitles } from '../verdict/verdict.ts'
import { chart } from './chart-slot.ts'
import { type Markup, html } from './html.ts'
import { missingOf } from './results.ts'
import { sideBySide } from './side-by-side.ts'
import { stepTable } from './step-table.ts'
import { verdictChip } from './verdict-chip.ts'

const tall = { scroll: true } as const
const wide = { wide: true, scroll: true } as const

/** Everything about one case: the four ways side by side, the verdicts, and the charts. */
export function casePanel(judged: JudgedCase, index: number, machine: MachineInfo, skipped: readonly Skipped[]): Markup {
  const { case: of, verdicts } = judged
  const missing = Object.values(missingOf(of, machine, skipped))
  const metric = of.metricTitle
  const lost = of.cells.some((cell) => cell.runs.every((run) => run.faulty)) ? ' Runs with a worker lost on purpose are left out.' : ''
  const virtual = of.cells.some((cell) => cell.paradigm === 'virtual') ? '; virtual runs, whose time is simulated, are left out' : ''
  return html`<article class="panel" id="case-${index}" data-case="${index}" role="tabpanel" aria-label="${of.title}">
<h3 class="case">${of.title}</h3>
<p class="lead">${facts(of)}</p>
${sideBySide(judged)}
${missing.length > 0 && html`<p class="note">${missing.join(' ')}</p>`}
<div class="verdicts">${verdicts.map(
    (verdict) =>
      html`<section><h4>${dimensionTitles[verdict.dimension]} ${verdictChip(verdict)}</h4>
${verdict.sentences.map((sentence) => html`<p>${sentence}</p>`)}</section>`,
  )}</div>
<div class="legend" data-legend></div>
<div class="charts">
${chart('metric-time', `${metric} against time`, `Train clock, evaluation excluded; ${of.better} is better. One line per run${virtual}.${lost}`)}
${chart('metric-epoch', `${metric} against epochs`, 'Passes over the data. Lines that coincide learn the same from the same samples.')}
${chart('throughput', 'Throughput against workers', 'Samples/s by system and fabric; dashed: perfect scaling. Hollow: ranks share cores.')}
${chart('efficiency', 'Efficiency against workers', 'Samples/s ÷ (workers × one worker’s). At 0.5 half of every worker is lost.')}
${chart('bytes', 'Bytes per worker and step', 'Sent, by phase, mean over the workers; the mark is the busiest worker.', tall)}
${chart('rounds', 'Rounds per worker and step', 'Messages that follow each other on the critical path, by phase.', tall)}
${chart('step', 'Where the time of a step goes', 'Mean over the steps of each rank; the figure is what it computes and communicates. The mark is T_step, the gap before it the executor.', wide)}
${stepTable(of)}
${chart('timeline', 'A few steps, rank by rank', 'From one trace of each configuration. Communicate includes waiting where a trace does not part them.', wide)}
${chart('cpu', 'CPU seconds', 'All ranks together, whole run.', tall)}
${chart('memory', 'Peak memory', 'Resident bytes of all processes on the busiest host.', tall)}
</div>
</article>`
}

function facts(of: Case): string {
  const runs = of.cells.flatMap((cell) => cell.runs)
  const distinct = (values: readonly (number | undefined)[]) =>
    [...new Set(values.filter((value) => value !== undefined))].sort((a, b) => a - b)
  const batches = distinct(runs.map((run) => run.globalBatchSize)).filter((size) => size < of.rows)
  const epochs = distinct(of.cells.flatMap((cell) => cell.done.map((run) => run.epochs)))
  const parts = [
    `${formatRows(of.rows)} rows`,
    ...(batches.length > 0 ? [`global batch ${batches.join(', ')}`] : []),
    ...(epochs.length > 0 && epochs.length <= 3
      ? [`${epochs.map((value) => formatNumber(value)).join(', ')} ${epochs.at(-1) === 1 ? 'epoch' : 'epochs'}`]
      : []),
    `${count(of.cells.length, 'configuration')}, ${count(runs.length, 'run')}`,
    `judged by ${of.metricTitle} (${of.better} is better)`,
  ]
  return parts.join(' · ')
}
