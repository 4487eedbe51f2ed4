/**
 * The control thread of one MPI process during a run: it connects to the driver, hosts the rank threads, and ends the process whatever state they
 * are in.
 *
 *   driver gone (connection or standard input closed,
 *   or silent for minutes: this host is cut off)         _exit: nothing to report to
 *   SIGTERM from mpirun, another rank has died           the driver's word comes first; without it, the same as told "peer lost"
 *   told to fail                                         survivors record, `onPeerLost`, _exit (MPI cannot be left in order any more)
 *
 * @packageDocumentation
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { hostname } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Worker } from 'node:worker_threads'
import { CollectiveTimeoutError, ConfigError, errorFromJSON } from '../../errors.ts'
import { frame, FrameReader } from '../launchers/frames.ts'
import type { CommsMessage, DownMessage, FromThread, MpiComms, MpiWorld, UpMessage } from '../launchers/messages.ts'
import { exitNow } from '../launchers/native-exit.ts'
import { ProcessHost } from '../launchers/process-host.ts'
import { packageVersion } from '../package-version.ts'
import type { JobFrame } from './job-frame.ts'

const connectMs = 5000
/**
 * Without a sign of life of the driver for this long it is gone, with its host or the way to it, in ms. Longer than a look into another window
 * with the command stopped (Ctrl-Z) takes.
 */
const cutOffMs = 300_000
/** Between SIGTERM and acting on it without the driver's word, in ms; mpirun kills 2 s after it. */
const termMs = 50

/** How a process takes part in runs. */
export interface ControlOptions {
  /** The first rank thread stays for the next run. */
  readonly keepLeader: boolean
  /** End the process after a failed run (false where the driver lives in it). */
  readonly exitOnFailure: boolean
  /** Folders (URLs) from which rank modules may be loaded; anything when absent, because the command line named the module. */
  readonly folders?: readonly string[]
  onConnected?(): void
}

/** Runs one job in this process. Resolves when it has ended well; after a failure the process ends here. */
export async function controlRun(
  leader: Worker,
  world: MpiWorld,
  job: JobFrame,
  jobBytes: Uint8Array,
  options: ControlOptions,
): Promise<void> {
  const { ranksPerProcess, numProcesses, run, transport } = job
  const comms = { type: 'comms', numProcesses, ranksPerProcess, hybrid: transport === 'hybrid' } as const
  if (world.process >= numProcesses) {
    await makeComms(leader, { ...comms, service: false, identity: '' }, run.timeoutMs)
    return
  }
  const ranks = Array.from({ length: ranksPerProcess }, (_, local) => world.process * ranksPerProcess + local)
  const hostOf = world.hostOf.slice(0, numProcesses).flatMap((host) => new Array<number>(ranksPerProcess).fill(host))
  const ranksOnHost = hostOf.filter((host) => host === world.hostOf[world.process]).length
  const socket = await connectToDriver(job)
  options.onConnected?.()
  let failed = false
  let told = false
  const up = (message: UpMessage): void => {
    if (message.type === 'failed' || message.type === 'lost') failed = true
    socket.write(frame(message))
  }
  up({ type: 'hello', ranks, host: hostname(), pid: process.pid, token: job.token })

  const { moduleUrl } = job
  const allowed = options.folders?.some((folder) => moduleUrl.startsWith(folder)) ?? true
  if (!allowed) {
    const error = new ConfigError(
      `launch: rank module not allowed here — expected one in ${options.folders?.join(', ')}, got ${moduleUrl} (start the script from its folder)`,
    )
    up({ type: 'failed', rank: ranks[0] as number, error: error.toJSON() })
  }
  const host = new ProcessHost({
    run,
    process: { transport, moduleUrl, ranks, host: hostname(), ranksOnHost, hostOf },
    up,
    leader: {
      worker: leader,
      ranksPerProcess,
      makeComms: async (service) => makeComms(leader, { ...comms, service, identity: identityOf(job, jobBytes) }, run.timeoutMs),
    },
    keepLeader: options.keepLeader,
  })
  const command = (message: DownMessage): void => {
    if (message.type === 'fail') told = failed = true
    host.command(message)
  }
  const reader = new FrameReader((message) => command(message as DownMessage))
  let heardAt = performance.now()
  socket.on('data', (chunk) => {
    heardAt = performance.now()
    reader.push(chunk)
  })
  const driverGone = (): void => {
    if (options.exitOnFailure) exitNow(1)
  }
  socket.on('close', driverGone)
  // A host that is cut off never sees the connection close.
  const cutOff = setInterval(() => {
    if (performance.now() - heardAt > cutOffMs) driverGone()
  }, cutOffMs / 10)
  const onTerm = (): void => {
    setTimeout(() => {
      if (!told)
        command({ type: 'fail', error: { code: 'PEER_LOST', message: 'a rank was lost: mpirun ends the run', details: { ranks: [] } } })
    }, termMs)
  }
  process.on('SIGTERM', onTerm)

  // Told to fail by the driver otherwise. A prepare that never ends must not keep a failed run from ending.
  await Promise.all([host.closed, allowed ? Promise.race([host.start(), host.closed]) : undefined])
  process.off('SIGTERM', onTerm)
  socket.off('close', driverGone)
  clearInterval(cutOff)
  await new Promise<void>((resolve) => {
    socket.on('error', () => resolve())
    socket.on('close', () => resolve())
    socket.end(() => resolve())
  })
  if (failed && options.exitOnFailure) exitNow(1)
}

/** Asks the first rank thread for the communicators of the run; all processes make them together. */
function makeComms(leader: Worker, request: CommsMessage, timeoutMs: number): Promise<MpiComms> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      leader.off('message', listen)
      reject(
        new CollectiveTimeoutError(
          `launch: not all processes are ready — expected them within ${timeoutMs} ms (one does not get through prepare, or timeoutMs is too short)`,
          { timeoutMs },
        ),
      )
    }, timeoutMs)
    const listen = (message: FromThread): void => {
      if (message.type !== 'comms' && message.type !== 'broken') return
      clearTimeout(late)
      leader.off('message', listen)
      if (message.type === 'comms') resolve(message.comms)
      else reject(errorFromJSON(message.error))
    }
    leader.on('message', listen)
    leader.postMessage(request)
  })
}

async function connectToDriver(job: JobFrame): Promise<Socket> {
  const failures: string[] = []
  for (const address of job.addresses) {
    try {
      return await open(address, job.port)
    } catch (error) {
      failures.push(`${address}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  process.stderr.write(
    `tutti: rank process cannot reach the driver — tried ${failures.join('; ')} (open the port, or put all hosts into one network)\n`,
  )
  return exitNow(1)
}

function open(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: connectMs })
    socket.once('connect', () => {
      socket.setTimeout(0)
      socket.setNoDelay(true)
      socket.off('error', reject)
      socket.on('error', () => socket.destroy())
      resolve(socket)
    })
    socket.once('error', reject)
    socket.once('timeout', () => {
      socket.destroy()
      reject(new Error(`no answer within ${connectMs} ms`))
    })
  })
}

/** What all processes must have in common before the first step. */
function identityOf(job: JobFrame, jobBytes: Uint8Array): string {
  const short = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex').slice(0, 12)
  const module = job.moduleUrl.startsWith('file:') ? short(readFileSync(fileURLToPath(job.moduleUrl))) : job.moduleUrl
  return `tutti ${packageVersion()}, Node ${process.version}, rank module ${module}, job ${short(jobBytes)}`
}
