import * as Plot from '@observablehq/plot'
import { formatFactor } from '../../../verdict/format-quantity.ts'
import type { CaseView, CellView } from '../../view.ts'
import { draw, empty, quiet, tipLook } from '../draw.ts'
import { color, shorten, symbol } from '../look.ts'
import { axisNumber } from '../scale-unit.ts'

const header = 20
const row = 40

interface Dot {
  readonly cell: CellView
  readonly x: number
  readonly y: number
  readonly tip: string
}

/** Speed-up against solo of every configuration, a line per case, on a logarithmic scale around 1. */
export function speedupChart(cases: readonly CaseView[], width: number): Element {
  const known = cases.filter((of) => of.cells.some((cell) => cell.paradigm !== 'solo' && cell.speedup !== undefined))
  if (known.length === 0) return empty('No case has both a solo run and another one to compare it with.')
  const dots: Dot[] = []
  const labels: { y: number; text: string }[] = []
  const rows: { y: number }[] = []
  let y = 0
  for (const of of known) {
    labels.push({ y: y + header / 2, text: shorten(of.title, width) })
    const middle = y + header + row / 2 - 2
    rows.push({ y: middle })
    for (const cell of of.cells) {
      if (cell.speedup === undefined) continue
      dots.push({ cell, x: cell.speedup, y: middle + lane(cell), tip: `${of.title}\n${cell.label}\n${formatFactor(cell.speedup)} solo` })
    }
    y += header + row
  }
  const values = dots.map((dot) => dot.x)
  const [low, high] = [Math.min(0.8, ...values) / 1.1, Math.max(1.25, ...values) * 1.1]
  const grid = rows.flatMap((line) => tickValues(low, high).map((x) => ({ x, y1: line.y - 15, y2: line.y + 15 })))
  return draw({
    width,
    height: y + 38,
    marginLeft: 4,
    marginRight: 16,
    marginTop: 0,
    marginBottom: 38,
    x: { type: 'log', base: 2, domain: [low, high], label: '× solo →', ticks: tickValues(low, high), tickFormat: axisNumber },
    y: { type: 'linear', domain: [0, y], range: [0, y], axis: null },
    marks: [
      Plot.ruleX(grid, { x: 'x', y1: 'y1', y2: 'y2', ...quiet }),
      Plot.ruleX(
        grid.filter((line) => line.x === 1),
        { x: 'x', y1: 'y1', y2: 'y2', stroke: 'var(--ink)', strokeWidth: 1.2 },
      ),
      Plot.ruleY(rows, { y: 'y', stroke: 'var(--line)' }),
      Plot.text(labels, { y: 'y', text: 'text', frameAnchor: 'left', textAnchor: 'start', fill: 'var(--ink)' }),
      Plot.dot(dots, {
        x: 'x',
        y: 'y',
        symbol: (dot: Dot) => symbol(dot.cell.paradigm),
        fill: (dot: Dot) => color(dot.cell.index),
        stroke: 'var(--bg)',
        strokeWidth: 0.8,
        r: 5.5,
      }),
      Plot.tip(dots, Plot.pointer({ ...tipLook, x: 'x', y: 'y', title: 'tip' })),
    ],
  })
}

/** Ways of running lie a little apart, so that equal speed-ups do not hide each other. */
function lane(cell: CellView): number {
  return { solo: 0, parallel: -9, distributed: 0, hybrid: 9, virtual: 0 }[cell.paradigm] ?? 0
}

function tickValues(low: number, high: number): number[] {
  const fine = high / low < 6 ? [0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4] : [0.001, 0.01, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256]
  return fine.filter((value) => value >= low && value <= high)
}
