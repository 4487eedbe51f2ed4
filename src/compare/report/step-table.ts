import type { Case, Cell } from '../verdict/case.ts'
import { formatSeconds, formatShare } from '../verdict/format-quantity.ts'
import { type Markup, html } from './html.ts'
import { scrollFrame } from './scroll-frame.ts'
import { paradigmName } from './verdict-chip.ts'
import { shownRun } from './view.ts'

const figures = ['T_step', 'max T_rank', 'Residual', 'waiting', 'between', 'Slowest rank', 'Steps seen']

/** The check T_step = max(T_rank) for every configuration, with its residual and where that comes from. */
export function stepTable(of: Case): Markup {
  const rows = of.cells.flatMap((cell) => row(cell))
  if (rows.length === 0) return html`<p class="note wide">No run of this case recorded the time of its steps.</p>`
  return html`<div class="wide check"><h4>Is a step as long as its slowest rank? T_step = max(T_rank)</h4>
<p>T_step is the train clock ÷ steps; T_rank what a rank computes and communicates itself.
max T_rank takes the rank that was longest in each step, so it is at least as long as any rank’s mean above.
The residual is (T_step − max T_rank) ÷ T_step: what the slowest rank still waited, and time between instructions.</p>
${scrollFrame(
  html`<table>
<thead><tr><th scope="col">Run as</th><th scope="col" class="label">Configuration</th>
${figures.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table>`,
  true,
)}</div>`
}

function row(cell: Cell): Markup[] {
  const check = shownRun(cell).stepCheck
  if (!check || cell.done.length === 0) return []
  const part = (seconds: number) => formatShare(seconds / check.stepSeconds)
  const slowest = cell.workers === 1 ? '–' : `${check.slowestRank} (${formatShare(check.slowestShare)})`
  const notes = [
    ...residualRange(cell),
    ...(check.synchronous ? [] : ['asynchronous: no common step']),
    ...(check.residual < -0.01 ? ['ranks booked more than the clock ran'] : []),
  ]
  const residual = html`${formatShare(check.residual)}${notes.map((note) => html`<small>${note}</small>`)}`
  return [
    html`<tr data-row="${cell.index}"><th scope="row">${paradigmName(cell.paradigm)}</th><td class="label">${cell.label}</td>
<td>${formatSeconds(check.stepSeconds)}</td><td>${formatSeconds(check.slowestSeconds)}</td>
<td>${residual}</td><td>${part(check.waitSeconds)}</td><td>${part(check.outsideSeconds)}</td>
<td>${slowest}</td><td>${check.sampledSteps === 0 ? 'totals only' : check.sampledSteps}</td></tr>`,
  ]
}

/** Smallest and largest residual of the repeats: the table shows the run with the middle time. */
function residualRange(cell: Cell): string[] {
  const residuals = cell.done.flatMap((run) => run.stepCheck?.residual ?? [])
  return residuals.length > 1
    ? [`${formatShare(Math.min(...residuals))} – ${formatShare(Math.max(...residuals))} in ${residuals.length} runs`]
    : []
}
