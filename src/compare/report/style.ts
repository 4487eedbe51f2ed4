import type { Case, Cell } from '../verdict/case.ts'
import { seriesOf } from './view.ts'

/** Light and dark by the system, or by the page's switch; printing is always light. Hues stay apart for every kind of colour vision. */
const light = `--bg:#fff;--panel:#f7f8fa;--ink:#16191f;--soft:#4d5562;--faint:#7a8290;--line:#dfe3e9;--line2:#eceff3;--accent:#0b5cad;
--solo:#6b7280;--parallel:#0072b2;--distributed:#c8560b;--hybrid:#00845f;--virtual:#a3478f;
--compute:#4f5bb5;--communicate:#e0a100;--wait:#bcc4cf;--other:#8a6d5b;--good:#0a7350;--bad:#b3261e;--mark:#e8f1fb;
--p0:#4f5bb5;--p1:#e0a100;--p2:#3a9d8f;--p3:#b8577d;--p4:#8a6d5b;--p5:#7a8290;--shade:#16191f;--edge:rgb(22 25 31/.2);color-scheme:light;`
const dark = `--bg:#111418;--panel:#191d23;--ink:#e8ebf0;--soft:#aeb6c2;--faint:#838c99;--line:#2c323b;--line2:#232830;--accent:#7db8f5;
--solo:#9aa3b0;--parallel:#56b0ee;--distributed:#f0924b;--hybrid:#35c495;--virtual:#dc93cc;
--compute:#8f9bf0;--communicate:#e9bd3f;--wait:#4d5663;--other:#b89a86;--good:#5fd0a4;--bad:#ff8a80;--mark:#1c2c3d;
--p0:#8f9bf0;--p1:#e9bd3f;--p2:#5cc4b5;--p3:#e08bad;--p4:#b89a86;--p5:#838c99;--shade:#fff;--edge:rgb(0 0 0/.85);color-scheme:dark;`

