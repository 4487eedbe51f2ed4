/**
 * What is compared with what: runs of one workload at one size form a case, repeats of one configuration in it form a cell.
 * Time, quality and memory are only ever compared inside a case.
 * @packageDocumentation
 */
import type { Paradigm, RunRow } from '../summary.ts'
import { cellLabels } from './cell-label.ts'
import { formatRows, metricTitle } from './format-quantity.ts'
import { type Sample, type Spread, median, spreadOf } from './statistics.ts'

/** Order of columns, legends and sentences. */
export const paradigms = ['solo', 'parallel', 'distributed', 'hybrid', 'virtual'] as const satisfies readonly Paradigm[]

/** The four that the verdicts compare; `virtual` runs have no time of their own. */
export const comparedParadigms = ['solo', 'parallel', 'distributed', 'hybrid'] as const
export type ComparedParadigm = (typeof comparedParadigms)[number]

/** Repeats of one configuration. */
export interface Cell {
  readonly key: string
  /** Position in the report, from 0: colours, toggles. */
  readonly index: number
  /** `bsp · threads × 2`, with what else distinguishes it from the others of the case. */
  readonly label: string
  readonly system: string
  readonly paradigm: Paradigm
  readonly fabric: RunRow['fabric']
  readonly workers: number
  readonly processes: number
  readonly threadsPerProcess: number
  readonly runs: readonly RunRow[]
  /** Runs that ended well and had no injected faults: only they are compared. */
  readonly done: readonly RunRow[]
  /** More ranks on a machine than it has cores: its time says nothing about the paradigm. */
  readonly oversubscribed: boolean
  readonly trainSeconds?: Spread
  readonly totalSeconds?: Spread
  readonly samplesPerSecond?: Spread
  readonly finalMetric?: Spread
  readonly cpuSeconds?: Spread
  readonly peakBytesPerHost?: Spread
  readonly bytesPerStep?: Spread
  /** Solo's time ÷ this time, for the same number of epochs. */
  readonly speedup?: number
  /** Samples/s ÷ (workers × solo's samples/s). */
  readonly efficiency?: number
}

/** One workload at one size. */
export interface Case {
  readonly key: string
  readonly title: string
  readonly workload: string
  readonly rows: number
  readonly metricName: string
  readonly metricTitle: string
  readonly better: 'higher' | 'lower'
  readonly cells: readonly Cell[]
  /** Fastest solo cell: what speed-ups refer to. */
  readonly baseline?: Cell
  /** Runs that lost a rank. */
  readonly losses: readonly RunRow[]
}

/** Groups rows into cases, in order of appearance, sizes rising within a workload. */
export function groupCases(rows: readonly RunRow[]): Case[] {
  const workloads = [...new Set(rows.map((row) => row.workload))]
  let index = 0
  return workloads.flatMap((workload) => {
    const ofWorkload = rows.filter((row) => row.workload === workload)
    const sizes = [...new Set(ofWorkload.map((row) => row.rows))].sort((a, b) => a - b)
    return sizes.map((size) => {
      const ofCase = ofWorkload.filter((row) => row.rows === size)
      const built = buildCase(ofCase, sizes.length > 1, index)
      index += built.cells.length
      return built
    })
  })
}

