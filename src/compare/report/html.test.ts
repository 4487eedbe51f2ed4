import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Markup, escapeHtml, html, inlineJson } from './html.ts'

describe('html', () => {
  it('escapes what it inserts, keeps its own markup and drops what is absent', () => {
    const name = '<b title="x">&\'</b>'
    expect(String(html`<p>${name}${undefined}${false}${[html`<i>${1}</i>`, ' & ']}</p>`)).toBe(
      '<p>&lt;b title=&quot;x&quot;&gt;&amp;&#39;&lt;/b&gt;<i>1</i> &amp; </p>',
    )
  })

  it('lets no text through that could be markup or leave an attribute', () => {
    fc.assert(fc.property(fc.string(), (text) => !/[<>"']/.test(escapeHtml(text))))
  })

  it('takes only real Markup as markup, not data that looks like it', () => {
    const forged = JSON.parse('{"html":"<script>alert(1)</script>"}') as Markup
    expect(String(html`${forged}`)).toBe('[object Object]')
  })
})

describe('inlineJson', () => {
  it('survives the way through a script element unchanged', () => {
    const nasty = fc.oneof(fc.string(), fc.constantFrom('</script>', '<!--<script>', ']]>', '\u2028\u2029', '&lt;', '$&'))
    fc.assert(
      fc.property(fc.array(fc.record({ name: nasty, value: fc.integer() })), (data) => {
        const text = inlineJson(data)
        expect(text).not.toMatch(/[<>\u2028\u2029]/)
        expect(JSON.parse(text)).toEqual(data)
      }),
    )
  })
})
