import { hostname } from 'node:os'
import { serialize } from 'node:v8'
import type { LaunchOptions, LaunchResult } from '../launch.ts'
import { parseHosts } from '../mpi/host-list.ts'
import type { ProcessSpec, RunSpec } from './messages.ts'
import { ProcessHost } from './process-host.ts'
import { type ProcessLink, Run } from './run.ts'
import { listenToSignals } from './signals.ts'

/** Runs all ranks in this process: a thread for each (`threads`), or one thread for all (`virtual`). */
export async function launchLocal<Job, Result>(options: LaunchOptions<Job>): Promise<LaunchResult<Result>> {
  const { fabric, workers, timeoutMs = 60_000 } = options
  const transport = fabric === 'virtual' ? 'virtual' : 'threads'
  const ranks = Array.from({ length: workers }, (_, rank) => rank)
  const hostOf = transport === 'virtual' ? virtualHosts(options) : ranks.map(() => 0)
  const spec: RunSpec = {
    worldSize: workers,
    timeoutMs,
    job: sharedCopy(serialize(options.job)),
    shape: options.shape,
    faults: options.faults,
  }
  const own: ProcessSpec = { transport, moduleUrl: options.module.href, ranks, host: hostname(), ranksOnHost: workers, hostOf }

  const run = new Run<Result>(options, workers, 1)
  const host = new ProcessHost({ run: spec, process: own, up: (message) => run.receive(link, message) })
  const link: ProcessLink = { ranks, send: (message) => host.command(message) }
  run.attach(link)
  const forget = listenToSignals(options, run)
  try {
    // Not one after the other: a run that is stopped at once ends also while something is still being prepared.
    await Promise.all([run.ended, Promise.race([host.start(), run.ended])])
  } finally {
    forget()
  }
  return run.result()
}

/** Which made-up host each rank of `virtual` is on: as many ranks on each as `hosts` or `threadsPerProcess` say, else one host for all. */
function virtualHosts(options: LaunchOptions<unknown>): number[] {
  const { workers, hosts, threadsPerProcess } = options
  if (hosts !== undefined) {
    const slots = parseHosts(hosts).flatMap(({ slots }, index) => new Array<number>(slots === 'all' ? 1 : slots).fill(index))
    return Array.from({ length: workers }, (_, rank) => slots[rank % slots.length] ?? 0)
  }
  return Array.from({ length: workers }, (_, rank) => (threadsPerProcess === undefined ? 0 : Math.floor(rank / threadsPerProcess)))
}

/** One copy that all threads read, instead of one each. */
function sharedCopy(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length))
  copy.set(bytes)
  return copy
}
