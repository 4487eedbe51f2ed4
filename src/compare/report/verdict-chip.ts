import type { ComparedParadigm } from '../verdict/case.ts'
import type { Verdict } from '../verdict/verdict.ts'
import { type Markup, html } from './html.ts'

/**
 * A verdict in one or two words: who wins, who ties, what is open. Colour is never alone: a shape, and as a rule the name, stands with
 * it. `compact` shows three or more by their shapes.
 */
export function verdictChip(verdict: Pick<Verdict, 'outcome' | 'leaders'>, compact = false): Markup {
  if (compact && verdict.leaders.length > 2 && (verdict.outcome === 'tie' || verdict.outcome === 'unclear')) {
    const shapes = verdict.leaders.map((paradigm) => html`<span class="paradigm ${paradigm}" title="${paradigm}"><i></i></span>`)
    const [mood, word] = verdict.outcome === 'tie' ? ['level', 'tie'] : ['open', 'unclear']
    const names = verdict.leaders.join(', ')
    return html`<span class="chip ${mood}"><span class="shapes" role="img" aria-label="${names}">${shapes}</span>${word}</span>`
  }
  const last = verdict.leaders.length - 1
  const names = (separator: string, end = '') =>
    verdict.leaders.map(
      (paradigm, i) => html`${i > 0 && html`<span class="sep">${separator}</span>`}${paradigmName(paradigm, i === last ? end : '')}`,
    )
  switch (verdict.outcome) {
    case 'wins':
      return html`<span class="chip wins">${names(' ')}</span>`
    case 'tie':
      return html`<span class="chip">${names(' = ')}</span>`
    case 'unclear':
      return html`<span class="chip open">${names(' or ', '?')}</span>`
    case 'trade-off':
      return html`<span class="chip open">${names(' / ')}</span>`
    case 'no contest':
      return html`<span class="chip open"><span class="sep">only </span>${names(' ')}</span>`
    case 'not measured':
      return html`<span class="chip none">not measured</span>`
  }
}

/** A paradigm's name with its colour and shape, and punctuation that must not be parted from it. */
export function paradigmName(paradigm: ComparedParadigm | 'virtual', end = ''): Markup {
  return html`<span class="paradigm ${paradigm}"><i></i>${paradigm}${end}</span>`
}
