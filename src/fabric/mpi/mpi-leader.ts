/**
 * What only the first rank thread of an MPI process does: it starts and ends MPI, brings the job to every process, and makes the communicators
 * that the other threads of its process use.
 * @packageDocumentation
 */
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { ProtocolError } from '../../errors.ts'
import { minority } from '../core/header.ts'
import type { CommsMessage, FromThread, JoinMessage, MpiComms, MpiPair, MpiWorld } from '../launchers/messages.ts'
import { loadMpi, type Mpi, type Pointer } from './bindings.ts'

/** Between two looks for a job, in ms: a process that waits for work must not eat a core. */
const napMs = 2
const identityBytes = 256
const maxChunk = 2 ** 30

let mpi: Mpi | undefined
let world: MpiWorld | undefined
/** Communicators of the present run. */
const made: Pointer[] = []

/** Joins the world, or makes the communicators of a run. */
export async function mpiLeader(message: JoinMessage | CommsMessage, post: (message: FromThread) => void): Promise<void> {
  if (message.type === 'join') {
    if (mpi === undefined) {
      mpi = loadMpi()
      mpi.init()
      world = lookAround(mpi)
    }
    const here = world as MpiWorld
    const from = message.root ?? 0
    post({ type: 'joined', world: here, job: await bringJob(mpi, here, message.job, from) })
    return
  }
  const native = mpi as Mpi
  const here = world as MpiWorld
  for (const comm of made.splice(0)) native.free(comm)
  let base = native.world
  if (message.numProcesses < here.numProcesses) {
    base = native.split(native.world, here.process < message.numProcesses ? 0 : 1, here.process)
    made.push(base)
  }
  if (here.process < message.numProcesses) {
    compareIdentities(native, base, message)
    post({ type: 'comms', comms: makeComms(native, base, message) })
  } else post({ type: 'comms', comms: { main: { data: 0n, headers: 0n }, service: undefined, lanes: [], serviceLanes: [], mailbox: [] } })
}

/** Ends MPI, where this thread started it: all processes come here together. */
export function leaveMpi(): void {
  if (mpi === undefined) return
  for (const comm of made.splice(0)) mpi.free(comm)
  mpi.finalize()
  mpi = undefined
}

function lookAround(native: Mpi): MpiWorld {
  const process = native.rank(native.world)
  const numProcesses = native.size(native.world)
  const own = createHash('sha256').update(machineIdentity()).digest().subarray(0, 32)
  const every = new Uint8Array(own.length * numProcesses)
  native.call('MPI_Allgather', own, own.length, native.datatypes.uint8, every, own.length, native.datatypes.uint8, native.world)
  const identities = Array.from({ length: numProcesses }, (_, each) =>
    Buffer.from(every.subarray(each * own.length, (each + 1) * own.length)).toString('hex'),
  )
  const hosts = [...new Set(identities)]
  return { process, numProcesses, hostOf: identities.map((identity) => hosts.indexOf(identity)) }
}

/**
 * What two processes have in common when they share a machine: its name and its network. MPI's own answer (`MPI_Comm_split_type`) goes by host names
 * alone and gives different answers to different ranks where hosts (containers, namespaces) share a name.
 */
function machineIdentity(): string {
  try {
    return `${hostname()} ${readlinkSync('/proc/self/ns/net')}`
  } catch {
    return hostname()
  }
}

/** The job of process `root` reaches all. Waits with naps, not inside MPI. */
async function bringJob(native: Mpi, here: MpiWorld, job: Uint8Array | undefined, root: number): Promise<Uint8Array> {
  const length = Float64Array.of(job?.length ?? 0)
  const request = new BigUint64Array(1)
  native.call('MPI_Ibcast', length, 1, native.datatypes.float64, root, native.world, request)
  const status = new Int32Array(6)
  while (!native.test(request, status)) await new Promise((resolve) => setTimeout(resolve, napMs))
  const bytes = here.process === root && job !== undefined ? job : new Uint8Array(new SharedArrayBuffer(length[0] as number))
  for (let start = 0; start < bytes.length; start += maxChunk) {
    const chunk = bytes.subarray(start, start + maxChunk)
    native.call('MPI_Bcast', chunk, chunk.length, native.datatypes.uint8, root, native.world)
  }
  return bytes
}

function compareIdentities(native: Mpi, base: Pointer, message: CommsMessage): void {
  const { numProcesses } = message
  const own = new Uint8Array(identityBytes)
  own.set(Buffer.from(message.identity).subarray(0, identityBytes))
  const every = new Uint8Array(identityBytes * numProcesses)
  native.call('MPI_Allgather', own, identityBytes, native.datatypes.uint8, every, identityBytes, native.datatypes.uint8, base)
  const texts = Array.from({ length: numProcesses }, (_, process) => {
    const bytes = every.subarray(process * identityBytes, (process + 1) * identityBytes)
    const end = bytes.indexOf(0)
    return Buffer.from(bytes.subarray(0, end < 0 ? identityBytes : end)).toString()
  })
  const odd = minority(texts)
  if (odd.length === 0) return
  const ranks = odd.flatMap((process) =>
    Array.from({ length: message.ranksPerProcess }, (_, local) => process * message.ranksPerProcess + local),
  )
  const common = texts.find((_, process) => !odd.includes(process))
  throw new ProtocolError(
    `launch: ranks run different software — expected ${common} everywhere, got ${odd.map((process) => `${texts[process]} on rank ${process * message.ranksPerProcess}`).join(', ')} ` +
      '(install the same version on every host)',
    { ranks },
  )
}

function makeComms(native: Mpi, base: Pointer, { ranksPerProcess, service, hybrid }: CommsMessage): MpiComms {
  const make = (): Pointer => {
    const comm = native.duplicate(base)
    made.push(comm)
    return comm
  }
  const pair = (): MpiPair => ({ data: make(), headers: make() })
  const lanes = (): Pointer[][] => Array.from({ length: ranksPerProcess }, () => Array.from({ length: ranksPerProcess }, make))
  const none: Pointer[][] = []
  return {
    main: pair(),
    service: service ? pair() : undefined,
    lanes: hybrid ? lanes() : none,
    serviceLanes: hybrid && service ? lanes() : none,
    mailbox: lanes(),
  }
}