/** The page's style sheet. */
export const style = `:root{${light}}
@media (prefers-color-scheme:dark){:root:not([data-theme=light]){${dark}}}
:root[data-theme=dark]{${dark}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0;overflow-wrap:break-word;background:var(--bg);color:var(--ink);
font:15px/1.5 ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Noto Sans","Liberation Sans",Arial,sans-serif}
.page{max-width:1240px;margin:0 auto;padding:0 clamp(14px,3vw,36px) 48px}
.bar{display:flex;justify-content:space-between;align-items:center;padding:18px 0 8px}
.mark{font-weight:700;letter-spacing:-.01em}.mark span{font-weight:400;color:var(--faint)}
button{font:inherit;color:inherit;background:none;border:1px solid var(--line);border-radius:6px;padding:3px 10px;cursor:pointer}
button:hover{border-color:var(--faint)}button:focus-visible,a:focus-visible,[tabindex]:focus-visible{outline:2px solid var(--accent);
outline-offset:2px}
.theme{font-size:13px;color:var(--soft)}
h1{font-size:clamp(24px,3.4vw,34px);line-height:1.15;letter-spacing:-.02em;margin:10px 0 18px;text-wrap:balance}
h2{font-size:21px;letter-spacing:-.01em;line-height:1.25;margin:44px 0 12px;padding-top:18px;border-top:1px solid var(--line)}
h3{font-size:16px;margin:0 0 10px}h3.case{font-size:19px;margin:22px 0 2px}
h4{font-size:14px;margin:0;line-height:1.35;font-weight:650}
h4::first-letter{text-transform:uppercase}
p{margin:0 0 8px}a{color:var(--accent)}code{font:13px/1.45 ui-monospace,"SF Mono",Menlo,Consolas,"Liberation Mono",monospace;
overflow-wrap:anywhere}
.lead{color:var(--soft);max-width:110ch}.note{color:var(--soft);font-size:14px;margin:10px 0 0}
.quiet,.key{color:var(--faint);font-weight:400}
.key{font-size:13px;margin:10px 0 0;display:flex;flex-wrap:wrap;gap:2px 18px}.shapes{display:inline-flex;gap:5px;margin-right:7px}
.glance h3{font-size:14px;font-weight:650;margin-bottom:6px}
.facts{display:grid;grid-template-columns:1fr;gap:0 48px;margin:0;font-size:14px}
.facts .full{grid-column:1/-1}.facts div{display:flex;gap:12px;padding:4px 0;border-top:1px solid var(--line2);min-width:0}
.facts dt{flex:0 0 82px;color:var(--faint)}.facts dd{margin:0;min-width:0;overflow-wrap:anywhere}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:8px;background:var(--bg)}
.scroll.tall{max-height:1200px;overflow-y:auto}
.frame{position:relative;border-radius:8px;overflow:hidden}
.frame::before,.frame::after{position:absolute;z-index:4;pointer-events:none;color:var(--ink);font-size:20px;line-height:1}
.frame[data-more~=right]::after{content:"\\203a";top:1px;bottom:1px;right:1px;width:26px;padding:6px 7px 0 0;text-align:right;
background:linear-gradient(to left,var(--edge),transparent)}
.frame[data-more~=below]::before{content:"";left:1px;right:1px;bottom:1px;height:24px;
background:linear-gradient(to top,var(--edge),transparent)}
table{border-collapse:separate;border-spacing:0;width:100%;font-size:13.5px;font-variant-numeric:tabular-nums}
th,td{padding:6px 10px;text-align:right;border-bottom:1px solid var(--line2);vertical-align:top;white-space:nowrap}
tr:last-child>*{border-bottom:0}tbody+tbody tr:first-child>*{border-top:1px solid var(--line2)}
thead th{position:sticky;top:0;background:var(--panel);font-weight:600;color:var(--soft);border-bottom:1px solid var(--line);z-index:2}
th:first-child{text-align:left;position:sticky;left:0;background:var(--bg);z-index:1;font-weight:500}
thead th:first-child{background:var(--panel);z-index:3}
td small,th small{display:block;color:var(--faint);font-size:11.5px;line-height:1.3;font-weight:400}
.group th{position:static;background:var(--panel);color:var(--soft);font-weight:600;font-size:13px}
.group th span{position:sticky;left:12px}
.label{text-align:left;max-width:220px;overflow:hidden;text-overflow:ellipsis}
.status{text-align:left}.status small{white-space:normal;min-width:110px}thead th:last-child{text-align:left}
.sides thead th:last-child,.matrix thead th:last-child,.check thead th:last-child{text-align:inherit}
.fault{text-align:left;color:var(--soft)}.good{color:var(--good)}.bad{color:var(--bad);font-weight:600}.mixed{color:var(--distributed);font-weight:600}
.matrix th,.matrix td{text-align:left}.matrix tbody>tr>*{vertical-align:middle}
.sides td,.sides th{text-align:left}.sides td{width:24%}.sides td.best{background:var(--mark);font-weight:650}
.paradigm{display:inline-flex;align-items:center;gap:6px;white-space:nowrap}
.paradigm i{width:9px;height:9px;background:var(--c);border-radius:50%;flex:none}
.solo{--c:var(--solo)}.parallel{--c:var(--parallel)}.distributed{--c:var(--distributed)}.hybrid{--c:var(--hybrid)}
.virtual{--c:var(--virtual)}
.parallel i{border-radius:1px}.distributed i{border-radius:0;clip-path:polygon(50% 0,100% 100%,0 100%);width:10px}
.hybrid i{border-radius:0;transform:rotate(45deg) scale(.85)}
.virtual i{border-radius:0;clip-path:polygon(35% 0,65% 0,65% 35%,100% 35%,100% 65%,65% 65%,65% 100%,35% 100%,35% 65%,0 65%,0 35%,
35% 35%)}
.chip{display:inline-flex;flex-wrap:wrap;align-items:center;font-size:13px}.chip.wins{font-weight:650}.chip.open{color:var(--soft)}
.chip.none{color:var(--faint)}.sep{white-space:pre;color:var(--faint)}
.glance{display:grid;grid-template-columns:1fr;gap:28px;margin-top:24px}
.overall{margin:0;font-size:14px}.overall div{display:flex;gap:14px;padding:7px 0;border-top:1px solid var(--line2)}
.overall dt{flex:0 0 132px;font-weight:600}.overall dd{margin:0;min-width:0}
.tabs{display:flex;flex-wrap:wrap;gap:6px;position:sticky;top:0;background:var(--bg);padding:8px 0;z-index:5;max-height:30vh;
overflow-y:auto}
.tabs button{max-width:100%;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.tabs [aria-selected=true]{background:var(--ink);color:var(--bg);border-color:var(--ink)}
.verdicts{display:grid;grid-template-columns:1fr;gap:18px 36px;margin:24px 0 8px}
.verdicts h4{display:flex;flex-wrap:wrap;gap:2px 12px;align-items:baseline;margin-bottom:4px;padding-top:10px;
border-top:2px solid var(--line)}
.verdicts p{font-size:14px;margin:0 0 5px;color:var(--soft);overflow-wrap:anywhere}.verdicts p:first-of-type{color:var(--ink)}
.legend{margin:26px 0 14px;padding:10px 12px;background:var(--panel);border-radius:8px;font-size:13px}.legend:empty{display:none}
.legend .row{display:flex;flex-wrap:wrap;align-items:center;gap:4px 6px;padding:2px 0}
.legend .scroller{max-height:210px;overflow-y:auto}
.legend button{padding:2px 8px;display:inline-flex;align-items:center;gap:6px;max-width:100%;background:var(--bg)}
.legend button span{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.legend button svg{flex:none}.legend [aria-pressed=false]{opacity:.45;text-decoration:line-through;background:none}
.legend .series{border-color:transparent;background:none;padding-left:2px}
.legend .group{display:inline-flex;flex-wrap:wrap;align-items:center;gap:4px;margin-right:18px}.legend .group .cell{padding:1px 7px}
.legend .all{border-color:transparent;background:none;color:var(--accent)}
.legend .way{font-weight:600;border-color:transparent;background:none;min-width:112px;justify-content:flex-start;padding-left:0}
.charts{display:grid;grid-template-columns:minmax(0,1fr);gap:30px 40px}
.chart{margin:0;min-width:0;display:grid;grid-row:span 2;grid-template-rows:subgrid;grid-template-columns:minmax(0,1fr);row-gap:6px}
.glance .chart{display:block;grid-row:auto}.glance figcaption{margin-bottom:8px}.panel,.legend{scroll-margin-top:64px}
.chart figcaption p,.check>p{color:var(--faint);font-size:13px;margin:2px 0 0}.check>p{margin-bottom:10px;max-width:90ch}
.plot{min-height:60px}.plot.tall{max-height:560px;overflow-y:auto;overflow-x:hidden}
.plot svg{display:block;max-width:100%;height:auto;overflow:visible;--plot-background:var(--panel);font-variant-numeric:tabular-nums}
.plot .empty{color:var(--faint);font-size:14px;padding:18px 0}
.keys{display:flex;flex-wrap:wrap;gap:2px 14px;font-size:12.5px;color:var(--soft);margin:0 0 6px}
.keys span{display:inline-flex;align-items:center;gap:6px}.keys i{width:11px;height:11px;border-radius:2px;background:var(--c)}
.panel.focused [data-cell]:not(.focus){opacity:.1}.panel [data-cell]{transition:opacity .12s}
.defs{display:grid;grid-template-columns:1fr;gap:10px 40px;margin:0;font-size:14px}.defs dt{font-weight:600}
.defs dd{margin:0;color:var(--soft)}
footer{margin-top:44px;padding-top:14px;border-top:1px solid var(--line);color:var(--faint);font-size:13px}
@media (min-width:860px){.charts{grid-template-columns:repeat(2,minmax(0,1fr))}.wide{grid-column:1/-1}
.facts,.verdicts,.defs{grid-template-columns:1fr 1fr}
.glance:has(div+figure){grid-template-columns:minmax(0,1fr) minmax(0,1.15fr);gap:48px}}
@media (max-width:560px){body{font-size:14.5px}th,td{padding:5px 9px}.label{max-width:230px}.overall div{display:block}
.legend .way{min-width:0}.sides th:first-child{white-space:normal;min-width:118px;max-width:36vw}
.matrix th:first-child{white-space:normal;min-width:9.5em;max-width:38vw}}
@media screen{.panel[hidden]{display:none}}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}.panel [data-cell]{transition:none}}
@media print{:root,:root:not([data-theme=light]),:root[data-theme=dark]{${light}}body{font-size:11px}.page{max-width:none;padding:0}
.theme,.tabs,.legend .all{display:none}.panel[hidden]{display:block}
.frame::before,.frame::after{display:none}.frame{overflow:visible}.scroll,.scroll.tall,.plot.tall,.legend .scroller{max-height:none;overflow:visible;border-radius:0}
thead th,th:first-child{position:static}table{font-size:9px}th,td{padding:3px 5px;white-space:normal}td small,th small{font-size:7px}
.group th{font-size:9px}.label{max-width:none}.verdicts p,.defs,.facts,.overall{font-size:10.5px}h3.case{margin-top:0}
.panel+.panel{break-before:page}
.chart,.verdicts section,.check tr{break-inside:avoid}h2,h3,h4{break-after:avoid}.charts{grid-template-columns:1fr 1fr;gap:18px}
.wide{grid-column:1/-1}a{color:inherit;text-decoration:none}@page{margin:14mm}}
`

