import { formatBytes, formatNumber } from '../../../verdict/format-quantity.ts'
import { keys, stack } from '../draw.ts'
import type { PanelState } from '../panel-state.ts'
import { axisNumber, byteUnit } from '../scale-unit.ts'
import { barChart } from './bar-chart.ts'

/** Bytes, or rounds, per worker and step, stacked by phase. */
export function trafficChart(panel: PanelState, width: number, what: 'bytes' | 'rounds'): Element {
  const names = [...new Set(panel.view.cells.flatMap((cell) => cell.phases.filter((phase) => phase[what] > 0).map((phase) => phase.phase)))]
  const colorOf = (phase: string) => `var(--p${Math.min(5, names.indexOf(phase))})`
  const most = Math.max(0, ...panel.finished.map((cell) => Math.max(cell[what], what === 'bytes' ? cell.busiestBytes : 0)))
  const unit = what === 'bytes' ? byteUnit(most) : { name: 'rounds', factor: 1 }
  const format = what === 'bytes' ? formatBytes : formatNumber
  const groups = panel.finished
    .filter((cell) => cell[what] > 0)
    .map((cell) => ({
      cell,
      bars: [
        {
          pieces: cell.phases
            .filter((phase) => phase[what] > 0)
            .map((phase) => ({
              value: phase[what] * unit.factor,
              color: colorOf(phase.phase),
              tip: `${cell.label}\n${phase.phase}: ${format(phase[what])}`,
            })),
          text: format(cell[what]),
          ...(what === 'bytes' && cell.busiestBytes > cell.bytes * 1.01 ? { mark: cell.busiestBytes * unit.factor } : {}),
        },
      ],
    }))
  const chart = barChart(groups, width, {
    label: what === 'bytes' ? `${unit.name} per worker and step →` : 'rounds per worker and step →',
    nothing: 'No run that is switched on sent anything.',
    tickFormat: axisNumber,
  })
  return groups.length === 0 ? chart : stack(keys(names.map((name) => ({ name, color: colorOf(name) }))), chart)
}
