/**
 * `compare`: workloads × systems × fabrics × workers × repeats, one record each, and the report over them.
 * @packageDocumentation
 */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { writeReport, type WrittenReport } from '../compare/report/write-report.ts'
import { type RunRow, summarizeRun } from '../compare/summary.ts'
import type { Skipped } from '../compare/verdict/missing.ts'
import type { Dataset } from '../data/dataset.ts'
import { AbortError, ConfigError, TuttiError } from '../errors.ts'
import type { FabricName, FaultSpec } from '../fabric/launch.ts'
import { formatBytes } from '../memory/machine.ts'
import type { RunRecord } from '../records/record.ts'
import type { AnySystem } from '../systems/define.ts'
import { findSystem } from '../systems/index.ts'
import type { RunEvent } from './events.ts'
import type { SpreadOptions } from './spec.ts'
import { findWorkload, runWorkload, workloadData, type WorkloadOptions } from './workloads.ts'

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
  /** Folder for the records and the report; records are kept in memory only when absent. */
  readonly out?: string
}

/** What happens during a comparison: a run's own events, and which run it is. */
export interface CompareProgress {
  readonly run: number
  readonly runs: number
  readonly case: CompareCase
  readonly event:
    | RunEvent
    | { readonly type: 'begin' }
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

function systemOf(system: string | AnySystem): AnySystem {
  return typeof system === 'string' ? findSystem(system) : system
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

/** Runs every case, one after another, and collects the records. A case that fails is a record with its error; one that cannot run is left out with the reason. */
export async function compare(
  spec: CompareSpec,
  options: { readonly signal?: AbortSignal; readonly onProgress?: (progress: CompareProgress) => void } = {},
): Promise<Comparison> {
  const cases = casesOf(spec)
  checkSystems(cases, spec.systemOptions ?? {})
  const records: RunRecord[] = []
  const skipped: Skipped[] = [...(spec.skipped ?? [])]
  const data = new DataShelf()
  for (const [index, one] of cases.entries()) {
    if (options.signal?.aborted) throw new AbortError(`compare: stopped after ${records.length} of ${cases.length} runs`)
    const tell = (event: CompareProgress['event']) => options.onProgress?.({ run: index + 1, runs: cases.length, case: one, event })
    const dataset = await data.take(one)
    const reason = whyNot(one, dataset, spec.memoryLimitBytes)
    if (reason !== undefined) {
      tell({ type: 'skipped', reason })
      const paradigm = paradigmOf(one)
      if (paradigm !== 'virtual') skipped.push({ workload: one.workload, paradigm, reason })
      continue
    }
    tell({ type: 'begin' })
    const name = [
      one.workload.replaceAll('/', '-'),
      systemOf(one.system).id,
      one.fabric,
      one.workers,
      one.rows,
      one.faults ? 'lost' : undefined,
      `s${one.seed ?? 1}`,
    ]
      .filter((part) => part !== undefined)
      .join('-')
    const { network, hosts, mpirunArgs, timeoutMs, reproducible, train } = spec
    const systemOptions = spec.systemOptions && optionsOf(systemOf(one.system), spec.systemOptions)
    const given = { network, hosts, mpirunArgs, timeoutMs, reproducible, systemOptions, train }
    const { workload, ...spread } = one
    try {
      const all = { ...given, ...spread, out: spec.out === undefined ? undefined : join(spec.out, name) }
      const workloadOptions = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as WorkloadOptions
      const record = await runWorkload(
        workload,
        workloadOptions,
        { ...(options.signal ? { signal: options.signal } : {}), onEvent: tell },
        dataset,
      )
      records.push(record)
      tell({ type: 'end', record })
    } catch (error) {
      const record = recordOf(error)
      if (record === undefined) throw error
      records.push(record)
      tell({ type: 'end', record })
    }
  }
  return {
    records,
    rows: records.map(summarizeRun),
    skipped,
    write: (out, options = {}) => writeReport(records, { ...options, out, skipped }),
  }
}

/** Records tell systems apart by id. @throws {ConfigError} when two have the same, or when no system has an option that was given. */
function checkSystems(cases: readonly CompareCase[], given: Readonly<Record<string, unknown>>): void {
  const known = new Map<string, AnySystem>()
  for (const system of cases.map((one) => systemOf(one.system))) {
    if ((known.get(system.id) ?? system) !== system)
      throw new ConfigError(`compare: two systems have the id ${system.id} — expected another for each (rename your own)`, {
        id: system.id,
      })
    known.set(system.id, system)
  }
  const names = [...new Set([...known.values()].flatMap(({ options }) => Object.keys(options)))]
  for (const option of Object.keys(given)) {
    if (!names.includes(option))
      throw new ConfigError(
        `compare: no option ${option} — the options of ${[...known.keys()].join(', ')} are ${names.join(', ') || 'none'}`,
        { option },
      )
  }
}

/** Those of the given options that a system has. */
function optionsOf({ options }: AnySystem, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(given).filter(([name]) => name in options))
}

/** The last data set is kept: cases come sorted by workload. */
class DataShelf {
  #key = ''
  #dataset: Promise<Dataset> | undefined

