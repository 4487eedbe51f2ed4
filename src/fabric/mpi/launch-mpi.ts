import { randomBytes } from 'node:crypto'
import { serialize } from 'node:v8'
import { ConfigError, TransportError } from '../../errors.ts'
import type { LaunchOptions, LaunchResult } from '../launch.ts'
import { frame } from '../launchers/frames.ts'
import { Run } from '../launchers/run.ts'
import { listenToSignals } from '../launchers/signals.ts'
import { mpirunVersion } from '../requirements.ts'
import { DriverServer, ownAddresses } from './driver-server.ts'
import { leavesThisHost, processHosts } from './host-list.ts'
import { jobFrame } from './job-frame.ts'
import { Mpirun } from './mpirun.ts'
import { residentWorld } from './resident.ts'

/** From the end of the run to the end of mpirun, and between its signals, in ms. */
const leaveMs = 4000
/** Processes of a failed run have this long to go by themselves, in ms. */
const patienceMs = 5000
/** Connections of a process that has just been lost are given this long to bring their last words, in ms. */
const lastWordsMs = 2500

/** Runs all ranks as processes of mpirun (`mpi`: one rank each, `hybrid`: several threads each), or in the world that already waits. */
export async function launchMpi<Job, Result>(options: LaunchOptions<Job>): Promise<LaunchResult<Result>> {
  const ranksPerProcess = options.fabric === 'hybrid' ? threadsOf(options) : 1
  const numProcesses = options.workers / ranksPerProcess
  const resident = residentWorld()
  if (resident !== undefined) return resident.launch(options, numProcesses, ranksPerProcess)
  await mpirunVersion()

  const run = new Run<Result>(options, options.workers, numProcesses)
  const everywhere = leavesThisHost(options.hosts, options.mpirunArgs)
  const server = await DriverServer.open(run, randomBytes(32).toString('hex'), everywhere)
  const job = jobFrame(options, {
    ranksPerProcess,
    numProcesses,
    port: server.port,
    token: server.token,
    addresses: ownAddresses(everywhere),
  })
  const mpirun = new Mpirun({
    numProcesses,
    threadsPerProcess: ranksPerProcess,
    hosts: options.fabric === 'hybrid' && options.hosts ? processHosts(options.hosts, numProcesses, ranksPerProcess) : options.hosts,
    moduleUrl: options.module.href,
    extraArgs: options.mpirunArgs ?? [],
  })
  const forget = listenToSignals(options, run)
  try {
    // Stays open: when it closes, the first process knows that the driver is gone.
    mpirun.child.stdin?.write(frame(serialize(job)))
    const stuck = run.failed.then(() => endStuck(run, mpirun))
    await Promise.race([run.ended, stuck, mpirun.exited.then((how) => afterExit(run, server, mpirun, how))])
    mpirun.quiet = run.error !== undefined
    await mpirun.end(leaveMs)
  } finally {
    forget()
    server.close()
    mpirun.child.stdin?.destroy()
  }
  return run.result()
}

/** A failed run whose processes do not go by themselves is ended by mpirun. */
async function endStuck(run: Run<unknown>, mpirun: Mpirun): Promise<void> {
  if (!(await run.endsWithin(patienceMs))) await mpirun.end(0)
}

/** mpirun has ended: what is still connected says its last words, what never connected never will. */
async function afterExit(run: Run<unknown>, server: DriverServer, mpirun: Mpirun, how: string): Promise<void> {
  if (server.connected > 0) await run.endsWithin(lastWordsMs)
  if (!run.complete && run.error === undefined) {
    const said = mpirun.complaint === '' ? '' : `: ${mpirun.complaint}`
    const error = new TransportError(
      `mpirun: could not run the ranks — expected all processes to start, got ${how}${said} (tutti doctor shows what is missing)`,
    )
    run.fail(error.toJSON())
  }
  run.giveUp()
}

/** Rank threads in each process of `hybrid`: as asked, or all workers over the hosts. */
function threadsOf(options: LaunchOptions<unknown>): number {
  const { workers, hosts, threadsPerProcess } = options
  const threads = threadsPerProcess ?? workers / (hosts?.length ?? 1)
  if (Number.isInteger(threads) && workers % threads === 0) return threads
  throw new ConfigError(
    `launch: workers do not fit the hosts — expected a multiple of ${hosts?.length}, got ${workers} (give threadsPerProcess)`,
  )
}
