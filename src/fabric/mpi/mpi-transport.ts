import type { Communicator } from '../communicator.ts'
import type { Lane } from '../control/lane.ts'
import { GroupCommunicator } from '../core/group-communicator.ts'
import { Composition } from '../hybrid/composition.ts'
import { HybridChannel, type HybridPlace, type Seat } from '../hybrid/hybrid-channel.ts'
import type { BeginMessage, MpiComms, TransportSpec } from '../launchers/messages.ts'
import { Mailbox } from '../threads/mailbox.ts'
import { ThreadChannel } from '../threads/thread-channel.ts'
import { shaped, threadGroup } from '../threads/thread-transport.ts'
import type { TrafficCounter } from '../wrappers/counting.ts'
import { loadMpi, type Mpi } from './bindings.ts'
import { MailboxChannel } from './mailbox-channel.ts'
import { MpiChannel } from './mpi-channel.ts'

type MpiSpec = TransportSpec & { readonly kind: 'mpi' | 'hybrid' }

/** The communicators of one thread of an MPI process. Its first rank thread has started MPI and made the handles. */
export function mpiTransport(
  begin: BeginMessage,
  transport: MpiSpec,
  lane: Lane,
  traffic: TrafficCounter,
): { comm: Communicator; mailbox: Communicator | undefined } {
  const mpi = loadMpi()
  const { timeoutMs } = begin.run
  const { comms, ranksPerProcess } = transport
  const service = begin.role === 'service'
  const rank = begin.process.ranks[begin.localRank] as number
  const worldRanks = Array.from({ length: begin.run.worldSize }, (_, each) => each)
  const seats = worldRanks.map((each): Seat => ({ process: Math.floor(each / ranksPerProcess), local: each % ranksPerProcess }))
  const { hostOf } = begin.process
  const channel =
    transport.kind === 'mpi'
      ? new MpiChannel(mpi, lane, { comms: pairOf(comms, service), rank, worldRanks, hostOf, owned: false, agreed: false })
      : hybridChannel(begin, transport, mpi, lane, seats)
  const mailbox = new MailboxChannel(mpi, lane, { rank, seats, lanes: comms.mailbox, hostOf })
  return {
    comm: new GroupCommunicator(shaped(channel, begin), traffic, timeoutMs),
    mailbox: new GroupCommunicator(shaped(mailbox, begin), traffic, timeoutMs),
  }
}

function hybridChannel(begin: BeginMessage, transport: MpiSpec, mpi: Mpi, lane: Lane, seats: readonly Seat[]): HybridChannel {
  const { comms, ranksPerProcess } = transport
  const service = begin.role === 'service'
  const rank = begin.process.ranks[begin.localRank] as number
  const own = seats[rank] as Seat
  const mailbox = new Mailbox(lane)
  const place: HybridPlace = {
    mpi,
    lane,
    mailbox,
    own,
    lanes: service ? comms.serviceLanes : comms.lanes,
    laneOf: (local) => (service ? ranksPerProcess + local : local),
    contexts: { next: 1 },
  }
  const inside = new ThreadChannel(lane, mailbox, threadGroup(begin, service))
  const numProcesses = seats.length / ranksPerProcess
  const processes = Array.from({ length: numProcesses }, (_, process) => process)
  // Headers are compared among all ranks before: between the processes they need not be again.
  const group = {
    comms: pairOf(comms, service),
    rank: own.process,
    worldRanks: processes.map((process) => process * ranksPerProcess),
    hostOf: processes.map((process) => begin.process.hostOf[process * ranksPerProcess] as number),
    owned: false,
    agreed: true,
  }
  const between = own.local === 0 ? new MpiChannel(mpi, lane, group) : undefined
  return new HybridChannel(place, {
    seats,
    worldRanks: seats.map((_, each) => each),
    hostOf: begin.process.hostOf,
    context: 0,
    composition: new Composition(inside, between, { process: own.process, numProcesses, perProcess: ranksPerProcess }),
    agreed: false,
  })
}

function pairOf(comms: MpiComms, service: boolean): MpiComms['main'] {
  return service ? (comms.service as MpiComms['main']) : comms.main
}
