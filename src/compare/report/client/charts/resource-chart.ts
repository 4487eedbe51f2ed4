import { formatBytes, formatSeconds } from '../../../verdict/format-quantity.ts'
import { color } from '../look.ts'
import type { PanelState } from '../panel-state.ts'
import { axisNumber, byteUnit, timeUnit } from '../scale-unit.ts'
import { barChart } from './bar-chart.ts'

/** CPU seconds or peak memory of every configuration; the whisker spans the quartiles of its repeats. */
export function resourceChart(panel: PanelState, width: number, what: 'cpu' | 'memory'): Element {
  const cells = panel.finished.flatMap((cell) => (cell[what] ? [{ cell, spread: cell[what] }] : []))
  const most = Math.max(0, ...cells.map(({ spread }) => spread.high))
  const unit = what === 'cpu' ? timeUnit(most) : byteUnit(most)
  const format = what === 'cpu' ? formatSeconds : formatBytes
  const groups = cells.map(({ cell, spread }) => ({
    cell,
    bars: [
      {
        pieces: [{ value: spread.median * unit.factor, color: color(cell.index), tip: `${cell.label}\n${format(spread.median)}` }],
        text: format(spread.median),
        ...(spread.runs > 1 ? { whisker: [spread.low * unit.factor, spread.high * unit.factor] as const } : {}),
      },
    ],
  }))
  return barChart(groups, width, {
    label: what === 'cpu' ? `CPU time (${unit.name}) →` : `${unit.name} →`,
    nothing: 'No finished run that is switched on recorded it.',
    tickFormat: axisNumber,
  })
}
