import type { Dataset } from '../data/dataset.ts'
import { ConfigError } from '../errors.ts'
import { mpirunVersion } from '../fabric/requirements.ts'
import { formatBytes } from '../memory/machine.ts'
import type { RunConfig } from '../records/record.ts'
import type { AnySystem } from '../systems/define.ts'
import { findSystem } from '../systems/index.ts'
import type { CompareCase, CompareSpec } from './compare.ts'
import { planWorkload, workloadData, type WorkloadOptions } from './workloads/run.ts'
import { findWorkload } from './workloads/index.ts'
import type { Workload } from './workloads/workload.ts'

/** A case that has been checked: it can run, or a reason says why it is left out. */
export interface PlannedCase {
  readonly case: CompareCase
  /** Name of its folder. */
  readonly name: string
  readonly system: AnySystem
  /** All of it but where the record goes. */
  readonly options: WorkloadOptions
  /** What its record begins with, or why the case is left out. */
  readonly plan: RunConfig | { readonly reason: string }
}

/**
 * Checks all cases before the first one starts, so that no run is lost to a later one that cannot be.
 * @throws {ConfigError} for an option or a Program that cannot be; {DataError} when rows are nowhere to be had; {TransportError} without MPI
 */
export async function planCases(cases: readonly CompareCase[], spec: CompareSpec, shelf: DataShelf): Promise<PlannedCase[]> {
  checkSystems(cases, spec.systemOptions ?? {})
  if (cases.some(({ fabric, workers }) => workers > 1 && (fabric === 'mpi' || fabric === 'hybrid'))) await requireMpi()
  const planned: PlannedCase[] = []
  for (const one of cases) {
    const system = systemOf(one.system)
    const options = optionsOf(one, system, spec)
    const dataset = await shelf.take(one)
    const reason = whyNot(one, system, dataset, spec.memoryLimitBytes)
    const plan = reason === undefined ? await planWorkload(one.workload, options, dataset) : { reason }
    planned.push({ case: one, name: nameOf(one, system), system, options, plan })
  }
  return planned
}

async function requireMpi(): Promise<void> {
  const { residentWorld } = await import('../fabric/mpi/resident.ts')
  if (residentWorld() === undefined) await mpirunVersion()
}

/** The last data set is kept: cases come sorted by workload. */
export class DataShelf {
  readonly #signal: AbortSignal | undefined
  #key = ''
  #dataset: Dataset | undefined

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal
  }

  async take({ workload, rows }: CompareCase): Promise<Dataset> {
    const { data, dataOptions }: Workload = findWorkload(workload)
    const key = JSON.stringify([data, dataOptions, rows])
    if (this.#dataset === undefined || this.#key !== key) {
      this.clear()
      this.#dataset = await workloadData(findWorkload(workload), rows, this.#signal ? { signal: this.#signal } : {})
      this.#key = key
    }
    return this.#dataset
  }

  /** Lets the rows go: a case in another process loads its own. */
  clear(): void {
    this.#dataset = undefined
  }
}

function systemOf(system: string | AnySystem): AnySystem {
  return typeof system === 'string' ? findSystem(system) : system
}

function nameOf({ workload, fabric, workers, rows, faults, seed }: CompareCase, { id }: AnySystem): string {
  const parts = [workload.replaceAll('/', '-'), id, fabric, workers, rows, faults ? 'lost' : undefined, `s${seed ?? 1}`]
  return parts.filter((part) => part !== undefined).join('-')
}

function optionsOf({ workload: _, ...spread }: CompareCase, system: AnySystem, spec: CompareSpec): WorkloadOptions {
  const { network, hosts, mpirunArgs, timeoutMs, reproducible, train } = spec
  const systemOptions = spec.systemOptions && ownOptions(system, spec.systemOptions)
  const all = { network, hosts, mpirunArgs, timeoutMs, reproducible, systemOptions, train, ...spread, system }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

/** Those of the given options that a system has. */
function ownOptions({ options }: AnySystem, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(given).filter(([name]) => name in options))
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

function whyNot(
  { fabric, workers, threadsPerProcess }: CompareCase,
  system: AnySystem,
  data: Dataset,
  memoryLimitBytes: number | undefined,
): string | undefined {
  if (workers > 1 && !system.fabrics.includes(fabric)) return `${system.id} does not run on ${fabric}`
  const processes = fabric === 'mpi' ? workers : fabric === 'hybrid' ? workers / (threadsPerProcess ?? workers) : 1
  const bytes = data.features.values.byteLength * processes
  if (memoryLimitBytes !== undefined && bytes > memoryLimitBytes) {
    return `its rows take ${formatBytes(bytes)} in ${processes} process${processes > 1 ? 'es' : ''}, the limit is ${formatBytes(memoryLimitBytes)}`
  }
  return undefined
}
