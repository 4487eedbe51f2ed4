import { formatBytes, formatNumber } from '../../../verdict/format-quantity.ts'
import type { CellView } from '../../view.ts'
import { keys, stack } from '../draw.ts'
import type { PanelState } from '../panel-state.ts'
import { axisNumber, byteUnit } from '../scale-unit.ts'
import { barChart } from './bar-chart.ts'

type Quantity = 'bytes' | 'rounds'
const others = 'other phases'

/** Bytes, or rounds, per worker and step, stacked by phase. */
export function trafficChart(panel: PanelState, width: number, what: Quantity): Element {
  const cells = panel.finished.filter((cell) => cell[what] > 0)
  const names = mainPhases(panel.view.cells, what)
  const colorOf = (phase: string) => `var(--p${names.indexOf(phase)})`
  const most = Math.max(0, ...cells.map((cell) => Math.max(cell[what], what === 'bytes' ? cell.busiestBytes : 0)))
  const unit = what === 'bytes' ? byteUnit(most) : { name: 'rounds', factor: 1 }
  const format = what === 'bytes' ? formatBytes : formatNumber
  const groups = cells.map((cell) => ({
    cell,
    bars: [
      {
        pieces: piecesOf(cell, names, what).map(({ phase, value }) => ({
          value: value * unit.factor,
          color: colorOf(phase),
          tip: `${cell.label}\n${phase}: ${format(value)}`,
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

/** Phases that make 1 % of some configuration's traffic, the largest first, at most five; the rest is one more. */
function mainPhases(cells: readonly CellView[], what: Quantity): string[] {
  const weight = new Map<string, number>()
  for (const cell of cells) {
    for (const phase of cell.phases) {
      const share = cell[what] > 0 ? phase[what] / cell[what] : 0
      if (share > 0) weight.set(phase.phase, Math.max(share, weight.get(phase.phase) ?? 0))
    }
  }
  const sorted = [...weight].sort(([, a], [, b]) => b - a)
  const main = sorted.filter(([, share]) => share >= 0.01).slice(0, 5)
  return main.length < sorted.length ? [...main.map(([name]) => name), others] : main.map(([name]) => name)
}

function piecesOf(cell: CellView, names: readonly string[], what: Quantity): { phase: string; value: number }[] {
  const pieces = names.map((phase) => ({ phase, value: cell.phases.find((entry) => entry.phase === phase)?.[what] ?? 0 }))
  const rest = cell[what] - pieces.reduce((sum, piece) => sum + piece.value, 0)
  return pieces.map((piece) => (piece.phase === others ? { ...piece, value: Math.max(0, rest) } : piece)).filter((piece) => piece.value > 0)
}
