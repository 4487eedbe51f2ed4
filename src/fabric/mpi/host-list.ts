import { ConfigError } from '../../errors.ts'

/** A host as `mpirun --host` takes it. */
export interface HostEntry {
  readonly name: string
  /** Ranks that it may have: 1 when nothing is said, `all` for `name:*` (as many as mpirun finds there). */
  readonly slots: number | 'all'
}

/**
 * Takes `name`, `name:8` and `name:*` apart.
 * @throws {ConfigError} for anything else, and for an empty list.
 */
export function parseHosts(hosts: readonly string[]): readonly HostEntry[] {
  if (hosts.length === 0)
    throw new ConfigError('hosts: empty list — expected names such as a:8, b:8, got none (leave it out for this machine)')
  return hosts.map((host) => {
    const [, name, slots] = /^([^\s,:]+)(?::(\*|[1-9]\d*))?$/.exec(host) ?? []
    if (name === undefined) throw new ConfigError(`hosts: not a host — expected name, name:8 or name:*, got ${JSON.stringify(host)}`)
    return { name, slots: slots === '*' ? 'all' : Number(slots ?? 1) }
  })
}

/**
 * The host list of `hybrid` for mpirun, which counts processes where ours counts ranks. Where all hosts have as many slots, processes are shared out evenly:
 * mpirun itself would fill one host before it goes on to the next.
 */
export function processHosts(hosts: readonly string[], numProcesses: number, ranksPerProcess: number): readonly string[] {
  const entries = parseHosts(hosts)
  const fitting = entries.map(({ slots }) => (slots === 'all' ? slots : Math.max(1, Math.floor(slots / ranksPerProcess))))
  const even = fitting.every((slots) => slots === fitting[0])
  const share = Math.ceil(numProcesses / hosts.length)
  return entries.map(({ name }, index) => {
    const slots = fitting[index] as number | 'all'
    if (slots === 'all') return `${name}:*`
    return `${name}:${even ? Math.min(slots, share) : slots}`
  })
}

/** Options of mpirun that name other hosts. */
const hostOptions = /^-{1,2}(host|hostfile|machinefile|default-hostfile|app)$|^-H$/
const hostParameters = /^(orte_default_hostfile|rmaps_rank_file_path|orte_rankfile)$/

/**
 * Whether mpirun will start processes on other machines than this one: a host list, options of mpirun that name hosts, or an allocation that it
 * finds by itself (Slurm, PBS, LSF, Grid Engine).
 */
export function leavesThisHost(
  hosts: readonly string[] | undefined,
  mpirunArgs: readonly string[] = [],
  env: NodeJS.ProcessEnv = process.env,
): boolean {
  if (hosts !== undefined) return true
  if (mpirunArgs.some((arg) => hostOptions.test(arg) || hostParameters.test(arg))) return true
  if (env['OMPI_MCA_orte_default_hostfile'] !== undefined) return true
  const nodes = env['SLURM_JOB_NUM_NODES'] ?? env['SLURM_NNODES']
  if (env['SLURM_JOB_ID'] !== undefined && nodes !== '1') return true
  return ['PBS_NODEFILE', 'LSB_DJOB_HOSTFILE', 'LSB_HOSTS', 'PE_HOSTFILE'].some((name) => env[name] !== undefined)
}