/**
 * A colour per configuration: the hue of its way of running; several of the same way differ in lightness (and, as lines, in dash).
 * Only numbers and fixed names enter the text.
 */
export function cellColors(cases: readonly Case[]): string {
  const colors = cases.flatMap((of) =>
    of.cells.map(
      (cell) =>
        `--cell-${cell.index}:${colorOf(
          cell,
          of.cells.filter((other) => other.paradigm === cell.paradigm),
        )}`,
    ),
  )
  return `:root{${colors.join(';')}}`
}

/** Lightness goes by series where a way of running has several, so that one system keeps one shade over all worker counts. */
function colorOf(cell: Cell, group: readonly Cell[]): string {
  const series = [...new Set(group.map(seriesOf))]
  const [position, last] = series.length > 1 ? [series.indexOf(seriesOf(cell)), series.length - 1] : [group.indexOf(cell), group.length - 1]
  if (position <= 0) return `var(--${knownHue(cell.paradigm)})`
  const amount = Math.round((50 * position) / last)
  const towards = position % 2 === 0 ? 'var(--bg)' : 'var(--shade)'
  return `color-mix(in oklab,var(--${knownHue(cell.paradigm)}) ${100 - amount}%,${towards})`
}

function knownHue(paradigm: string): string {
  return ['solo', 'parallel', 'distributed', 'hybrid'].includes(paradigm) ? paradigm : 'virtual'
}
