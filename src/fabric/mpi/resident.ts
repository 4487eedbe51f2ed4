/**
 * A world that is already there: `mpirun -n 8 tutti exec script.ts` (or srun) starts all processes; the first one runs the user's script, the others
 * wait for jobs. `launch({ fabric: 'mpi' })` in the script then uses this world instead of starting another.
 *
 *   process 0   script ── launch ─▶ job ─ broadcast ─▶ ranks run ─▶ result ── launch … ── end: empty job, MPI_Finalize
 *   process k   waiting ───────────────▶ joins ──────▶ rank k runs ─▶ waiting ─────────── leaves
 *
 * Rank modules are loaded only from the package itself and from the folders that whoever started the processes has allowed.
 * @packageDocumentation
 */
import { randomBytes } from 'node:crypto'
import { deserialize, serialize } from 'node:v8'
import type { Worker } from 'node:worker_threads'
import { ConfigError, errorFromJSON, TransportError } from '../../errors.ts'
import type { LaunchOptions, LaunchResult } from '../launch.ts'
import type { FromThread, ToThread } from '../launchers/messages.ts'
import { exitNow } from '../launchers/native-exit.ts'
import { startThread } from '../launchers/process-host.ts'
import { Run } from '../launchers/run.ts'
import { listenToSignals } from '../launchers/signals.ts'
import { DriverServer, ownAddresses } from './driver-server.ts'
import { type JobFrame, jobFrame } from './job-frame.ts'
import { controlRun } from './process-control.ts'

/** Processes of a failed run have this long to go by themselves, in ms. */
const patienceMs = 5000

type Joined = Extract<FromThread, { type: 'joined' }>

let current: ResidentWorld | undefined

/** The world in which this process is the first, if there is one. */
export function residentWorld(): ResidentWorld | undefined {
  return current
}

/** Whether mpirun or Slurm has started this process as one of several. */
export function startedByMpi(env: NodeJS.ProcessEnv = process.env): boolean {
  const size = env['OMPI_COMM_WORLD_SIZE'] ?? (env['PMIX_RANK'] === undefined ? undefined : env['SLURM_NTASKS'])
  return size !== undefined && Number(size) > 1
}

/**
 * Joins the world of the processes that were started together. The first process runs `script` and then ends the world; the others serve its launches
 * and never return.
 *
 * @param allowed - Folders (file URLs ending in `/`) whose rank modules may be loaded, besides this package.
 * @throws {TransportError} when MPI cannot be started.
 */
export async function withResidentWorld<R>(script: () => Promise<R>, allowed: readonly URL[] = []): Promise<R> {
  const leader = startThread()
  const folders = [...allowed.map((url) => url.href), new URL('../../', import.meta.url).href]
  const rank = Number(process.env['OMPI_COMM_WORLD_RANK'] ?? process.env['PMIX_RANK'])
  if (rank !== 0) return serve(leader, folders)
  const world = new ResidentWorld(leader, folders)
  current = world
  try {
    return await script()
  } finally {
    current = undefined
    await world.close()
  }
}

/** A process that is not the first: one job after the other, until an empty one. */
async function serve(leader: Worker, folders: readonly string[]): Promise<never> {
  for (;;) {
    const { world, job: bytes } = await join(leader, undefined).catch((error: unknown) => {
      process.stderr.write(`tutti: ${error instanceof Error ? error.message : String(error)}\n`)
      return exitNow(1)
    })
    if (bytes.length === 0) break
    const job = deserialize(bytes) as JobFrame
    await controlRun(leader, world, job, bytes, { keepLeader: true, exitOnFailure: true, folders })
  }
  await leave(leader)
  process.exit(0)
}

/** The first process's side. */
export class ResidentWorld {
  readonly #leader: Worker
  readonly #folders: readonly string[]
  #broken = false

  constructor(leader: Worker, folders: readonly string[]) {
    this.#leader = leader
    this.#folders = folders
  }

  /** As {@link launch}, on the first `numProcesses` processes of the world. */
  async launch<Job, Result>(options: LaunchOptions<Job>, numProcesses: number, ranksPerProcess: number): Promise<LaunchResult<Result>> {
    const size = Number(process.env['OMPI_COMM_WORLD_SIZE'] ?? process.env['SLURM_NTASKS'])
    if (this.#broken)
      throw new TransportError('mpi: the world has lost ranks — expected all processes of mpirun, got a failed run before (start it again)')
    if (numProcesses > size) {
      throw new ConfigError(
        `launch: not enough processes — expected at least ${numProcesses}, got ${size} from mpirun or srun (start more, or ask for fewer workers)`,
      )
    }
    const run = new Run<Result>(options, options.workers, numProcesses)
    const server = await DriverServer.open(run, randomBytes(32).toString('hex'), true)
    const job = jobFrame(options, { ranksPerProcess, numProcesses, port: server.port, token: server.token, addresses: ownAddresses(true) })
    const forget = listenToSignals(options, run)
    try {
      const joined = await join(this.#leader, serialize(job))
      const own = controlRun(this.#leader, joined.world, job, joined.job, {
        keepLeader: true,
        exitOnFailure: false,
        folders: this.#folders,
      })
      // A process that cannot end by itself cannot be ended from here: mpirun or Slurm does it when this one ends.
      const stuck = run.failed.then(async () => {
        if (!(await run.endsWithin(patienceMs))) run.giveUp()
      })
      await Promise.race([run.ended, stuck])
      await own
    } finally {
      forget()
      server.close()
    }
    // Survivors of a failed run cannot leave MPI in order: their world ends with it.
    this.#broken = run.error !== undefined
    // mpirun asks this process to end as well; the script gets what time is left until it is killed.
    if (this.#broken) process.on('SIGTERM', () => {})
    return run.result()
  }

  /** Sends the other processes away and leaves MPI. After a failed run this process can only be ended. */
  async close(): Promise<void> {
    if (this.#broken) {
      this.#leader.unref()
      process.on('exit', (code) => exitNow(code === 0 ? 1 : code))
      return
    }
    await join(this.#leader, new Uint8Array(0))
    await leave(this.#leader)
  }
}

/** Brings a job to all processes, or waits for one. */
function join(leader: Worker, job: Uint8Array | undefined): Promise<Joined> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      leader.off('message', listen)
      leader.off('error', fail)
    }
    const fail = (error: Error): void => {
      end()
      reject(error)
    }
    const listen = (message: FromThread): void => {
      if (message.type === 'broken') fail(errorFromJSON(message.error))
      if (message.type !== 'joined') return
      end()
      resolve(message)
    }
    leader.on('message', listen)
    leader.on('error', fail)
    leader.postMessage({ type: 'join', ...(job === undefined ? {} : { job }) } satisfies ToThread)
  })
}

/** The first rank thread leaves MPI together with those of the other processes. */
function leave(leader: Worker): Promise<void> {
  return new Promise((resolve) => {
    leader.on('exit', () => resolve())
    leader.postMessage({ type: 'exit' } satisfies ToThread)
  })
}
