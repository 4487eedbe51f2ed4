/**
 * All workloads.
 * @packageDocumentation
 */
import { ConfigError } from '../../errors.ts'
import { didYouMean } from '../../nearest-name.ts'
import { classicalWorkloads } from './classical.ts'
import { imageWorkloads } from './images.ts'
import { tableWorkloads } from './tables.ts'
import { textWorkloads } from './texts.ts'
import type { Workload } from './workload.ts'

/** Every workload, by id. */
export const workloads: Readonly<Record<string, Workload>> = Object.fromEntries(
  [...imageWorkloads, ...textWorkloads, ...tableWorkloads, ...classicalWorkloads].map((workload) => [workload.id, workload]),
)

/** A workload by id. @throws {ConfigError} with the nearest name. */
export function findWorkload(id: string): Workload {
  const workload = workloads[id]
  if (workload !== undefined) return workload
  const ids = Object.keys(workloads)
  throw new ConfigError(`workload: no workload ${id}${didYouMean(id, ids) || ` — expected one of ${ids.join(', ')}`}`, { id })
}
