import { type Markup, html } from './html.ts'

/** Place of a chart: the script draws into it. Without script a sentence says so. */
export function chart(
  kind: string,
  title: string,
  caption: string,
  options: { readonly wide?: boolean; readonly scroll?: boolean } = {},
): Markup {
  return html`<figure class="chart${options.wide ? ' wide' : ''}" data-chart="${kind}">
<figcaption><h4>${title}</h4><p>${caption}</p></figcaption>
<div class="plot${options.scroll ? ' tall' : ''}"><noscript>This chart needs JavaScript; its figures are in results.json.</noscript></div>
</figure>`
}
