import type { CompareSpec } from '../api/compare.ts'
import { defaultCases } from '../api/default-cases.ts'
import { loadSystem } from '../api/load-system.ts'
import { findWorkload } from '../api/workloads/index.ts'
import type { Workload } from '../api/workloads/workload.ts'
import { load } from '../data/index.ts'
import { ConfigError, DataError } from '../errors.ts'
import { fabricRequirements } from '../fabric/requirements.ts'
import type { AnySystem } from '../systems/define.ts'
import { findSystem } from '../systems/index.ts'
import { isSystemFile } from './user-system.ts'
import { showLoading } from './data-progress.ts'
import type { Output } from './output.ts'
import type { CompareSettings } from './run-options.ts'
import { present, trainOverrides } from './workload-options.ts'

/**
 * Settings of `tutti compare` → a spec. Without workloads it is the preset, cut to what this machine has: no MPI, no distributed runs;
 * MNIST neither here nor to be fetched, generated waveforms instead, said in one line.
 */
export async function planComparison(settings: CompareSettings, output: Output, signal: AbortSignal): Promise<CompareSpec> {
  const {
    systems: named,
    workloads,
    fabrics,
    workers,
    rows,
    repeat,
    memoryLimit,
    hosts,
    network,
    reproducible,
    timeoutMs,
    mpirunArg,
    set,
  } = settings
  const common = present({
    repeat,
    hosts,
    network,
    reproducible,
    timeoutMs,
    mpirunArgs: mpirunArg,
    memoryLimitBytes: memoryLimit,
    systemOptions: set && Object.fromEntries(set),
    until: budgetOf(settings),
  })
  const systems = named && (await systemsOf(named))
  if (workloads === undefined && systems === undefined) {
    const lists = present({ fabrics, workers, rows })
    const [name] = Object.keys(lists)
    if (name !== undefined)
      throw new ConfigError(`compare: --${name} needs --workloads (tutti workloads lists them); without lists the preset runs`)
    return { ...common, ...(await presetCases(settings, output, signal)) }
  }
  const chosen = (workloads ?? homesOf(systems ?? [])).map(findWorkload)
  const train = commonOverrides(settings, chosen)
  return { ...common, ...present({ systems, fabrics, workers, rows, train }), workloads: chosen.map((workload) => workload.id) }
}

async function presetCases(
  settings: CompareSettings,
  output: Output,
  signal: AbortSignal,
): Promise<Pick<CompareSpec, 'cases' | 'skipped' | 'train'>> {
  const { mpiProblem } = await fabricRequirements()
  if (mpiProblem !== undefined) output.note(`without distributed runs: ${mpiProblem}`)
  const mnist = await hasMnist(output, signal)
  const { cases, skipped } = defaultCases({ mpi: mpiProblem === undefined, mnist })
  const until = budgetOf(settings)
  const workloads = [...new Set(cases.map((one) => one.workload))].map(findWorkload)
  const isDeep = (id: string): boolean => workloads.some((workload) => workload.id === id && workload.kind === 'deep')
  return {
    skipped,
    cases: cases.map((one) => (until !== undefined && isDeep(one.workload) ? { ...one, until } : one)),
    ...present({ train: commonOverrides(settings, workloads) }),
  }
}

/** Looks for MNIST and fetches it where it is not; its rows are loaded again by the runs, which finds them checked. */
async function hasMnist(output: Output, signal: AbortSignal): Promise<boolean> {
  try {
    await showLoading(output, 'mnist', (onProgress) => load('mnist', { signal, onProgress }))
    return true
  } catch (error) {
    if (!(error instanceof DataError)) throw error
    output.note(
      'MNIST is neither here nor could it be fetched: the preset uses generated waveforms and blobs (tutti data fetch mnist says why)',
    )
    return false
  }
}

function budgetOf({ epochs, steps, until }: CompareSettings): CompareSpec['until'] {
  const chosen = present({ epochs, steps, metric: until?.value })
  return Object.keys(chosen).length === 0 ? undefined : chosen
}

/** Systems by id, and by file where a name is one. */
async function systemsOf(names: readonly string[]): Promise<AnySystem[]> {
  const systems: AnySystem[] = []
  for (const name of names) systems.push(isSystemFile(name) ? await loadSystem(name) : findSystem(name))
  return systems
}

/** Workloads at which the systems are at home, when only systems were named. */
function homesOf(systems: readonly AnySystem[]): string[] {
  const homeless = systems.find((system) => system.workloads.length === 0)
  if (homeless) throw new ConfigError(`compare: ${homeless.id} names no workload — expected --workloads (tutti workloads lists them)`)
  return [...new Set(systems.flatMap((system) => system.workloads.slice(0, 1)))]
}

/** One set of options for all networks: what depends on the recipe must come out the same for each. */
function commonOverrides(settings: CompareSettings, workloads: readonly Workload[]): CompareSpec['train'] {
  const deep = workloads.filter((workload) => workload.kind === 'deep')
  if (deep.length === 0) {
    for (const workload of workloads) trainOverrides(settings, workload)
    return undefined
  }
  const [first, ...others] = deep.map((workload) => trainOverrides(settings, workload))
  if (others.some((one) => JSON.stringify(one) !== JSON.stringify(first))) {
    throw new ConfigError(
      'compare: the recipes of the workloads differ in what is changed — expected one network, or --learning-rate and --schedule left out',
    )
  }
  return first
}
