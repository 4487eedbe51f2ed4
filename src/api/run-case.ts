import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ErrorJSON, TuttiError } from '../errors.ts'
import type { RunConfig, RunRecord } from '../records/record.ts'
import { readMetrics, readRun, RunFolder } from '../records/run-folder.ts'
import { referenceTo } from '../train/data-reference.ts'
import type { CaseSpec } from './case-messages.ts'
import { type CaseEnd, runInProcess } from './case-process.ts'
import type { RunEvent } from './events.ts'
import type { DataShelf, PlannedCase } from './plan-cases.ts'
import { referenceToSystem } from './system-reference.ts'
import { runWorkload } from './workloads/run.ts'

/** Where a case's record goes, and who watches it. */
export interface RunCaseOptions {
  /** Folder of the record; none is kept when absent. */
  readonly dir: string | undefined
  readonly signal: AbortSignal | undefined
  /** Called with the process of the run; without one where it runs in this process. */
  onStart(pid?: number): void
  onEvent(event: RunEvent): void
}

/**
 * Runs a case that {@link PlannedCase} describes: in a process of its own, so that its memory is that of the case alone, or in this one
 * where only this process has the system or the ranks of MPI.
 * @returns its record, also of a run that failed or whose process died
 * @throws what kept the run from starting
 */
export async function runCase(planned: PlannedCase, shelf: DataShelf, options: RunCaseOptions): Promise<RunRecord> {
  const system = referenceToSystem(planned.system)
  if (system === undefined || (await ranksAreHere(planned))) return runHere(planned, shelf, options)
  shelf.clear()
  const temporary = options.dir === undefined
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'tutti-case-'))
  try {
    return await runElsewhere(planned, { ...plain(planned), system, dir, temporary }, options)
  } finally {
    if (temporary) rmSync(dir, { recursive: true, force: true })
  }
}

/** Whether the case runs in the world of processes to which this one belongs. */
async function ranksAreHere({ case: { fabric } }: PlannedCase): Promise<boolean> {
  if (fabric !== 'mpi' && fabric !== 'hybrid') return false
  const { residentWorld } = await import('../fabric/mpi/resident.ts')
  return residentWorld() !== undefined
}

async function runHere(planned: PlannedCase, shelf: DataShelf, { dir, signal, onStart, onEvent }: RunCaseOptions): Promise<RunRecord> {
  const own = { ...planned.options, ...(dir === undefined ? {} : { out: dir }) }
  const data = await shelf.take(planned.case)
  onStart()
  try {
    return await runWorkload(planned.case.workload, own, { ...(signal ? { signal } : {}), onEvent }, data)
  } catch (error) {
    const record = error instanceof TuttiError ? (error as { record?: RunRecord }).record : undefined
    if (record === undefined) throw error
    return record
  }
}

async function runElsewhere(planned: PlannedCase, spec: CaseSpec, { signal, onStart, onEvent }: RunCaseOptions): Promise<RunRecord> {
  const started = performance.now()
  const startedAt = new Date().toISOString()
  let hasBegun = false
  let checkpoint: string | undefined
  const end = await runInProcess(spec, {
    signal,
    onStart,
    onEvent(event) {
      if (event.type === 'preflight') hasBegun = true
      if (event.type === 'checkpoint') checkpoint = event.dir
      onEvent(event)
    },
  })
  if (end.type === 'failed') throw end.error
  if (end.type === 'ended') return readRun(spec.dir)
  // What lies in the folder of a run that had not begun is another's.
  const metrics = hasBegun && !spec.temporary ? readMetrics(spec.dir) : []
  const totalSeconds = (performance.now() - started) / 1000
  const record = recordOfDead({ ...(planned.plan as RunConfig), startedAt }, lossOf(planned, end), { metrics, totalSeconds, checkpoint })
  if (!spec.temporary) new RunFolder(spec.dir).finish(record)
  return record
}

/** Options as plain data: rows to score on travel as ranks get rows. */
function plain({ case: { workload }, options }: PlannedCase): Pick<CaseSpec, 'workload' | 'options' | 'validation'> {
  const { system: _, out: __, ...rest } = options
  const { validation, ...train } = rest.train ?? {}
  if (typeof validation !== 'object') return { workload, options: rest }
  return { workload, options: { ...rest, train }, validation: referenceTo(validation, false) }
}

function lossOf({ name, options }: PlannedCase, { pid, how }: Extract<CaseEnd, { type: 'died' }>): ErrorJSON {
  const which = pid === undefined ? 'could not start its process' : `its process ${pid} is gone`
  const ranks = Array.from({ length: options.workers ?? 1 }, (_, rank) => rank)
  const hint = how === 'SIGKILL' ? ' (the system ends processes this way when memory is short)' : ''
  return { code: 'PEER_LOST', message: `${name}: ${which} — expected a record, got ${how}${hint}`, details: { ranks } }
}

interface LeftBehind extends Pick<RunRecord, 'metrics'> {
  readonly totalSeconds: number
  readonly checkpoint: string | undefined
}

/** What is known of a run whose process died: its plan, and the metrics that it had written. */
function recordOfDead(config: RunConfig, error: ErrorJSON, { metrics, totalSeconds, checkpoint }: LeftBehind): RunRecord {
  const last = metrics.at(-1)
  return {
    config,
    summary: {
      status: 'failed',
      error,
      steps: last?.step ?? 0,
      epochs: last?.epoch ?? 0,
      trainSeconds: last?.time ?? 0,
      totalSeconds,
      samplesPerSecond: last === undefined || last.time === 0 ? 0 : last.samples / last.time,
      cpuSeconds: 0,
      peakRssBytes: 0,
      ...(checkpoint === undefined ? {} : { checkpoint }),
    },
    metrics,
    ranks: [],
    traffic: { links: [], phases: {} },
    trace: [],
  }
}
