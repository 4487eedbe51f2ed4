import { formatSeconds } from '../../../verdict/format-quantity.ts'
import { keys, stack } from '../draw.ts'
import type { PanelState } from '../panel-state.ts'
import { axisNumber, timeUnit } from '../scale-unit.ts'
import { barChart } from './bar-chart.ts'

const activities = ['compute', 'communicate', 'wait'] as const

/** Where each rank's time in a step goes; the line across is T_step. */
export function stepChart(panel: PanelState, width: number): Element {
  const cells = panel.timed.filter((cell) => cell.stepSeconds !== undefined && cell.ranks.length > 0)
  const unit = timeUnit(Math.max(0, ...cells.map((cell) => cell.stepSeconds ?? 0)))
  const groups = cells.map((cell) => {
    const rule = (cell.stepSeconds ?? 0) * unit.factor
    return {
      cell: { ...cell, label: `${cell.label}: T_step ${formatSeconds(cell.stepSeconds)}` },
      rule,
      bars: cell.ranks.map((rank) => ({
        name: `rank ${rank.rank}`,
        pieces: activities.map((activity) => ({
          value: rank[activity] * unit.factor,
          color: `var(--${activity})`,
          tip: `${cell.label}, rank ${rank.rank}\n${activity} ${formatSeconds(rank[activity])} of ${formatSeconds(cell.stepSeconds)}`,
        })),
        text: formatSeconds(rank.compute + rank.communicate),
        mark: rule,
      })),
    }
  })
  const chart = barChart(groups, width, {
    label: `${unit.name} a step →`,
    nothing: 'No run that is switched on recorded its ranks.',
    tickFormat: axisNumber,
    names: true,
  })
  return groups.length === 0 ? chart : stack(keys(activities.map((name) => ({ name, color: `var(--${name})` }))), chart)
}
