import { ConfigError } from '../../errors.ts'
import { fabricNames, type Launch, type LaunchOptions, type LaunchResult } from '../launch.ts'
import { parseHosts } from '../mpi/host-list.ts'

/**
 * Runs a rank module on every rank of a fabric and reports how it ended. Resolves (it does not reject) when ranks fail: see
 * {@link LaunchResult.error}; by then every thread and process that it started has ended.
 *
 * @throws {ConfigError} when the options cannot be; {@link TransportError} when the fabric is not there (no mpirun, another MPI).
 */
export const launch: Launch = async <Job, Result>(given: LaunchOptions<Job>): Promise<LaunchResult<Result>> => {
  checkLaunch(given)
  // Timers and the words that threads share end at 2³¹ ms.
  const options = { ...given, timeoutMs: Math.min(given.timeoutMs ?? defaultTimeoutMs, 0x7fffffff) }
  if (options.fabric === 'virtual' || options.fabric === 'threads') {
    const { launchLocal } = await import('./launch-local.ts')
    return launchLocal(options)
  }
  const { launchMpi } = await import('../mpi/launch-mpi.ts')
  return launchMpi(options)
}

const defaultTimeoutMs = 60_000
/** Most ranks of `threads` and of one process of `hybrid`. */
const maxThreads = 128

/** What of a launch can be refused before it starts. */
export type CheckedOptions = Pick<LaunchOptions<unknown>, 'fabric' | 'workers' | 'threadsPerProcess' | 'hosts' | 'faults' | 'timeoutMs'>

/** Checks options without starting anything. @throws {ConfigError} when they cannot be. */
export function checkLaunch(options: CheckedOptions): void {
  const { fabric, workers, threadsPerProcess, faults = [], timeoutMs } = options
  if (!fabricNames.includes(fabric))
    throw new ConfigError(`launch: unknown fabric — expected ${fabricNames.join(', ')}, got ${String(fabric)}`)
  if (!Number.isInteger(workers) || workers < 1)
    throw new ConfigError(`launch: wrong number of workers — expected a whole number from 1, got ${workers}`)
  if (fabric === 'threads' && workers > maxThreads) {
    throw new ConfigError(`launch: too many threads — expected at most ${maxThreads}, got ${workers} (use \`mpi\` or \`hybrid\`)`)
  }
  if (fabric === 'hybrid' && threadsPerProcess !== undefined && (threadsPerProcess < 1 || workers % threadsPerProcess !== 0)) {
    throw new ConfigError(
      `launch: workers do not fit the processes — expected a multiple of threadsPerProcess ${threadsPerProcess}, got ${workers}`,
    )
  }
  if (options.hosts !== undefined) parseHosts(options.hosts)
  if (timeoutMs !== undefined && !(timeoutMs > 0)) throw new ConfigError(`launch: wrong timeoutMs — expected more than 0, got ${timeoutMs}`)
  for (const fault of faults) {
    if (fault.rank >= workers || fault.rank < 0)
      throw new ConfigError(`launch: fault on no rank — expected a rank from 0 to ${workers - 1}, got ${fault.rank}`)
  }
}
