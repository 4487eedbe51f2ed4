import { comparedParadigms } from '../verdict/case.ts'
import type { JudgedCase, OverallVerdict } from '../verdict/overall.ts'
import { type Verdict, dimensionTitles, dimensions } from '../verdict/verdict.ts'
import { chart } from './chart-slot.ts'
import { type Markup, html } from './html.ts'
import { scrollFrame } from './scroll-frame.ts'
import { paradigmName, verdictChip } from './verdict-chip.ts'

/** Verdicts of all cases at a glance, what holds over all of them, and the speed-ups. */
export function overview(judged: readonly JudgedCase[], overall: readonly OverallVerdict[]): Markup {
  const several = judged.length > 1
  const present = comparedParadigms.filter((one) => judged.some(({ case: of }) => of.cells.some((cell) => cell.paradigm === one)))
  return html`<section id="glance">
<h2>At a glance</h2>
${scrollFrame(html`<table class="matrix">
<thead><tr><th scope="col">Case</th>${dimensions.map((dimension) => html`<th scope="col">${dimensionTitles[dimension]}${dimension === 'cost' && html`<small>train clock</small>`}</th>`)}</tr></thead>
<tbody>${judged.map(
  ({ case: of, verdicts }, i) =>
    html`<tr><th scope="row"><a href="#case-${i}" data-open="${i}">${of.title}</a></th>${verdicts.map(
      (verdict) => html`<td title="${verdict.sentences[0]}">${verdictChip(verdict, true)}${totalNote(verdict)}</td>`,
    )}</tr>`,
)}</tbody>
</table>`)}
<p class="key">${present.map((paradigm) => html`${paradigmName(paradigm)} `)}<span>a = b: a tie</span>
<span>a or b?: the runs do not separate them</span> <span>a / b: each is better in one respect</span></p>
<div class="glance">
${
  several &&
  html`<div><h3>Over all cases</h3><dl class="overall">${overall.map(
    (entry) => html`<div><dt>${dimensionTitles[entry.dimension]}</dt><dd>${entry.sentence}</dd></div>`,
  )}</dl></div>`
}
${chart('speedup', 'Speed-up against solo', 'Train clock, per case and configuration; right of 1 spreading the work pays.')}
</div>
</section>`
}

/** Who is first when start-up counts as well, where that is another one than on the train clock. */
function totalNote({ ahead, outcome, leaders }: Verdict): Markup | false {
  const first = ahead?.['total']
  if (first === undefined || (outcome === 'wins' && leaders[0] === first)) return false
  return html`<small>in all: ${first}</small>`
}