function buildCase(rows: readonly RunRow[], showSize: boolean, firstIndex: number): Case {
  const first = rows[0] as RunRow
  const groups = new Map<string, RunRow[]>()
  for (const row of rows) {
    const key = cellKey(row)
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  const ordered = [...groups].sort(([, a], [, b]) => byPlace(a[0] as RunRow, b[0] as RunRow))
  const labels = cellLabels(ordered.map(([, runs]) => runs[0] as RunRow))
  const plain = ordered.map(([key, runs], i) => buildCell(key, runs, labels[i] as string, firstIndex + i))
  const baseline = fastest(plain.filter((cell) => cell.paradigm === 'solo'))
  const cells = plain.map((cell) => withBaseline(cell, baseline))
  const withSpeedup = baseline && cells.find((cell) => cell.key === baseline.key)
  return {
    key: `${first.workload}#${first.rows}`,
    title: showSize ? `${first.workload} · ${formatRows(first.rows)} rows` : first.workload,
    workload: first.workload,
    rows: first.rows,
    metricName: first.metricName,
    metricTitle: metricTitle(first.metricName),
    better: first.better,
    cells,
    ...(withSpeedup ? { baseline: withSpeedup } : {}),
    losses: rows.filter((row) => row.loss),
  }
}

/** Everything that two repeats share. */
function cellKey(row: RunRow): string {
  const options = Object.entries(row.systemOptions).sort(([a], [b]) => (a < b ? -1 : 1))
  const { system, paradigm, fabric, workers, processes, threadsPerProcess, hosts, globalBatchSize, network, faulty } = row
  return JSON.stringify([system, options, paradigm, fabric, workers, processes, threadsPerProcess, hosts, globalBatchSize, network, faulty])
}

function byPlace(a: RunRow, b: RunRow): number {
  return (
    paradigms.indexOf(a.paradigm) - paradigms.indexOf(b.paradigm) ||
    Number(a.faulty) - Number(b.faulty) ||
    (a.system < b.system ? -1 : a.system > b.system ? 1 : 0) ||
    a.workers - b.workers
  )
}

function buildCell(key: string, runs: readonly RunRow[], label: string, index: number): Cell {
  const first = runs[0] as RunRow
  const done = runs.filter((run) => run.status === 'done' && !run.faulty)
  const spread = (name: keyof Cell & keyof RunRow, pick: (run: RunRow) => number | undefined) => {
    const found = spreadOf(done.flatMap((run) => pick(run) ?? []))
    return found ? { [name]: found } : {}
  }
  return {
    key,
    index,
    label,
    system: first.system,
    paradigm: first.paradigm,
    fabric: first.fabric,
    workers: first.workers,
    processes: first.processes,
    threadsPerProcess: first.threadsPerProcess,
    runs,
    done,
    oversubscribed: first.paradigm !== 'virtual' && runs.some((run) => run.ranksPerHost > run.cores),
    ...spread('trainSeconds', (run) => run.trainSeconds),
    ...spread('totalSeconds', (run) => run.totalSeconds),
    ...spread('samplesPerSecond', (run) => run.samplesPerSecond),
    ...spread('finalMetric', (run) => run.finalMetric),
    ...spread('cpuSeconds', (run) => run.cpuSeconds),
    ...spread('peakBytesPerHost', (run) => run.peakBytesPerHost),
    ...spread('bytesPerStep', (run) => run.bytesPerStep),
  }
}

function withBaseline(cell: Cell, baseline: Cell | undefined): Cell {
  if (!baseline || cell.done.length === 0 || cell.paradigm === 'virtual') return cell
  const speedup = median(baseline.done.map(secondsPerEpoch)) / median(cell.done.map(secondsPerEpoch))
  const rate = (cell.samplesPerSecond?.median ?? Number.NaN) / (baseline.samplesPerSecond?.median ?? Number.NaN)
  return {
    ...cell,
    ...(Number.isFinite(speedup) ? { speedup } : {}),
    ...(Number.isFinite(rate) && rate > 0 ? { efficiency: rate / cell.workers } : {}),
  }
}

/** Train seconds for one pass over the data; of the whole run where no passes were counted. */
export function secondsPerEpoch(run: RunRow): number {
  return run.epochs > 0 ? run.trainSeconds / run.epochs : run.trainSeconds
}

/** The cell with the smallest median time per epoch among those that finished. */
export function fastest(cells: readonly Cell[]): Cell | undefined {
  const time = (cell: Cell) => median(cell.done.map(secondsPerEpoch))
  return cells
    .filter((cell) => cell.done.length > 0)
    .reduce<Cell | undefined>((best, cell) => (best && time(best) <= time(cell) ? best : cell), undefined)
}

/** The values of a cell's finished runs, by seed. */
export function samples(cell: Cell, pick: (run: RunRow) => number | undefined): Sample[] {
  return cell.done.flatMap((run) => {
    const value = pick(run)
    return value !== undefined && Number.isFinite(value) ? [{ seed: run.seed, value }] : []
  })
}
