import * as Plot from '@observablehq/plot'
import { formatFactor, formatRate, formatShare } from '../../../verdict/format-quantity.ts'
import type { CellView } from '../../view.ts'
import { draw, empty, quiet, tag, tipLook } from '../draw.ts'
import { color, dashOf, symbol } from '../look.ts'
import type { PanelState } from '../panel-state.ts'
import { axisNumber } from '../scale-unit.ts'

interface Point {
  readonly series: string
  readonly cell: CellView
  readonly workers: number
  readonly value: number
}

/** Throughput or efficiency against workers, a line for every system and fabric, all starting at solo's one worker. */
export function scalingChart(panel: PanelState, width: number, what: 'rate' | 'efficiency'): Element {
  const figureOf = (cell: CellView) => (what === 'rate' ? cell.rate?.median : cell.efficiency)
  const timed = panel.timed.filter((cell) => figureOf(cell) !== undefined)
  const dots = timed.map((cell): Point => ({ series: cell.series, cell, workers: cell.workers, value: figureOf(cell) as number }))
  if (dots.length === 0) return empty(panel.cells.length === 0 ? 'All runs are switched off.' : 'No finished run has a throughput to show.')
  const lines = seriesLines(dots)
  const counts = [...new Set(dots.map((dot) => dot.workers))].sort((a, b) => a - b)
  const most = Math.max(...counts)
  const { oneRate } = panel.view
  const ideal =
    what === 'rate'
      ? oneRate === undefined
        ? []
        : [1, most].map((workers) => ({ workers, value: oneRate * workers }))
      : [1, most].map((workers) => ({ workers, value: 1 }))
  const top = Math.max(...dots.map((dot) => dot.value), ...(what === 'rate' ? [] : [1]))
  const svg = draw({
    width,
    height: Math.round(Math.min(300, Math.max(220, width * 0.52))),
    marginTop: 26,
    marginLeft: 52,
    marginRight: 18,
    marginBottom: 38,
    x: {
      type: 'log',
      base: 2,
      domain: most === 1 ? [0.8, 1.25] : [1 / most ** 0.08, most ** 1.08],
      ticks: counts,
      tickFormat: String,
      label: 'workers →',
    },
    y: { domain: [0, top * 1.08], label: what === 'rate' ? '↑ samples/s' : '↑ efficiency', ticks: 5, tickFormat: axisNumber },
    marks: [
      Plot.gridY({ ...quiet, ticks: 5 }),
      Plot.line(ideal, { x: 'workers', y: 'value', stroke: 'var(--faint)', strokeDasharray: '3 4', clip: true }),
      what === 'efficiency' ? Plot.ruleY([0.5], { stroke: 'var(--bad)', strokeOpacity: 0.55, strokeDasharray: '2 3' }) : null,
      Plot.line(lines, {
        x: 'workers',
        y: 'value',
        z: 'series',
        stroke: (point: Point) => color(point.cell.index),
        strokeWidth: 1.6,
        className: 'm-series',
      }),
      Plot.dot(dots, {
        x: 'workers',
        y: 'value',
        symbol: (dot: Point) => symbol(dot.cell.paradigm),
        stroke: (dot: Point) => color(dot.cell.index),
        fill: (dot: Point) => (dot.cell.oversubscribed ? 'var(--bg)' : color(dot.cell.index)),
        r: 4,
        className: 'm-points',
      }),
      Plot.tip(dots, Plot.pointer({ ...tipLook, x: 'workers', y: 'value', title: tipText })),
    ],
  })
  tag(
    svg,
    'series',
    lines,
    (point) => point.cell.index,
    (point, element) => element.setAttribute('stroke-dasharray', dashOf(point.cell, panel.view.cells)),
  )
  tag(svg, 'points', dots, (dot) => dot.cell.index)
  return svg
}

function tipText({ cell }: Point): string {
  const parts = [cell.label, formatRate(cell.rate?.median), `efficiency ${formatShare(cell.efficiency)}`]
  if (cell.speedup !== undefined) parts.push(`${formatFactor(cell.speedup)} solo`)
  if (cell.oversubscribed) parts.push('ranks share cores')
  return parts.join('\n')
}

/** Points by series, each begun with the fastest solo point where the series has no one-worker point of its own. */
function seriesLines(dots: readonly Point[]): Point[] {
  const solo = dots.filter((dot) => dot.cell.paradigm === 'solo').sort((a, b) => b.value - a.value)[0]
  const names = [...new Set(dots.filter((dot) => dot.cell.paradigm !== 'solo').map((dot) => dot.series))]
  return names.flatMap((series) => {
    const own = dots.filter((dot) => dot.series === series && dot.cell.paradigm !== 'solo').sort((a, b) => a.workers - b.workers)
    const last = own.at(-1) as Point
    const start = solo && (own[0] as Point).workers > 1 ? [{ ...solo, series, cell: last.cell }] : []
    return [...start, ...own.map((dot) => ({ ...dot, cell: last.cell }))]
  })
}
