/**
 * What the page's script draws: plain data, already reduced. The script computes nothing but positions.
 * @packageDocumentation
 */
import type { RunRecord } from '../../records/record.ts'
import type { Paradigm, RunRow } from '../summary.ts'
import type { Case, Cell } from '../verdict/case.ts'
import { isShareMetric } from '../verdict/format-quantity.ts'
import { efficiencyOf } from '../verdict/scalability.ts'
import type { Spread } from '../verdict/statistics.ts'
import { type Timeline, timelineOf } from './timeline.ts'

/** A configuration as charts and legend know it. */
export interface CellView {
  readonly index: number
  readonly label: string
  readonly paradigm: Paradigm
  /** Runs with the same series name form a line over workers. */
  readonly series: string
  readonly system: string
  readonly workers: number
  readonly runs: number
  readonly done: number
  readonly oversubscribed: boolean
  readonly rate?: Spread
  readonly efficiency?: number
  readonly speedup?: number
  readonly cpu?: Spread
  readonly memory?: Spread
  readonly bytes: number
  readonly busiestBytes: number
  readonly rounds: number
  readonly phases: readonly { readonly phase: string; readonly bytes: number; readonly rounds: number }[]
  /** Seconds of a step, and how each rank spent them. */
  readonly stepSeconds?: number
  readonly slowestSeconds?: number
  readonly ranks: readonly {
    readonly rank: number
    readonly compute: number
    readonly communicate: number
    readonly wait: number
    readonly rest: number
  }[]
  readonly timeline?: Timeline
}

/** Metric of one run. */
export interface CurveView {
  readonly cell: number
  readonly name: string
  /** Seconds, epochs, metric. */
  readonly points: readonly (readonly [number, number, number])[]
}

/** One case. */
export interface CaseView {
  readonly title: string
  readonly metric: { readonly title: string; readonly name: string; readonly better: 'higher' | 'lower'; readonly share: boolean }
  readonly cells: readonly CellView[]
  readonly curves: readonly CurveView[]
  /** Samples/s of one worker, for the ideal line. */
  readonly oneRate?: number
  readonly windowSeconds: number
}

/** Everything that is drawn. */
export interface ReportView {
  readonly cases: readonly CaseView[]
}

const stepsInTimeline = 3
const maxPoints = 300

/** Reduces cases, and the records behind their runs, to what the charts need. */
export function buildView(cases: readonly Case[], recordOf: ReadonlyMap<RunRow, RunRecord>): ReportView {
  return { cases: cases.map((of) => caseView(of, recordOf)) }
}

/** Runs with injected faults are no part of the charts: their few steps would stretch every axis. */
function drawn(of: Case): readonly Cell[] {
  const sound = of.cells.filter((cell) => !cell.runs.every((run) => run.faulty))
  return sound.length > 0 ? sound : of.cells
}

function caseView(of: Case, recordOf: ReadonlyMap<RunRow, RunRecord>): CaseView {
  const cells = drawn(of)
  const steps = cells.flatMap((cell) => (cell.paradigm === 'virtual' ? [] : (shownRun(cell).stepCheck?.stepSeconds ?? [])))
  const traced = cells.flatMap((cell) => traceSeconds(recordOf.get(shownRun(cell))))
  const windowSeconds = Math.min(stepsInTimeline * Math.max(0, ...steps), Math.max(0, ...traced))
  const oneRate = of.baseline?.samplesPerSecond?.median
  return {
    title: of.title,
    metric: { title: of.metricTitle, name: of.metricName, better: of.better, share: isShareMetric(of.metricName) },
    cells: cells.map((cell) => cellView(cell, of, recordOf, windowSeconds)),
    curves: cells.flatMap((cell) =>
      cell.runs.map((run) => ({
        cell: cell.index,
        name: cell.runs.length > 1 ? `${cell.label}, seed ${run.seed}` : cell.label,
        points: thin(run.curve).map((point) => [point.time, point.epoch, point.metric] as const),
      })),
    ),
    ...(oneRate === undefined ? {} : { oneRate }),
    windowSeconds,
  }
}

/** Length of a record's trace; none without one, or on virtual time. */
function traceSeconds(record: RunRecord | undefined): number[] {
  if (!record || record.trace.length === 0 || record.config.paradigm === 'virtual') return []
  const [first, last] = [Math.min(...record.trace.map((event) => event.ts)), Math.max(...record.trace.map((event) => event.ts + event.dur))]
  return [(last - first) / 1e6]
}

/** The finished run with the middle time; the first one when none finished. */
export function shownRun(cell: Cell): RunRow {
  const byTime = [...cell.done].sort((a, b) => a.trainSeconds - b.trainSeconds)
  return byTime[Math.floor((byTime.length - 1) / 2)] ?? (cell.runs[0] as RunRow)
}

function thin<T>(points: readonly T[]): T[] {
  const every = Math.ceil(points.length / maxPoints)
  return every <= 1 ? [...points] : points.filter((_, i) => i % every === 0 || i === points.length - 1)
}

function cellView(cell: Cell, of: Case, recordOf: ReadonlyMap<RunRow, RunRecord>, windowSeconds: number): CellView {
  const run = shownRun(cell)
  const record = recordOf.get(run)
  const step = run.stepCheck?.stepSeconds ?? 0
  const timeline = record && windowSeconds > 0 && cell.paradigm !== 'virtual' ? timelineOf(record, windowSeconds) : undefined
  const efficiency = cell.done.length > 0 && cell.paradigm !== 'virtual' ? efficiencyOf(cell, of) : undefined
  return {
    index: cell.index,
    label: cell.label,
    paradigm: cell.paradigm,
    series: seriesOf(cell),
    system: cell.system,
    workers: cell.workers,
    runs: cell.runs.length,
    done: cell.done.length,
    oversubscribed: cell.oversubscribed,
    ...(cell.samplesPerSecond ? { rate: cell.samplesPerSecond } : {}),
    ...(efficiency === undefined ? {} : { efficiency }),
    ...(cell.speedup === undefined ? {} : { speedup: cell.speedup }),
    ...(cell.cpuSeconds ? { cpu: cell.cpuSeconds } : {}),
    ...(cell.peakBytesPerHost ? { memory: cell.peakBytesPerHost } : {}),
    bytes: run.bytesPerWorkerStep,
    busiestBytes: run.busiestWorkerBytes,
    rounds: run.workers === 1 ? 0 : run.roundsPerWorkerStep,
    phases: run.workers === 1 ? [] : run.phases.map(({ phase, bytes, rounds }) => ({ phase, bytes, rounds })),
    ...(run.stepCheck ? { stepSeconds: run.stepCheck.stepSeconds, slowestSeconds: run.stepCheck.slowestSeconds } : {}),
    ranks: run.ranks.map(({ rank, compute, communicate, wait, rest }) => ({
      rank,
      compute: compute * step,
      communicate: communicate * step,
      wait: wait * step,
      rest: rest * step,
    })),
    ...(timeline ? { timeline } : {}),
  }
}

/** The label without the worker count: what forms a line over workers. */
export function seriesOf(cell: Cell): string {
  return cell.label.replace(/ × \d+(×\d+)?/, '')
}
