import type { RunRow } from '../summary.ts'
import { type Case, type Cell, type ComparedParadigm, comparedParadigms } from '../verdict/case.ts'
import {
  formatBytes,
  formatFactor,
  formatMetric,
  formatNumber,
  formatRate,
  formatSeconds,
  formatShare,
} from '../verdict/format-quantity.ts'
import type { JudgedCase } from '../verdict/overall.ts'
import { representatives } from '../verdict/representatives.ts'
import { efficiencyOf } from '../verdict/scalability.ts'
import { median } from '../verdict/statistics.ts'
import type { Dimension } from '../verdict/verdict.ts'
import { type Markup, html } from './html.ts'
import { paradigmName } from './verdict-chip.ts'

interface Line {
  readonly title: string
  /** Verdict whose winner is marked in this line. */
  readonly dimension?: Dimension
  readonly text: (cell: Cell, of: Case, paradigm: ComparedParadigm) => string
}

const middle = (cell: Cell, pick: (run: RunRow) => number) => median(cell.done.map(pick))

const lines: readonly Line[] = [
  { title: 'Configuration', text: (cell) => cell.label },
  { title: 'Time, train clock', dimension: 'cost', text: (cell) => formatSeconds(cell.trainSeconds?.median) },
  { title: 'Time, total', text: (cell) => formatSeconds(cell.totalSeconds?.median) },
  { title: 'Speed-up against solo', text: (cell) => formatFactor(cell.speedup) },
  { title: 'Throughput', text: (cell) => formatRate(cell.samplesPerSecond?.median) },
  { title: 'Efficiency', dimension: 'scalability', text: (cell, of) => formatShare(efficiencyOf(cell, of)) },
  { title: 'Metric', dimension: 'accuracy', text: (cell, of) => formatMetric(of.metricName, cell.finalMetric?.median) },
  { title: 'Bytes a step, all ranks', text: (cell) => formatBytes(cell.bytesPerStep?.median) },
  {
    title: '… of them between processes',
    dimension: 'communication',
    text: (cell) => formatBytes(middle(cell, (run) => run.bytesBetweenProcesses)),
  },
  {
    title: 'Rounds per worker and step',
    text: (cell) => (cell.workers === 1 ? '–' : formatNumber(middle(cell, (run) => run.roundsPerWorkerStep))),
  },
  {
    title: 'Time communicating / waiting',
    dimension: 'communication',
    text: (cell) => `${formatShare(middle(cell, (run) => run.communicateShare))} / ${formatShare(middle(cell, (run) => run.waitShare))}`,
  },
  { title: 'CPU seconds', text: (cell) => formatSeconds(cell.cpuSeconds?.median) },
  { title: 'Peak memory a host', dimension: 'memory', text: (cell) => formatBytes(cell.peakBytesPerHost?.median) },
  { title: 'A lost worker', dimension: 'faults', text: (_cell, of, paradigm) => lossWords(of, paradigm) },
]

/** Solo, parallel, distributed and hybrid as columns; the winner of a verdict is marked in its line. */
export function sideBySide({ case: of, verdicts }: JudgedCase): Markup {
  const chosen = representatives(of)
  const marked = ({ dimension }: Line, paradigm: ComparedParadigm) => {
    const verdict = verdicts.find((candidate) => candidate.dimension === dimension)
    return verdict?.outcome === 'wins' && verdict.leaders.includes(paradigm)
  }
  const cellOf = (line: Line, paradigm: ComparedParadigm) => {
    const cell = chosen[paradigm]
    if (!cell) return html`<td class="none">–</td>`
    return marked(line, paradigm)
      ? html`<td class="best">${line.text(cell, of, paradigm)}</td>`
      : html`<td>${line.text(cell, of, paradigm)}</td>`
  }
  return html`<div class="scroll"><table class="sides">
<thead><tr><th scope="col"><span class="quiet">fastest of each</span></th>
${comparedParadigms.map((paradigm) => html`<th scope="col">${paradigmName(paradigm)}</th>`)}</tr></thead>
<tbody>${lines.map(
    (line) => html`<tr><th scope="row">${line.title}</th>${comparedParadigms.map((paradigm) => cellOf(line, paradigm))}</tr>`,
  )}</tbody>
</table></div>`
}

function lossWords(of: Case, paradigm: ComparedParadigm): string {
  const levels = of.losses.flatMap((run) => (run.paradigm === paradigm && run.loss ? [run.loss.level] : []))
  if (levels.length === 0) return 'not measured'
  return ['unknown end', 'ends, no checkpoint', 'ends, can be resumed', 'goes on'][Math.min(...levels)] as string
}
