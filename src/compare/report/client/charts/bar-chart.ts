import * as Plot from '@observablehq/plot'
import type { CellView } from '../../view.ts'
import { draw, empty, quiet, tag, tipLook } from '../draw.ts'
import { shorten } from '../look.ts'

/** A piece of a bar. */
export interface Piece {
  readonly value: number
  readonly color: string
  readonly tip: string
}

/** One bar of a configuration: stacked pieces, text at its end, a mark across it, a whisker. */
export interface Bar {
  readonly name?: string
  readonly pieces: readonly Piece[]
  readonly text?: string
  readonly mark?: number
  readonly whisker?: readonly [number, number]
}

/** Bars of one configuration under its label. */
export interface BarGroup {
  readonly cell: CellView
  readonly bars: readonly Bar[]
  /** A line across all bars of the group. */
  readonly rule?: number
}

/** Options of {@link barChart}. */
export interface BarOptions {
  readonly label: string
  readonly nothing: string
  readonly tickFormat: (value: number) => string
  readonly names?: boolean
}

const header = 19
const gap = 9

/**
 * Horizontal bars with the configuration's name above them, so that long names take no width from the bars and 400 pixels are enough.
 */
export function barChart(groups: readonly BarGroup[], width: number, options: BarOptions): Element {
  const max = Math.max(
    0,
    ...groups.flatMap((group) => [group.rule ?? 0, ...group.bars.map((bar) => Math.max(total(bar), bar.mark ?? 0, bar.whisker?.[1] ?? 0))]),
  )
  if (groups.length === 0 || !(max > 0)) return empty(options.nothing)
  const thick = groups.some((group) => group.bars.length > 1) ? 11 : 12
  const pitch = thick + 3
  const marginLeft = options.names ? 58 : 2
  const labels: { cell: CellView; y: number; text: string }[] = []
  const pieces: (Piece & { cell: CellView; x1: number; x2: number; y1: number; y2: number })[] = []
  const names: { cell: CellView; y: number; text: string }[] = []
  const ends: { cell: CellView; x: number; y: number; text: string }[] = []
  const marks: { cell: CellView; x: number; y1: number; y2: number }[] = []
  const rules: { cell: CellView; x: number; y1: number; y2: number }[] = []
  const whiskers: { cell: CellView; x1: number; x2: number; y: number }[] = []
  let y = 0
  for (const { cell, bars, rule } of groups) {
    labels.push({ cell, y: y + header / 2, text: shorten(cell.label, width) })
    y += header
    const begin = y
    for (const bar of bars) {
      let x = 0
      for (const piece of bar.pieces) {
        pieces.push({ ...piece, cell, x1: x, x2: x + piece.value, y1: y, y2: y + thick })
        x += piece.value
      }
      const middle = y + thick / 2
      if (bar.name) names.push({ cell, y: middle, text: bar.name })
      if (bar.text) ends.push({ cell, x: Math.max(x, bar.mark ?? 0, bar.whisker?.[1] ?? 0), y: middle, text: bar.text })
      if (bar.mark !== undefined) marks.push({ cell, x: bar.mark, y1: y - 1, y2: y + thick + 1 })
      if (bar.whisker) whiskers.push({ cell, x1: bar.whisker[0], x2: bar.whisker[1], y: middle })
      y += pitch
    }
    if (rule !== undefined) rules.push({ cell, x: rule, y1: begin - 2, y2: y - 1 })
    y += gap
  }
  const height = y + 40
  const ticks = Math.max(2, Math.min(8, Math.round(width / 110)))
  const svg = draw({
    width,
    height,
    marginLeft,
    marginRight: 78,
    marginTop: 0,
    marginBottom: 40,
    x: { domain: [0, max], label: options.label, ticks, tickFormat: options.tickFormat, labelAnchor: 'left', labelOffset: 36 },
    y: { type: 'linear', domain: [0, y], range: [0, y], axis: null },
    marks: [
      Plot.gridX({ ...quiet, ticks }),
      Plot.rect(pieces, { x1: 'x1', x2: 'x2', y1: 'y1', y2: 'y2', fill: 'color', className: 'm-bars' }),
      Plot.ruleX(marks, { x: 'x', y1: 'y1', y2: 'y2', stroke: 'var(--ink)', strokeWidth: 1.5, className: 'm-marks' }),
      Plot.ruleX(rules, { x: 'x', y1: 'y1', y2: 'y2', stroke: 'var(--ink)', strokeWidth: 1.5, className: 'm-rules' }),
      Plot.ruleY(whiskers, { x1: 'x1', x2: 'x2', y: 'y', stroke: 'var(--ink)', strokeWidth: 1.5, className: 'm-whiskers' }),
      Plot.text(labels, {
        y: 'y',
        text: 'text',
        frameAnchor: 'left',
        dx: -marginLeft + 2,
        textAnchor: 'start',
        fill: 'var(--ink)',
        className: 'm-labels',
      }),
      Plot.text(names, {
        y: 'y',
        text: 'text',
        frameAnchor: 'left',
        dx: -8,
        textAnchor: 'end',
        fill: 'var(--soft)',
        fontSize: 11,
        className: 'm-names',
      }),
      Plot.text(ends, { x: 'x', y: 'y', text: 'text', dx: 6, textAnchor: 'start', fill: 'var(--soft)', fontSize: 11, className: 'm-ends' }),
      Plot.tip(pieces, Plot.pointer({ ...tipLook, x1: 'x1', x2: 'x2', y1: 'y1', y2: 'y2', title: 'tip', maxRadius: 30 })),
    ],
  })
  tag(svg, 'bars', pieces, (piece) => piece.cell.index)
  for (const [name, data] of [
    ['labels', labels],
    ['names', names],
    ['ends', ends],
    ['marks', marks],
    ['rules', rules],
    ['whiskers', whiskers],
  ] as const) {
    tag<{ cell: CellView }>(svg, name, data, (datum) => datum.cell.index)
  }
  return svg
}

function total(bar: Bar): number {
  return bar.pieces.reduce((sum, piece) => sum + piece.value, 0)
}
