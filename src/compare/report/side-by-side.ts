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
import { scrollFrame } from './scroll-frame.ts'
import { paradigmName } from './verdict-chip.ts'

interface Line {
  readonly title: string
  /** Verdict whose winner is marked in this line; of its quantities, where it has several. */
  readonly dimension?: Dimension
  readonly quantity?: string
  readonly text: (cell: Cell, of: Case, paradigm: ComparedParadigm) => string
}

const middle = (cell: Cell, pick: (run: RunRow) => number) => median(cell.done.map(pick))

/** One rank shares nothing with anyone. */
const shared = (cell: Cell, text: () => string) => (cell.workers === 1 ? '–' : text())

const lines: readonly Line[] = [
  { title: 'Configuration', text: (cell) => cell.label },
  { title: 'Time, train clock', dimension: 'cost', quantity: 'train', text: (cell) => formatSeconds(cell.trainSeconds?.median) },
  { title: 'Time in all, with start-up', dimension: 'cost', quantity: 'total', text: (cell) => formatSeconds(cell.totalSeconds?.median) },
  { title: 'Speed-up against solo', text: (cell) => formatFactor(cell.speedup) },
  { title: 'Throughput', text: (cell) => formatRate(cell.samplesPerSecond?.median) },
  { title: 'Efficiency', dimension: 'scalability', text: (cell, of) => formatShare(efficiencyOf(cell, of)) },
  { title: 'Metric', dimension: 'accuracy', text: (cell, of) => formatMetric(of.metricName, cell.finalMetric?.median) },
  { title: 'Bytes a step, all ranks', text: (cell) => shared(cell, () => formatBytes(cell.bytesPerStep?.median)) },
  {
    title: '… of them between processes',
    dimension: 'communication',
    quantity: 'bytes',
    text: (cell) => shared(cell, () => formatBytes(middle(cell, (run) => run.bytesBetweenProcesses))),
  },
  {
    title: 'Rounds per worker and step',
    text: (cell) => shared(cell, () => formatNumber(middle(cell, (run) => run.roundsPerWorkerStep))),
  },
  {
    title: 'Time communicating / waiting',
    dimension: 'communication',
    quantity: 'time',
    text: (cell) =>
      shared(
        cell,
        () => `${formatShare(middle(cell, (run) => run.communicateShare))} / ${formatShare(middle(cell, (run) => run.waitShare))}`,
      ),
  },
  { title: 'CPU seconds', text: (cell) => formatSeconds(cell.cpuSeconds?.median) },
  { title: 'Peak memory a host', dimension: 'memory', text: (cell) => formatBytes(cell.peakBytesPerHost?.median) },
  { title: 'A lost worker', dimension: 'faults', text: (_cell, of, paradigm) => lossWords(of, paradigm) },
]

/** Those of solo, parallel, distributed and hybrid that a finished run fills, as columns; who is ahead in a line is marked. */
export function sideBySide({ case: of, verdicts }: JudgedCase): Markup {
  const chosen = representatives(of)
  const columns = comparedParadigms.filter((paradigm) => chosen[paradigm])
  const marked = ({ dimension, quantity }: Line, paradigm: ComparedParadigm) => {
    const verdict = verdicts.find((candidate) => candidate.dimension === dimension)
    if (verdict?.ahead && quantity !== undefined) return verdict.ahead[quantity] === paradigm
    return verdict?.outcome === 'wins' && verdict.leaders.includes(paradigm)
  }
  const cellOf = (line: Line, paradigm: ComparedParadigm) => {
    const cell = chosen[paradigm] as Cell
    return marked(line, paradigm)
      ? html`<td class="best">${line.text(cell, of, paradigm)}</td>`
      : html`<td>${line.text(cell, of, paradigm)}</td>`
  }
  if (columns.length === 0) return html`<p class="note">No run of this case finished.</p>`
  return scrollFrame(html`<table class="sides">
<thead><tr><th scope="col"><span class="quiet">fastest of each</span></th>
${columns.map((paradigm) => html`<th scope="col">${paradigmName(paradigm)}</th>`)}</tr></thead>
<tbody>${lines.map((line) => html`<tr><th scope="row">${line.title}</th>${columns.map((paradigm) => cellOf(line, paradigm))}</tr>`)}</tbody>
</table>`)
}

function lossWords(of: Case, paradigm: ComparedParadigm): string {
  const levels = of.losses.flatMap((run) => (run.paradigm === paradigm && run.loss ? [run.loss.level] : []))
  if (levels.length === 0) return 'not measured'
  return ['unknown end', 'ends, no checkpoint', 'ends, can be resumed', 'goes on'][Math.min(...levels)] as string
}
