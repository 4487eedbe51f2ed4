import { createHash } from 'node:crypto'
import type { RunRecord } from '../../records/record.ts'
import type { Skipped } from '../verdict/missing.ts'
import type { JudgedCase, OverallVerdict } from '../verdict/overall.ts'
import { casePanel } from './case-panel.ts'
import { definitions } from './definitions.ts'
import { head } from './head.ts'
import { type Markup, escapeHtml, html, inlineJson } from './html.ts'
import { overview } from './overview.ts'
import { uniqueMachines } from './results.ts'
import { cellColors, style } from './style.ts'
import { summaryTable } from './summary-table.ts'
import type { ReportView } from './view.ts'

/** What a page is made of. */
export interface PageParts {
  readonly records: readonly RunRecord[]
  readonly judged: readonly JudgedCase[]
  readonly overall: readonly OverallVerdict[]
  readonly view: ReportView
  readonly title: string
  readonly command?: string
  readonly skipped: readonly Skipped[]
  /** The page's bundled script. */
  readonly script: string
}

/**
 * The whole page as one text. Tables and verdicts are markup and need no script; charts are drawn by the inline script from inline data.
 * The content security policy admits that one script by its hash and nothing from any network.
 */
export function renderPage(parts: PageParts): string {
  const script = parts.script.replace(/<\/(script)/gi, '<\\/$1')
  const hash = createHash('sha256').update(script).digest('base64')
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`
  const css = style + cellColors(parts.judged.map((entry) => entry.case))
  return [
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="color-scheme" content="light dark">',
    `<title>${escapeHtml(parts.title)} · tutti</title>`,
    `<style>${css}</style>\n</head>\n<body>`,
    String(body(parts)),
    `<script type="application/json" id="view">${inlineJson(parts.view)}</script>`,
    `<script>${script}</script>`,
    '</body>\n</html>\n',
  ].join('\n')
}

/** What the figures of a table are: of one run each, or medians. */
function repeats(judged: readonly JudgedCase[]): string {
  const counts = judged.flatMap((entry) => entry.case.cells.map((cell) => cell.runs.length))
  return counts.every((n) => n === 1) ? 'One run each.' : 'Medians over the repeats.'
}

function body({ records, judged, overall, title, command, skipped }: PageParts): Markup {
  const machine = uniqueMachines(records)[0] as RunRecord['config']['machine']
  return html`<div class="page">
${head(records, title, command)}
<main>
${overview(judged, overall)}
<section id="all">
<h2>All configurations</h2>
<p class="lead">${repeats(judged)} Speed-up refers to the fastest solo run of the same case, on the train clock.</p>
${summaryTable(judged.map((entry) => entry.case))}
</section>
<section id="cases">
<h2>Case by case</h2>
${
  judged.length > 1 &&
  html`<nav class="tabs" role="tablist" aria-label="Cases">${judged.map(
    ({ case: of }, i) =>
      html`<button type="button" role="tab" id="tab-${i}" data-tab="${i}" aria-controls="case-${i}"
aria-selected="${i === 0 ? 'true' : 'false'}">${of.title}</button>`,
  )}</nav>`
}
${judged.map((entry, i) => casePanel(entry, i, machine, skipped))}
</section>
${definitions}
</main>
<footer>Written by tutti ${records[0]?.config.version} from ${records.length} run records.
The same figures as data: <a href="results.json">results.json</a>.</footer>
</div>`
}
