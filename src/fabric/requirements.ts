import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import { TransportError } from '../errors.ts'

const execute = promisify(execFile)
const probeMs = 10_000

/** What is there for `mpi` and `hybrid`; what is missing says how to get it. */
export interface FabricRequirements {
  /** First line of `mpirun --version`. */
  readonly mpirun: string | undefined
  /** What the library says of itself: `Open MPI v4.1.4`. */
  readonly libmpi: string | undefined
  /** Why `mpi` and `hybrid` cannot be used; undefined when they can. */
  readonly mpiProblem: string | undefined
  /** Network namespaces can be made (root and `ip`): several hosts on one machine. */
  readonly namespaces: boolean
  readonly namespacesProblem: string | undefined
}

/** Looks for mpirun, libmpi and network namespaces. Loads the library, does not start MPI. */
export async function fabricRequirements(): Promise<FabricRequirements> {
  const problems: string[] = []
  const mpirun = await mpirunVersion().catch((error: unknown) => {
    problems.push(messageOf(error))
    return undefined
  })
  const libmpi = await libraryVersion().catch((error: unknown) => {
    problems.push(messageOf(error))
    return undefined
  })
  const namespacesProblem = await namespaces()
  return { mpirun, libmpi, mpiProblem: problems[0], namespaces: namespacesProblem === undefined, namespacesProblem }
}

/**
 * First line of `mpirun --version`.
 * @throws {TransportError} when there is none, or it is not Open MPI 4.
 */
export async function mpirunVersion(): Promise<string> {
  let text: string
  try {
    const { stdout } = await execute('mpirun', ['--version'], { timeout: probeMs })
    text = stdout
  } catch (cause) {
    throw new TransportError(
      'mpi: no mpirun — expected Open MPI 4 on the path, got none (apt-get install openmpi-bin libopenmpi3)',
      {},
      cause,
    )
  }
  const { refuseOtherMpi } = await import('./mpi/bindings.ts')
  const line = text.split('\n')[0]?.trim() ?? ''
  refuseOtherMpi(/HYDRA/i.test(text) ? `MPICH ${line}` : line)
  return line
}

async function libraryVersion(): Promise<string> {
  const { loadMpi } = await import('./mpi/bindings.ts')
  return loadMpi().version
}

async function namespaces(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'network namespaces exist on Linux only'
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  if (!existsSync('/sbin/ip') && !existsSync('/usr/sbin/ip') && !existsSync('/bin/ip')) return 'no ip command (apt-get install iproute2)'
  try {
    await execute('ip', ['netns', 'list'], { timeout: probeMs })
    return undefined
  } catch (error) {
    return `ip netns does not work: ${messageOf(error)}`
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
