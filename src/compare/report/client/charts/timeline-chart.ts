import * as Plot from '@observablehq/plot'
import { formatSeconds } from '../../../verdict/format-quantity.ts'
import type { CellView } from '../../view.ts'
import { draw, empty, keys, quiet, stack, tag, tipLook } from '../draw.ts'
import { shorten } from '../look.ts'
import type { PanelState } from '../panel-state.ts'
import { axisNumber, timeUnit } from '../scale-unit.ts'

const categories = ['compute', 'communicate', 'wait', 'other'] as const
const header = 20
const pitch = 18

/** Gantt of a few steps: one row per rank, all configurations on one scale. */
export function timelineChart(panel: PanelState, width: number): Element {
  const shown = panel.finished.flatMap((cell) => (cell.timeline ? [{ cell, timeline: cell.timeline }] : []))
  if (shown.length === 0) return empty('No run that is switched on has a trace.')
  const unit = timeUnit(panel.view.windowSeconds)
  const labels: { cell: CellView; y: number; text: string }[] = []
  const names: { cell: CellView; y: number; text: string }[] = []
  const events: { cell: CellView; x1: number; x2: number; y1: number; y2: number; fill: string; tip: string }[] = []
  let y = 0
  for (const { cell, timeline } of shown) {
    labels.push({ cell, y: y + header / 2, text: shorten(cell.label, width) })
    y += header
    for (let rank = 0; rank < timeline.ranks; rank++) names.push({ cell, y: y + rank * pitch + 7, text: `rank ${rank}` })
    for (const event of timeline.events) {
      const top = y + event.rank * pitch
      const tip = `${cell.label}, rank ${event.rank}\n${event.name}: ${formatSeconds(event.seconds)}\nfrom ${formatSeconds(event.start)}`
      events.push({
        cell,
        x1: event.start * unit.factor,
        x2: (event.start + event.seconds) * unit.factor,
        y1: top,
        y2: top + 14,
        fill: `var(--${event.category})`,
        tip,
      })
    }
    y += timeline.ranks * pitch + 8
  }
  const ticks = Math.max(3, Math.round(width / 110))
  const svg = draw({
    width,
    height: y + 36,
    marginLeft: 58,
    marginRight: 12,
    marginTop: 0,
    marginBottom: 36,
    x: {
      domain: [0, panel.view.windowSeconds * unit.factor],
      label: `${unit.name} from the start of the window →`,
      ticks,
      tickFormat: axisNumber,
    },
    y: { type: 'linear', domain: [0, y], range: [0, y], axis: null },
    marks: [
      Plot.gridX({ ...quiet, ticks }),
      Plot.rect(events, {
        x1: 'x1',
        x2: 'x2',
        y1: 'y1',
        y2: 'y2',
        fill: 'fill',
        stroke: 'var(--bg)',
        strokeWidth: 0.6,
        clip: true,
        className: 'm-events',
      }),
      Plot.text(labels, {
        y: 'y',
        text: 'text',
        frameAnchor: 'left',
        dx: -56,
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
      Plot.tip(events, Plot.pointer({ ...tipLook, x1: 'x1', x2: 'x2', y1: 'y1', y2: 'y2', title: 'tip', maxRadius: 30 })),
    ],
  })
  tag(svg, 'events', events, (event) => event.cell.index)
  tag(svg, 'labels', labels, (label) => label.cell.index)
  tag(svg, 'names', names, (name) => name.cell.index)
  const used = categories.filter((category) => shown.some(({ timeline }) => timeline.events.some((event) => event.category === category)))
  return stack(keys(used.map((name) => ({ name, color: `var(--${name})` }))), svg)
}
