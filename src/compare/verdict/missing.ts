import type { MachineInfo } from '../../records/record.ts'
import type { Paradigm } from '../summary.ts'
import type { Case, ComparedParadigm } from './case.ts'
import { capital, count } from './format-quantity.ts'

/** Why a comparison left something out, as its planner knows it. */
export interface Skipped {
  readonly paradigm: Paradigm
  /** Only for this workload; for all when absent. */
  readonly workload?: string
  /** `MPI was not found`: no full stop. */
  readonly reason: string
}

/** Fewest cores on which a paradigm has a core for every rank. */
const coresNeeded = { solo: 1, parallel: 2, distributed: 2, hybrid: 4 } as const satisfies Record<ComparedParadigm, number>

/** One sentence on why a case has no column for a paradigm; undefined when it has finished runs. */
export function whyMissing(
  paradigm: ComparedParadigm,
  of: Case,
  machine: MachineInfo,
  skipped: readonly Skipped[] = [],
): string | undefined {
  const cells = of.cells.filter((cell) => cell.paradigm === paradigm)
  if (cells.some((cell) => cell.done.length > 0)) return undefined
  const name = capital(paradigm)
  const told = skipped.find((entry) => entry.paradigm === paradigm && (entry.workload === undefined || entry.workload === of.workload))
  if (told) return `${name} is missing: ${told.reason}.`
  const runs = cells.flatMap((cell) => cell.runs)
  if (runs.length > 0) {
    const failed = runs.filter((run) => run.status === 'failed').length
    const how = failed === 0 ? 'none ended' : runs.length === 1 ? 'the only one failed' : `${failed} of ${runs.length} failed`
    return runs.every((run) => run.faulty) ? `${name} ran only with faults injected.` : `${name} has no finished run: ${how}.`
  }
  const needsMpi = paradigm === 'distributed' || paradigm === 'hybrid'
  const ranOnMpi = of.cells.some((cell) => cell.fabric === 'mpi' || cell.fabric === 'hybrid')
  const hasMpi = ranOnMpi || Object.keys(machine.versions).some((key) => /mpi/i.test(key))
  if (needsMpi && !hasMpi) return `${name} is missing: the records name no MPI on this machine.`
  if (coresNeeded[paradigm] > machine.cores) {
    return `${name} is missing: it needs a core for each of ${count(coresNeeded[paradigm], 'rank')}, and the machine has ${machine.cores}.`
  }
  return `${name} is missing: no such run is in the records.`
}