  take({ workload, rows }: CompareCase): Promise<Dataset> {
    const key = `${workload} ${rows}`
    if (this.#dataset === undefined || this.#key !== key) {
      this.#key = key
      this.#dataset = workloadData(findWorkload(workload), rows)
    }
    return this.#dataset
  }
}

function recordOf(error: unknown): RunRecord | undefined {
  return error instanceof TuttiError ? (error as { record?: RunRecord }).record : undefined
}

function paradigmOf({ fabric, workers }: CompareCase): RunRecord['config']['paradigm'] {
  if (workers === 1) return 'solo'
  return fabric === 'threads' ? 'parallel' : fabric === 'mpi' ? 'distributed' : fabric
}

function whyNot(
  { system, fabric, workers, threadsPerProcess }: CompareCase,
  data: Dataset,
  memoryLimitBytes: number | undefined,
): string | undefined {
  const known = systemOf(system)
  if (workers > 1 && !known.fabrics.includes(fabric)) return `${known.id} does not run on ${fabric}`
  const processes = fabric === 'mpi' ? workers : fabric === 'hybrid' ? workers / (threadsPerProcess ?? workers) : 1
  const bytes = data.features.values.byteLength * processes
  if (memoryLimitBytes !== undefined && bytes > memoryLimitBytes) {
    return `its rows take ${formatBytes(bytes)} in ${processes} process${processes > 1 ? 'es' : ''}, the limit is ${formatBytes(memoryLimitBytes)}`
  }
  return undefined
}

/** The cases of `npm start`: solo, parallel, distributed and, where the cores allow it, hybrid, on a network, a clustering and a regression. */
export function defaultCases(available: { readonly mpi: boolean; readonly mnist: boolean }): { cases: CompareCase[]; skipped: Skipped[] } {
  const cores = availableParallelism()
  const hasHybrid = available.mpi && cores >= 4
  const budgets: readonly { workload: string; until?: WorkloadOptions['until'] }[] = [
    { workload: available.mnist ? 'lenet-5/mnist' : 'mlp/waveform', until: { epochs: 2 } },
    { workload: available.mnist ? 'kmeans/mnist' : 'kmeans/blobs' },
    { workload: 'ols/linear-small' },
    { workload: 'ols/linear' },
  ]
  const cases: CompareCase[] = []
  const skipped: Skipped[] = []
  for (const { workload, until } of budgets) {
    const [alone, many] = findWorkload(workload).defaultSystems
    const budget = until ? { until } : {}
    cases.push({ workload, system: alone, fabric: 'threads', workers: 1, ...budget })
    cases.push({ workload, system: many, fabric: 'threads', workers: 2, ...budget })
    if (available.mpi) cases.push({ workload, system: many, fabric: 'mpi', workers: 2, ...budget })
    else skipped.push({ workload, paradigm: 'distributed', reason: 'there is no MPI on this machine (`tutti doctor` says how to get it)' })
    if (hasHybrid) cases.push({ workload, system: many, fabric: 'hybrid', workers: 4, threadsPerProcess: 2, ...budget })
    else {
      const reason = available.mpi
        ? `two processes of two threads need 4 cores, this machine has ${cores}`
        : 'there is no MPI on this machine'
      skipped.push({ workload, paradigm: 'hybrid', reason })
    }
  }
  // What a lost worker means is seen by losing one, on the smallest of the workloads.
  const workload = budgets[0]?.workload as string
  for (const fabric of ['threads', 'mpi'] as const) {
    if (fabric === 'mpi' && !available.mpi) continue
    cases.push({
      workload,
      system: 'bsp',
      fabric,
      workers: 2,
      until: { steps: 120 },
      faults: [{ rank: 1, kind: 'crash', afterOperations: 60 }],
    })
  }
  return { cases, skipped }
}
