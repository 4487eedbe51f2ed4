/**
 * `compare`: workloads × systems × fabrics × workers × repeats, one record each, and the report over them.
 * @packageDocumentation
 */
import { join } from 'node:path'
import { writeReport, type WrittenReport } from '../compare/report/write-report.ts'
import { type RunRow, summarizeRun } from '../compare/summary.ts'
import type { Skipped } from '../compare/verdict/missing.ts'
import { AbortError, ConfigError } from '../errors.ts'
import type { FabricName, FaultSpec } from '../fabric/launch.ts'
import type { RunRecord } from '../records/record.ts'
import type { AnySystem } from '../systems/define.ts'
import { caseVariable } from './case-messages.ts'
import type { RunEvent } from './events.ts'
import { DataShelf, planCases } from './plan-cases.ts'
import { runCase } from './run-case.ts'
import type { SpreadOptions } from './spec.ts'
import type { WorkloadOptions } from './workloads/run.ts'
import { findWorkload } from './workloads/index.ts'

export { defaultCases } from './default-cases.ts'

/** One run of a comparison. */
export interface CompareCase {
  readonly workload: string
  /** By id, or a system of your own. */
  readonly system: string | AnySystem
  readonly fabric: FabricName
  readonly workers: number
  readonly threadsPerProcess?: number
  readonly rows?: number
  readonly until?: WorkloadOptions['until']
  readonly seed?: number
  /** Faults to inject: such a run says what a lost worker means, and is not compared for cost. */
  readonly faults?: readonly FaultSpec[]
}

/** What to compare: cases one by one, or the product of lists. */
export interface CompareSpec extends Pick<SpreadOptions, 'network' | 'hosts' | 'mpirunArgs' | 'timeoutMs' | 'reproducible'> {
  readonly cases?: readonly CompareCase[]
  /** What the planner of `cases` left out, with the reason: the report says it. */
  readonly skipped?: readonly Skipped[]
  /** Systems by id, or systems of your own (default: the workload's). */
  readonly systems?: readonly (string | AnySystem)[]
  readonly workloads?: readonly string[]
  /** Default `threads`. */
  readonly fabrics?: readonly FabricName[]
  /** Default [1, 2]. */
  readonly workers?: readonly number[]
  /** Default: the workload's. */
  readonly rows?: readonly number[]
  /** Runs of every case, with seeds 1, 2, … (default 1). */
  readonly repeat?: number
  readonly until?: WorkloadOptions['until']
  /** Refuse cases that need more than so many bytes on this machine. */
  readonly memoryLimitBytes?: number
  /** Options of the systems, by name: each takes those that it has. */
  readonly systemOptions?: Readonly<Record<string, unknown>>
  /** Any option of `train`, over the recipes’. */
  readonly train?: WorkloadOptions['train']
  /** Folder for the records, one below it for each run; kept in memory only when absent. */
  readonly out?: string
}

/** What happens during a comparison: a run's own events, and which run it is; `pid` is its process, absent where that is this one. */
export interface CompareProgress {
  readonly run: number
  readonly runs: number
  readonly case: CompareCase
  readonly event:
    | RunEvent
    | { readonly type: 'begin'; readonly pid?: number }
    | { readonly type: 'end'; readonly record: RunRecord }
    | { readonly type: 'skipped'; readonly reason: string }
}

/** Records, and the report over them. */
export interface Comparison {
  readonly records: readonly RunRecord[]
  readonly rows: readonly RunRow[]
  readonly skipped: readonly Skipped[]
  /** Writes report.html and results.json. */
  write(out: string, options?: { readonly title?: string; readonly command?: string }): Promise<WrittenReport>
}

/** The product of the lists of a spec, every case once. */
export function casesOf(spec: CompareSpec): CompareCase[] {
  const repeats = Array.from({ length: spec.repeat ?? 1 }, (_, n) => n + 1)
  if (spec.cases) return spec.cases.flatMap((one) => repeats.map((seed) => ({ seed, ...one })))
  const cases: CompareCase[] = []
  for (const workload of spec.workloads ?? []) {
    const { defaultSystems } = findWorkload(workload)
    const systems = spec.systems ?? [...new Set(defaultSystems)]
    for (const rows of spec.rows ?? [undefined]) {
      for (const seed of repeats) {
        for (const workers of spec.workers ?? [1, 2]) {
          for (const system of systems) {
            if (system === 'solo' && workers > 1) continue
            for (const fabric of spec.fabrics ?? ['threads']) {
              // One worker is the same run on every fabric: solo.
              if (workers === 1 && fabric !== (spec.fabrics?.[0] ?? 'threads')) continue
              cases.push({
                workload,
                system,
                fabric: workers === 1 ? 'threads' : fabric,
                workers,
                seed,
                ...(rows === undefined ? {} : { rows }),
                ...(spec.until ? { until: spec.until } : {}),
              })
            }
          }
        }
      }
    }
  }
  if (cases.length === 0) throw new ConfigError('compare: nothing to compare — expected at least one workload (tutti workloads lists them)')
  return cases
}

