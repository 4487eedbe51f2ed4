import { type Markup, html } from './html.ts'

/** A table that scrolls in its frame where it does not fit; the page's script shows by a shadow on which side there is more. */
export function scrollFrame(table: Markup, tall = false): Markup {
  return html`<div class="frame"><div class="scroll${tall ? ' tall' : ''}" tabindex="0" role="region" aria-label="table">${table}</div></div>`
}
