import * as Plot from '@observablehq/plot'
import { formatMetric, formatNumber, formatSeconds } from '../../../verdict/format-quantity.ts'
import type { CellView } from '../../view.ts'
import { draw, empty, quiet, tag, tipLook } from '../draw.ts'
import { color, dashOf, symbol } from '../look.ts'
import type { PanelState } from '../panel-state.ts'
import { axisNumber, timeUnit } from '../scale-unit.ts'

interface Point {
  readonly run: number
  readonly cell: CellView
  readonly name: string
  readonly x: number
  readonly metric: number
  readonly time: number
  readonly epoch: number
}

/** Metric of every run against train time or epochs. */
export function metricChart(panel: PanelState, width: number, against: 'time' | 'epoch'): Element {
  const { metric, curves } = panel.view
  const cells = new Map(panel.cells.filter((cell) => against === 'epoch' || cell.paradigm !== 'virtual').map((cell) => [cell.index, cell]))
  const shown = curves.flatMap((curve, run) => {
    const cell = cells.get(curve.cell)
    return cell ? [{ ...curve, run, cell }] : []
  })
  const unit =
    against === 'time'
      ? timeUnit(Math.max(0, ...shown.flatMap((curve) => curve.points.map((point) => point[0]))))
      : { name: 'epochs', factor: 1 }
  const scale = metric.share ? 100 : 1
  const points = shown.flatMap(({ points: list, run, cell, name }) =>
    list.map(
      ([time, epoch, value]): Point => ({
        run,
        cell,
        name,
        x: (against === 'time' ? time : epoch) * unit.factor,
        metric: value * scale,
        time,
        epoch,
      }),
    ),
  )
  if (points.length === 0) return empty(panel.cells.length === 0 ? 'All runs are switched off.' : `No run recorded its ${metric.title}.`)
  const { low, high, logarithmic } = metricDomain(
    points.map((point) => point.metric),
    metric.share,
  )
  const lines = shown.some((curve) => curve.points.length > 1)
  const svg = draw({
    width,
    height: Math.round(Math.min(320, Math.max(230, width * 0.56))),
    marginTop: 26,
    marginLeft: high < 1e-3 ? 72 : 52,
    marginRight: 14,
    marginBottom: 38,
    x: {
      label: against === 'time' ? `train time (${unit.name}) →` : 'epochs →',
      domain: [0, Math.max(...points.map((point) => point.x)) * 1.02 || 1],
      ticks: width / 90,
      tickFormat: axisNumber,
    },
    y: {
      label: `↑ ${metric.title}${metric.share ? ' (%)' : ''}`,
      type: logarithmic ? 'log' : 'linear',
      domain: [low, high],
      nice: true,
      ticks: logarithmic ? 4 : 5,
      tickFormat: axisNumber,
    },
    marks: [
      Plot.gridY({ ...quiet, ticks: logarithmic ? 4 : 5 }),
      Plot.line(points, {
        x: 'x',
        y: 'metric',
        z: 'run',
        stroke: (point: Point) => color(point.cell.index),
        strokeWidth: 1.6,
        strokeOpacity: 0.9,
        className: 'm-runs',
      }),
      Plot.dot(lines ? points.filter((_, i) => points.length <= 240 || points[i + 1]?.run !== points[i]?.run) : points, {
        x: 'x',
        y: 'metric',
        fill: (point: Point) => color(point.cell.index),
        symbol: (point: Point) => symbol(point.cell.paradigm),
        r: lines ? 2.6 : 5,
        className: 'm-snapshots',
      }),
      Plot.tip(
        points,
        Plot.pointer({
          ...tipLook,
          x: 'x',
          y: 'metric',
          title: (point: Point) =>
            `${point.name}\n${formatMetric(metric.name, point.metric / scale)}\n${formatSeconds(point.time)}, epoch ${formatNumber(point.epoch)}`,
        }),
      ),
    ],
  })
  tag(
    svg,
    'runs',
    points,
    (point) => point.cell.index,
    (point, element) => element.setAttribute('stroke-dasharray', dashOf(point.cell, panel.view.cells)),
  )
  const dots = lines ? points.filter((_, i) => points.length <= 240 || points[i + 1]?.run !== points[i]?.run) : points
  tag(svg, 'snapshots', dots, (point) => point.cell.index)
  return svg
}

/** Range of the metric, never so narrow that noise in the last digits looks like a difference: a point for shares, 4 % otherwise. */
function metricDomain(values: readonly number[], share: boolean): { low: number; high: number; logarithmic: boolean } {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  if (low > 0 && high / low > 50) return { low, high, logarithmic: true }
  const missing = (share ? 1 : 0.04 * Math.max(Math.abs(low), Math.abs(high)) || 1) - (high - low)
  return missing > 0 ? { low: low - missing / 2, high: high + missing / 2, logarithmic: false } : { low, high, logarithmic: false }
}
