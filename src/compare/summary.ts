/**
 * One run as one row: what a record says, reduced to the figures that tables, charts and verdicts use. Pure; seconds and bytes.
 * @packageDocumentation
 */
import type { ErrorJSON } from '../errors.ts'
import type { FabricName } from '../fabric/launch.ts'
import type { MetricRow, RunConfig, RunRecord } from '../records/record.ts'
import { type RankLoss, declaredTarget, isFaulty, rankLoss } from './run-outcome.ts'
import { type StepCheck, stepCheck } from './step-check.ts'

/** How ranks are spread over processes and threads. */
export type Paradigm = RunConfig['paradigm']

/** One scored snapshot. `time` is the train clock in seconds. */
export interface CurvePoint {
  readonly time: number
  readonly epoch: number
  readonly step: number
  readonly metric: number
}

/** Traffic of one phase, mean per worker and step. */
export interface PhaseTraffic {
  readonly phase: string
  readonly bytes: number
  readonly rounds: number
  readonly waitSeconds: number
}

/** Where the train time of one rank went; `rest` is the executor itself, and what a lone rank spends on exchanges with nobody. */
export interface RankShare {
  readonly rank: number
  readonly host: string
  readonly steps: number
  readonly compute: number
  readonly communicate: number
  readonly wait: number
  readonly rest: number
}

/** A run in figures; the rows of `results.json`. */
export interface RunRow {
  readonly id: string
  readonly workload: string
  readonly rows: number
  readonly system: string
  readonly systemOptions: Readonly<Record<string, unknown>>
  readonly paradigm: Paradigm
  readonly fabric: FabricName
  readonly workers: number
  readonly processes: number
  readonly threadsPerProcess: number
  readonly hosts: number
  readonly seed: number
  readonly globalBatchSize?: number
  /** Link shaping that the run was given, as its option was written. */
  readonly network?: string
  readonly startedAt: string
  readonly status: RunRecord['summary']['status']
  readonly error?: ErrorJSON
  readonly checkpoint?: string
  /** True when faults were injected: such a run is not compared for cost. */
  readonly faulty: boolean
  /** Present when the run lost a rank (injected or not). */
  readonly loss?: RankLoss
  /** Most ranks on one machine, and that machine's cores; more ranks than cores share them. */
  readonly ranksPerHost: number
  readonly cores: number
  readonly steps: number
  readonly epochs: number
  readonly trainSeconds: number
  readonly totalSeconds: number
  readonly samplesPerSecond: number
  readonly cpuSeconds: number
  /** Peak resident bytes of all processes on the busiest host, and of the largest process. */
  readonly peakBytesPerHost: number
  readonly peakBytesPerProcess: number
  readonly metricName: string
  readonly better: 'higher' | 'lower'
  readonly finalMetric?: number
  readonly finalLoss?: number
  /** Target that the run's `until` names for its metric. */
  readonly target?: number
  readonly curve: readonly CurvePoint[]
  /** All ranks together, per step; `bytesBetweenProcesses` is the part that leaves a process. */
  readonly bytesPerStep: number
  readonly bytesBetweenProcesses: number
  readonly messagesPerStep: number
  /** Mean over workers, and the busiest worker, of bytes sent per step. */
  readonly bytesPerWorkerStep: number
  readonly busiestWorkerBytes: number
  readonly roundsPerWorkerStep: number
  readonly phases: readonly PhaseTraffic[]
  /** Mean shares of the train time over the ranks. */
  readonly communicateShare: number
  readonly waitShare: number
  readonly ranks: readonly RankShare[]
  readonly stepCheck?: StepCheck
}

/** The row of a record. */
export function summarizeRun(record: RunRecord): RunRow {
  const { config, summary } = record
  const loss = rankLoss(record)
  const target = declaredTarget(config)
  const check = stepCheck(record)
  const network = networkOf(config)
  const finalMetric = summary.finalMetric ?? curveOf(record).at(-1)?.metric
  return {
    id: config.id,
    workload: config.workload,
    rows: config.rows,
    system: config.system,
    systemOptions: config.systemOptions,
    paradigm: config.paradigm,
    fabric: config.fabric,
    workers: config.workers,
    processes: config.processes,
    threadsPerProcess: config.threadsPerProcess,
    // A rank that was lost before it reported has no host.
    hosts: Math.max(1, new Set(record.ranks.flatMap((rank) => (rank.host === '' ? [] : [rank.host]))).size),
    seed: config.seed,
    ...(config.globalBatchSize === undefined ? {} : { globalBatchSize: config.globalBatchSize }),
    ...(network === undefined ? {} : { network }),
    startedAt: config.startedAt,
    status: summary.status,
    ...(summary.error ? { error: summary.error } : {}),
    ...(summary.checkpoint === undefined ? {} : { checkpoint: summary.checkpoint }),
    faulty: isFaulty(config),
    ...(loss ? { loss } : {}),
    ranksPerHost: ranksPerHost(record),
    cores: config.machine.cores,
    steps: summary.steps,
    epochs: summary.epochs,
    trainSeconds: summary.trainSeconds,
    totalSeconds: summary.totalSeconds,
    samplesPerSecond: summary.samplesPerSecond,
    cpuSeconds: summary.cpuSeconds,
    ...peakMemory(record),
    metricName: config.metric.name,
    better: config.metric.better,
    ...(finalMetric === undefined ? {} : { finalMetric }),
    ...(summary.finalLoss === undefined ? {} : { finalLoss: summary.finalLoss }),
    ...(target === undefined ? {} : { target }),
    curve: curveOf(record),
    ...trafficOf(record),
    ...sharesOf(record),
    ...(check ? { stepCheck: check } : {}),
  }
}

