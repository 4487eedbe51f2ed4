import { join } from 'node:path'
import { type ErrorJSON, errorFromJSON } from '../errors.ts'
import type { LaunchResult } from '../fabric/launch.ts'
import { launch } from '../fabric/launchers/index.ts'
import { mpirunVersion } from '../fabric/requirements.ts'
import { machineMemory } from '../memory/machine.ts'
import { machineInfo } from '../records/machine-info.ts'
import { type MetricRow, recordVersion, type RunConfig, type RunRecord } from '../records/record.ts'
import { readMetrics, readSummary, RunFolder } from '../records/run-folder.ts'
import { installedVersions } from '../records/versions.ts'
import { readManifest } from '../train/checkpoint.ts'
import type { Job } from '../train/job.ts'
import type { RankResult } from '../train/rank-result.ts'
import { assembleRecord, type Observed } from './assemble-record.ts'
import type { RunEvent } from './events.ts'
import type { RunOptions, SpreadOptions } from './spec.ts'
import type { Spread } from './spread.ts'

/** What a run is called and how it is spread, for its record. */
export interface Described {
  readonly system: string
  readonly workload: string
  readonly systemOptions: Readonly<Record<string, unknown>>
  readonly spread: Spread
  readonly rows: number
  readonly samplesPerStep: number
  readonly globalBatchSize?: number
  readonly metric: RunConfig['metric']
  readonly steps: number
  /** Bytes that one rank sends a step, as far as it is known before the start. */
  readonly bytesPerStep: number
  readonly memoryBytes: number
  /** A guess from the arithmetic of the job: seconds of the train clock. */
  readonly expectedSeconds: number
  /** Everything else worth keeping, by the library's option names. */
  readonly options: Readonly<Record<string, unknown>>
}

/** A run that has ended well or was interrupted. */
export interface FinishedJob {
  readonly record: RunRecord
  readonly results: readonly (RankResult | undefined)[]
}

let asked: Promise<Record<string, string>> | undefined
/** The MPI of this machine, where it has one; asked once a process. */
function mpiVersion(): Promise<Record<string, string>> {
  asked ??= mpirunVersion().then(
    (version) => ({ mpi: version }),
    () => ({}),
  )
  return asked
}

/** Launches a job on its fabric, listens, writes the record. @throws the error that the run failed with; its record is on disk by then. */
export async function runJob(job: Job, described: Described, spec: SpreadOptions, options: RunOptions): Promise<FinishedJob> {
  const started = performance.now()
  const startedAt = new Date()
  const cpuAtStart = process.cpuUsage()
  const versions = { ...installedVersions(), ...(await mpiVersion()) }
  const config = runConfig(job, described, startedAt, versions)
  const folder = spec.out === undefined ? undefined : new RunFolder(spec.out)
  const before = beforeResume(job, spec)
  folder?.begin(config, before.metrics)
  options.onEvent?.({ type: 'preflight', preflight: config.preflight })
  const metrics = [...before.metrics]
  let checkpoint: string | undefined
  const { spread } = described
  const ended: LaunchResult<RankResult> = await launch<Job, RankResult>({
    fabric: spread.fabric,
    workers: spread.workers,
    threadsPerProcess: spread.threadsPerProcess,
    ...(spread.hosts.length > 0 ? { hosts: spread.hosts } : {}),
    ...(spec.mpirunArgs ? { mpirunArgs: spec.mpirunArgs } : {}),
    module: new URL('./rank-module.js', import.meta.url),
    job,
    ...(spec.timeoutMs === undefined ? {} : { timeoutMs: spec.timeoutMs }),
    ...(options.signal ? { signal: options.signal } : {}),
    ...(spec.network ? { shape: spec.network } : {}),
    ...(spec.faults ? { faults: spec.faults } : {}),
    onEvent(raw) {
      const event = raw as RunEvent
      if (event.type === 'step' || event.type === 'evaluation') {
        const row = { ...metricRow(event), time: event.time + before.seconds }
        metrics.push(row)
        folder?.append(row)
      } else if (event.type === 'checkpoint') checkpoint = event.dir
      options.onEvent?.(event)
    },
  })
  if (ended.error) options.onEvent?.({ type: 'lost', error: ended.error })
  const launched = { ...ended, ...divergence(ended) }
  const totalSeconds = (performance.now() - started) / 1000
  const { samplesPerStep } = described
  const { user, system } = process.cpuUsage(cpuAtStart)
  const cpuSeconds = spread.fabric === 'threads' || spread.fabric === 'virtual' ? (user + system) / 1e6 : undefined
  const record = assembleRecord(
    { config, metrics: inOrder(metrics), before, checkpoint, totalSeconds, samplesPerStep, cpuSeconds },
    launched,
  )
  folder?.finish(record)
  if (launched.error) {
    const error = errorFromJSON(launched.error)
    Object.defineProperty(error, 'record', { value: record })
    throw error
  }
  return { record, results: launched.results }
}

