import { randomBytes } from 'node:crypto'
import { serialize } from 'node:v8'
import { ConfigError, TransportError } from '../../errors.ts'
import type { LaunchOptions, LaunchResult } from '../launch.ts'
import { frame } from '../launchers/frames.ts'
import { Run } from '../launchers/run.ts'
import { listenToSignals } from '../launchers/signals.ts'
import { mpirunVersion } from '../requirements.ts'
import { DriverServer, ownAddresses } from './driver-server.ts'
import { jobFrame } from './job-frame.ts'
import { Mpirun } from './mpirun.ts'
import { residentWorld } from './resident.ts'

/** From the end of the run to the end of mpirun, and between its signals, in ms. */
const leaveMs = 4000
/** All processes must have connected within this time, in ms. */
const startMs = 90_000
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
  const server = await DriverServer.open(run, randomBytes(32).toString('hex'), options.hosts !== undefined)
  const job = jobFrame(options, {
    ranksPerProcess,
    numProcesses,
    port: server.port,
    token: server.token,
    addresses: ownAddresses(options.hosts !== undefined),
  })
  const mpirun = new Mpirun({
    numProcesses,
    threadsPerProcess: ranksPerProcess,
    hosts: options.hosts?.map((host) => processSlots(host, ranksPerProcess)),
    moduleUrl: options.module.href,
    extraArgs: options.mpirunArgs ?? [],
  })
  const forget = listenToSignals(options, run)
  const late = setTimeout(() => notStarted(run), startMs)
  try {
    // Stays open: when it closes, the first process knows that the driver is gone.
    mpirun.child.stdin?.write(frame(serialize(job)))
    const stuck = run.failed.then(() => endStuck(run, mpirun))
    await Promise.race([run.ended, stuck, mpirun.exited.then((how) => afterExit(run, server, mpirun, how))])
    mpirun.quiet = run.error !== undefined
    await mpirun.end(leaveMs)
  } finally {
    clearTimeout(late)
    forget()
    server.close()
    mpirun.child.stdin?.destroy()
  }
  return run.result()
}

function notStarted(run: Run<unknown>): void {
  const ranks = run.unattached
  if (ranks.length === 0) return
  run.fail({
    code: 'COLLECTIVE_TIMEOUT',
    message: `launch: rank${ranks.length > 1 ? 's' : ''} ${ranks.join(', ')} did not start — expected a connection within ${startMs / 1000} s, got none (are the hosts reachable, is the port open?)`,
    details: { ranks },
  })
}

/** A failed run whose processes do not go by themselves is ended by mpirun. */
async function endStuck(run: Run<unknown>, mpirun: Mpirun): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), patienceMs)
  })
  const ended = await Promise.race([run.ended.then(() => true), patience])
  clearTimeout(timer)
  if (!ended) await mpirun.end(0)
}

/** mpirun has ended: what is still connected says its last words, what never connected never will. */
async function afterExit(run: Run<unknown>, server: DriverServer, mpirun: Mpirun, how: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, lastWordsMs)
  })
  if (server.connected > 0) await Promise.race([run.ended, late])
  clearTimeout(timer)
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

/** `a:8` counts ranks; mpirun counts processes. */
function processSlots(host: string, ranksPerProcess: number): string {
  const [name, slots] = host.split(':')
  return slots === undefined ? host : `${name}:${Math.max(1, Math.floor(Number(slots) / ranksPerProcess))}`
}