/**
 * Runs every case, one after another, and collects the records. A case that fails is a record with its error, and so is one whose process
 * dies; one that cannot run is left out with the reason. All cases are checked before the first one starts.
 *
 * Every case runs in a process of its own, so that its memory is that of the case alone. Systems are loaded there by id, or from the file
 * that `loadSystem` read or that `module` of `defineStatisticSystem` names. A system that is only a value of the running script runs in the
 * calling process, whose peak memory is that of everything it has done; so do `mpi` and `hybrid` where mpirun started the script.
 *
 * @throws {ConfigError} for a case that cannot be, before any has run
 * @throws {AbortError} when `signal` stops it: the run at work stops at an agreed step; {@link comparisonSoFar} has the runs before it
 */
export async function compare(
  spec: CompareSpec,
  options: { readonly signal?: AbortSignal; readonly onProgress?: (progress: CompareProgress) => void } = {},
): Promise<Comparison> {
  if (process.env[caseVariable] !== undefined)
    throw new ConfigError('compare: the file of a system compares while it is loaded — expected a file that only defines things')
  const { signal, onProgress } = options
  const cases = casesOf(spec)
  const records: RunRecord[] = []
  const skipped = [...(spec.skipped ?? [])]
  const shelf = new DataShelf(signal)
  let ended = 0
  try {
    for (const planned of await planCases(cases, spec, shelf)) {
      signal?.throwIfAborted()
      const { case: one, plan, name } = planned
      const tell = (event: CompareProgress['event']) => onProgress?.({ run: ended + 1, runs: cases.length, case: one, event })
      if ('reason' in plan) {
        tell({ type: 'skipped', reason: plan.reason })
        skipped.push(...leftOut([one], plan.reason))
      } else {
        const dir = spec.out === undefined ? undefined : join(spec.out, name)
        const onStart = (pid?: number) => tell({ type: 'begin', ...(pid === undefined ? {} : { pid }) })
        const record = await runCase(planned, shelf, { dir, signal, onStart, onEvent: tell })
        tell({ type: 'end', record })
        if (record.summary.status === 'interrupted') signal?.throwIfAborted()
        records.push(record)
      }
      ended++
    }
  } catch (error) {
    const thrown = signal?.aborted === true ? new AbortError(`compare: stopped after ${records.length} of ${cases.length} runs`) : error
    if (records.length === 0) throw thrown
    const soFar = comparisonOf(records, [...skipped, ...leftOut(cases.slice(ended), 'the comparison ended before it')])
    throw Object.defineProperty(thrown as Error, 'comparison', { value: soFar })
  }
  return comparisonOf(records, skipped)
}

/** The runs that had ended when {@link compare} threw; undefined where there were none. */
export function comparisonSoFar(thrown: unknown): Comparison | undefined {
  return (thrown as { comparison?: Comparison } | undefined)?.comparison
}

function comparisonOf(records: readonly RunRecord[], skipped: readonly Skipped[]): Comparison {
  return {
    records,
    rows: records.map(summarizeRun),
    skipped,
    write: (out, options = {}) => writeReport(records, { ...options, out, skipped }),
  }
}

/** Cases without a run, as the report says it; what `virtual` stands for is never missing. */
function leftOut(cases: readonly CompareCase[], reason: string): Skipped[] {
  const missing = new Map<string, Skipped>()
  for (const { workload, fabric, workers } of cases) {
    const paradigm = workers === 1 ? 'solo' : fabric === 'threads' ? 'parallel' : fabric === 'mpi' ? 'distributed' : fabric
    missing.set(`${workload} ${paradigm}`, { workload, paradigm, reason })
  }
  return [...missing.values()]
}