/** Ranks that stopped because learning had come to nothing ended well for the fabric, not for the user. */
function divergence({ results }: LaunchResult<RankResult>): { readonly error?: ErrorJSON } {
  const steps = results.flatMap((result) => result?.divergedAt ?? [])
  if (steps.length === 0) return {}
  const step = Math.min(...steps)
  const message = `train: the loss is not a finite number at step ${step} — expected it to fall (lower the learning rate, or clip with gradClipNorm)`
  return { error: { code: 'DIVERGED', message, details: { step } } }
}

/** What a resumed run had measured up to its checkpoint: its record goes on from there. */
function beforeResume(job: Job, { resume }: SpreadOptions): Observed['before'] & { readonly metrics: readonly MetricRow[] } {
  if (resume === undefined || job.checkpoint?.resume === undefined)
    return { step: 0, seconds: 0, totalSeconds: 0, cpuSeconds: 0, metrics: [] }
  const { step } = readManifest(job.checkpoint.resume)
  const metrics = readMetrics(resume).filter((row) => row.step <= step)
  const seconds = Math.max(0, ...metrics.map(({ time }) => time))
  // A killed driver left no summary: what is known is its train clock.
  const { totalSeconds = seconds, cpuSeconds = 0 } = readSummary(resume) ?? {}
  return { step, seconds, totalSeconds, cpuSeconds, metrics }
}

/** Snapshots are scored after the run: rows go back to where they belong. */
function inOrder(rows: readonly MetricRow[]): MetricRow[] {
  return [...rows].sort((a, b) => a.time - b.time || a.step - b.step)
}

function metricRow(event: Extract<RunEvent, { type: 'step' | 'evaluation' }>): MetricRow {
  const { step, epoch, samples, time, loss } = event
  if (event.type === 'step') {
    const { learningRate } = event
    return { kind: 'step', step, epoch, samples, time, loss: event.loss, ...(learningRate === undefined ? {} : { learningRate }) }
  }
  return {
    kind: 'evaluation',
    split: event.split,
    step,
    epoch,
    samples,
    time,
    ...(loss === undefined ? {} : { loss }),
    metric: event.metric,
  }
}

/** The configuration that a record keeps of a job. */
export function runConfig(job: Job, described: Described, startedAt: Date, versions: Readonly<Record<string, string>>): RunConfig {
  const { spread, globalBatchSize } = described
  const stamp = startedAt.toISOString().replace(/[:.]/g, '-').slice(0, 23)
  return {
    recordVersion,
    id: `${stamp}-${described.system}-${described.workload.replaceAll('/', '-')}-${spread.fabric}-${spread.workers}-s${job.seed}`,
    system: described.system,
    workload: described.workload,
    fabric: spread.fabric,
    paradigm: spread.paradigm,
    workers: spread.workers,
    processes: spread.processes,
    threadsPerProcess: spread.threadsPerProcess,
    hosts: spread.hosts,
    seed: job.seed,
    rows: described.rows,
    ...(globalBatchSize === undefined ? {} : { globalBatchSize }),
    systemOptions: described.systemOptions,
    options: described.options,
    programHash: job.programHash,
    dataHash: job.data.hash,
    metric: described.metric,
    preflight: {
      ranks: spread.workers,
      threads: spread.workers,
      memoryBytes: described.memoryBytes,
      freeBytes: machineMemory().freeBytes,
      bytesPerStep: described.bytesPerStep,
      steps: described.steps,
      expectedSeconds: described.expectedSeconds,
    },
    machine: machineInfo(versions),
    startedAt: startedAt.toISOString(),
    version: job.version,
  }
}

/** Default folder of a run: `runs/<stamp>-<name>` below the working folder. */
export function defaultRunFolder(name: string, now: Date): string {
  const stamp = now.toISOString().replace(/[:.]/g, '-').slice(0, 19)
  return join('runs', `${stamp}-${name.replaceAll('/', '-')}`)
}
