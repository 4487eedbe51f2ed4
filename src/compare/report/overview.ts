import { comparedParadigms } from '../verdict/case.ts'
import type { JudgedCase, OverallVerdict } from '../verdict/overall.ts'
import { dimensionTitles, dimensions } from '../verdict/verdict.ts'
import { chart } from './chart-slot.ts'
import { type Markup, html } from './html.ts'
import { paradigmName, verdictChip } from './verdict-chip.ts'

/** Verdicts of all cases at a glance, what holds over all of them, and the speed-ups. */
export function overview(judged: readonly JudgedCase[], overall: readonly OverallVerdict[]): Markup {
  const several = judged.length > 1
  return html`<section id="glance">
<h2>At a glance</h2>
<div class="scroll"><table class="matrix">
<thead><tr><th scope="col">Case</th>${dimensions.map((dimension) => html`<th scope="col">${dimensionTitles[dimension]}</th>`)}</tr></thead>
<tbody>${judged.map(
    ({ case: of, verdicts }, i) =>
      html`<tr><th scope="row"><a href="#case-${i}" data-open="${i}">${of.title}</a></th>${verdicts.map(
        (verdict) => html`<td title="${verdict.sentences[0]}">${verdictChip(verdict, true)}</td>`,
      )}</tr>`,
  )}</tbody>
</table></div>
<p class="key">${comparedParadigms.map((paradigm) => html`${paradigmName(paradigm)} `)}<span>a = b: a tie</span>
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