const splits = ['validation', 'test', 'train'] as const

/** Scored snapshots on the best split there is; a single point at the end when only the final metric is known. */
function curveOf(record: RunRecord): CurvePoint[] {
  const evaluations = record.metrics.filter((row): row is Extract<MetricRow, { kind: 'evaluation' }> => row.kind === 'evaluation')
  const split = splits.find((name) => evaluations.some((row) => row.split === name))
  const points = evaluations
    .filter((row) => row.split === split && Number.isFinite(row.metric))
    .map(({ time, epoch, step, metric }) => ({ time, epoch, step, metric }))
  const { finalMetric, trainSeconds, epochs, steps } = record.summary
  if (points.length === 0 && finalMetric !== undefined && Number.isFinite(finalMetric)) {
    points.push({ time: trainSeconds, epoch: epochs, step: steps, metric: finalMetric })
  }
  return points
}

function networkOf(config: RunConfig): string | undefined {
  const network = config.options.network ?? config.options.shape
  if (network === undefined || network === null) return undefined
  return typeof network === 'string' ? network : JSON.stringify(network)
}

function ranksPerHost(record: RunRecord): number {
  const perHost = new Map<string, number>()
  for (const rank of record.ranks) perHost.set(rank.host, (perHost.get(rank.host) ?? 0) + 1)
  return Math.max(...perHost.values(), record.ranks.length === 0 ? record.config.workers : 0)
}

/** Ranks of one process report the same resident size, so each process counts once. */
function peakMemory(record: RunRecord): { peakBytesPerHost: number; peakBytesPerProcess: number } {
  const processes = new Map<string, { host: string; bytes: number }>()
  for (const { host, pid, peakRssBytes } of record.ranks) {
    const key = `${host}/${pid}`
    processes.set(key, { host, bytes: Math.max(peakRssBytes, processes.get(key)?.bytes ?? 0) })
  }
  const perHost = new Map<string, number>()
  for (const { host, bytes } of processes.values()) perHost.set(host, (perHost.get(host) ?? 0) + bytes)
  const fallback = record.summary.peakRssBytes
  return {
    peakBytesPerHost: Math.max(...perHost.values(), 0) || fallback,
    peakBytesPerProcess: Math.max(...[...processes.values()].map((process) => process.bytes), 0) || fallback,
  }
}

/** Bytes are counted on the sending side; consecutive ranks share a process. */
function trafficOf(record: RunRecord) {
  const { config, traffic } = record
  const steps = Math.max(1, record.summary.steps - (record.summary.resumedAt ?? 0))
  const perWorkerStep = 1 / (steps * Math.max(1, config.workers))
  const processOf = (rank: number) => Math.floor(rank / Math.max(1, config.threadsPerProcess))
  const sent = new Map<number, number>()
  const phaseBytes = new Map<string, number>()
  let [bytes, between, messages] = [0, 0, 0]
  for (const link of traffic.links) {
    bytes += link.bytes
    messages += link.messages
    if (processOf(link.from) !== processOf(link.to)) between += link.bytes
    sent.set(link.from, (sent.get(link.from) ?? 0) + link.bytes)
    phaseBytes.set(link.phase, (phaseBytes.get(link.phase) ?? 0) + link.bytes)
  }
  const names = [...new Set([...phaseBytes.keys(), ...Object.keys(traffic.phases)])].sort()
  const phases = names.map((phase) => ({
    phase,
    bytes: (phaseBytes.get(phase) ?? 0) * perWorkerStep,
    rounds: (traffic.phases[phase]?.rounds ?? 0) * perWorkerStep,
    waitSeconds: (traffic.phases[phase]?.waitSeconds ?? 0) * perWorkerStep,
  }))
  return {
    bytesPerStep: bytes / steps,
    bytesBetweenProcesses: between / steps,
    messagesPerStep: messages / steps,
    bytesPerWorkerStep: bytes * perWorkerStep,
    busiestWorkerBytes: Math.max(0, ...sent.values()) / steps,
    roundsPerWorkerStep: phases.reduce((sum, phase) => sum + phase.rounds, 0),
    phases,
  }
}

function sharesOf(record: RunRecord): { communicateShare: number; waitShare: number; ranks: RankShare[] } {
  const ranks = record.ranks.map((rank) => {
    const whole = Math.max(rank.trainSeconds, rank.computeSeconds + rank.communicateSeconds + rank.waitSeconds)
    const share = (seconds: number) => (whole > 0 ? seconds / whole : 0)
    const exchange = (seconds: number) => (record.config.workers === 1 ? 0 : share(seconds))
    const [compute, communicate, wait] = [share(rank.computeSeconds), exchange(rank.communicateSeconds), exchange(rank.waitSeconds)]
    const rest = Math.max(0, 1 - compute - communicate - wait)
    return { rank: rank.rank, host: rank.host, steps: rank.steps, compute, communicate, wait, rest }
  })
  const average = (key: 'communicate' | 'wait') => (ranks.length ? ranks.reduce((sum, rank) => sum + rank[key], 0) / ranks.length : 0)
  return { communicateShare: average('communicate'), waitShare: average('wait'), ranks }
}
