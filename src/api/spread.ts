import { ConfigError } from '../errors.ts'
import { fabricNames, type FabricName } from '../fabric/launch.ts'
import { nearestName } from '../nearest-name.ts'
import type { RunConfig } from '../records/record.ts'
import type { AnySystem } from '../systems/define.ts'
import type { SpreadOptions } from './spec.ts'

/** How ranks are laid over processes and threads. */
export interface Spread {
  readonly fabric: FabricName
  readonly workers: number
  readonly processes: number
  readonly threadsPerProcess: number
  readonly hosts: readonly string[]
  readonly paradigm: RunConfig['paradigm']
}

/** Checks the options that say how work is spread. @throws {ConfigError} with one line. */
export function spreadOf(options: SpreadOptions, system: AnySystem): Spread {
  const workers = options.workers ?? 1
  if (!Number.isInteger(workers) || workers < 1)
    throw new ConfigError(`workers: expected a whole number ≥ 1, got ${workers}`, { option: 'workers' })
  const fabric = options.fabric ?? 'threads'
  if (!fabricNames.includes(fabric)) {
    const nearest = nearestName(String(fabric), fabricNames)
    throw new ConfigError(`fabric: no fabric ${fabric} — expected ${fabricNames.join(', ')}${nearest ? ` (did you mean ${nearest}?)` : ''}`)
  }
  // One rank needs no messages, so solo runs wherever a system of its kind would.
  if (!system.fabrics.includes(fabric) && !(workers === 1 && fabric !== 'hybrid')) {
    throw new ConfigError(`${system.id}: does not run on ${fabric} — expected ${system.fabrics.join(', ')} (choose one with --fabric)`)
  }
  for (const { rank } of options.faults ?? []) {
    if (!Number.isInteger(rank) || rank < 0 || rank >= workers) {
      const expected = workers === 1 ? 'rank 0, the only one' : `a rank from 0 to ${workers - 1}`
      throw new ConfigError(`fault: there is no rank ${rank} — expected ${expected} (or more --workers)`, { rank, workers })
    }
  }
  const hosts = options.hosts ?? []
  if (hosts.length > 0 && fabric !== 'mpi' && fabric !== 'hybrid')
    throw new ConfigError(`hosts: ${fabric} runs on this machine only — expected --fabric mpi or hybrid`)
  const threadsPerProcess =
    fabric === 'hybrid'
      ? (options.threadsPerProcess ?? Math.max(1, Math.ceil(workers / Math.max(hosts.length, 2))))
      : fabric === 'mpi'
        ? 1
        : workers
  if (fabric === 'hybrid' && workers % threadsPerProcess !== 0) {
    throw new ConfigError(`hybrid: ${workers} workers are not whole processes of ${threadsPerProcess} threads — expected a multiple`)
  }
  const processes = workers / threadsPerProcess
  const paradigm =
    fabric === 'virtual'
      ? 'virtual'
      : workers === 1
        ? 'solo'
        : fabric === 'threads'
          ? 'parallel'
          : fabric === 'mpi'
            ? 'distributed'
            : 'hybrid'
  return { fabric, workers, processes, threadsPerProcess, hosts, paradigm }
}
