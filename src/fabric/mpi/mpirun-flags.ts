import { availableParallelism } from 'node:os'

/** What decides mpirun's flags. */
export interface MpirunFlags {
  readonly numProcesses: number
  readonly threadsPerProcess: number
  /** Host list as mpirun takes it; this machine when absent. */
  readonly hosts?: readonly string[] | undefined
}

/**
 * From the death of a rank to SIGTERM for the others, and from there to SIGKILL, in s. Open MPI's own second each way is less than what the survivors may
 * take to save (launchers/process-host.ts: 1.9 s); more than needed only delays the end of a failed run, because mpirun waits it out.
 */
const killSeconds = 2

/**
 * mpirun's flags: no binding (it would put a rank's threads on one core), yielding where ranks share cores (a rank that waits inside MPI would take
 * half of another's compute), time for survivors of a lost rank to save, oversubscription on one machine, root where we are root.
 */
export function mpirunFlags({ numProcesses, threadsPerProcess, hosts }: MpirunFlags): string[] {
  const crowded = (numProcesses * threadsPerProcess) / (hosts?.length ?? 1) >= availableParallelism()
  return [
    '-n',
    String(numProcesses),
    ...(hosts === undefined ? [] : ['--host', hosts.join(',')]),
    ...(process.getuid?.() === 0 ? ['--allow-run-as-root'] : []),
    '--bind-to',
    'none',
    '--mca',
    'odls_base_sigkill_timeout',
    String(killSeconds),
    ...(crowded ? ['--mca', 'mpi_yield_when_idle', '1'] : []),
    ...(hosts === undefined && numProcesses > 1 ? ['--oversubscribe'] : []),
  ]
}
