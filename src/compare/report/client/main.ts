/**
 * Draws the charts of the report from the data in the page. Every chart is a function of (case, width); switching runs on and off and
 * resizing draw it anew, the theme is a matter of style alone.
 * @packageDocumentation
 */
import type { ReportView } from '../view.ts'
import { metricChart } from './charts/metric-chart.ts'
import { resourceChart } from './charts/resource-chart.ts'
import { scalingChart } from './charts/scaling-chart.ts'
import { speedupChart } from './charts/speedup-chart.ts'
import { stepChart } from './charts/step-chart.ts'
import { timelineChart } from './charts/timeline-chart.ts'
import { trafficChart } from './charts/traffic-chart.ts'
import { legend } from './legend.ts'
import { PanelState } from './panel-state.ts'
import { scrollCues } from './scroll-cues.ts'
import { tabs } from './tabs.ts'
import { theme } from './theme.ts'

const charts: Readonly<Record<string, (panel: PanelState, width: number) => Element>> = {
  'metric-time': (panel, width) => metricChart(panel, width, 'time'),
  'metric-epoch': (panel, width) => metricChart(panel, width, 'epoch'),
  throughput: (panel, width) => scalingChart(panel, width, 'rate'),
  efficiency: (panel, width) => scalingChart(panel, width, 'efficiency'),
  bytes: (panel, width) => trafficChart(panel, width, 'bytes'),
  rounds: (panel, width) => trafficChart(panel, width, 'rounds'),
  step: stepChart,
  timeline: timelineChart,
  cpu: (panel, width) => resourceChart(panel, width, 'cpu'),
  memory: (panel, width) => resourceChart(panel, width, 'memory'),
}

const view = JSON.parse(document.querySelector('#view')?.textContent ?? '{"cases":[]}') as ReportView
const columnGap = 40

/** Panels that are not open have no width of their own, so widths follow from the page's grid. */
function chartWidth(figure: Element): number {
  const whole = document.querySelector('main')?.clientWidth ?? 800
  const columns = window.matchMedia('(min-width: 860px)').matches && !figure.classList.contains('wide') ? 2 : 1
  return Math.floor((whole - columnGap * (columns - 1)) / columns)
}

function place(figure: Element, make: (width: number) => Element, width: number): void {
  const slot = figure.querySelector('.plot')
  // A window that is being closed or is not laid out has no width.
  if (!slot || width < 100) return
  const gutter = slot.classList.contains('tall') ? 14 : 0
  const top = slot.scrollTop
  slot.replaceChildren(make(width - gutter))
  slot.scrollTop = top
  figure.setAttribute('data-drawn', 'true')
}

const redraws: (() => void)[] = []

function drawGlance(): void {
  const figure = document.querySelector('[data-chart="speedup"]')
  if (figure) place(figure, (width) => speedupChart(view.cases, width), figure.clientWidth)
}

const showCues = scrollCues()
theme()
tabs(showCues)
redraws.push(drawGlance, showCues)
for (const panel of document.querySelectorAll<HTMLElement>('[data-case]')) {
  const of = view.cases[Number(panel.dataset.case)]
  if (!of) continue
  const state = new PanelState(of)
  const drawPanel = () => {
    for (const figure of panel.querySelectorAll('[data-chart]')) {
      const make = charts[figure.getAttribute('data-chart') ?? '']
      if (make) place(figure, (width) => make(state, width), chartWidth(figure))
    }
  }
  const slot = panel.querySelector<HTMLElement>('[data-legend]')
  if (slot) legend(slot, panel, state)
  state.onChange(drawPanel)
  redraws.push(drawPanel)
}
const drawAll = () => {
  for (const redraw of redraws) redraw()
}
drawAll()

let lastWidth = document.documentElement.clientWidth
let pending = 0
window.addEventListener('resize', () => {
  const width = document.documentElement.clientWidth
  if (width === lastWidth) return
  lastWidth = width
  cancelAnimationFrame(pending)
  pending = requestAnimationFrame(drawAll)
})
