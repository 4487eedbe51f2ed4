import { serialize } from 'node:v8'
import { type ErrorJSON, errorToJSON } from '../../errors.ts'
import { Segment } from '../../memory/segment.ts'
import type { Communicator } from '../communicator.ts'
import { ControlBlock } from '../control/control-block.ts'
import { Lane } from '../control/lane.ts'
import { completed } from '../core/progress.ts'
import type { RankModule } from '../launch.ts'
import { mpiTransport } from '../mpi/mpi-transport.ts'
import { threadCommunicator } from '../threads/thread-transport.ts'
import { TrafficCounter } from '../wrappers/counting.ts'
import { FaultPlan, FaultyCommunicator } from '../wrappers/faults.ts'
import { bookTransfers, lasting } from '../wrappers/transfers.ts'
import { driveTask } from './drive-task.ts'
import { threadFaults } from './fault-actions.ts'
import type { BeginMessage, FromThread } from './messages.ts'
import { rankEnvironment } from './rank-environment.ts'
import { usageNow } from './usage.ts'

const unshaped = completed('transfer')

/** Runs one rank, or the service beside it, on the calling thread, and reports how it ended. Never throws. */
export async function runRank(begin: BeginMessage, post: (message: FromThread) => void): Promise<void> {
  const { localRank, process: own, role } = begin
  const rank = own.ranks[localRank] as number
  const service = role === 'service'
  const lane = service ? own.ranks.length + localRank : localRank
  const control = new ControlBlock(Segment.attach(begin.segment), begin.controlOffset, begin.numLanes)
  const traffic = new TrafficCounter()
  const alone = begin.transport.kind === 'mpi'
  const usage = () => usageNow(alone)
  control.setState(lane, 'running')
  try {
    const rankOf = Array.from({ length: begin.numLanes }, (_, index) => own.ranks[index % own.ranks.length] as number)
    // A service thread waits for work as long as its rank computes; where a rank is late, the others' rank threads say so.
    const decides = begin.transport.kind === 'threads' && !service
    const options = { timeoutMs: begin.run.timeoutMs, spins: begin.spins, decides }
    const place = new Lane(control, lane, { rankOf, localRanks: own.ranks.length }, options)
    const { comm, mailbox } = connect(begin, place, traffic)
    const faults = service ? undefined : FaultPlan.for(rank, begin.run.faults, threadFaults(control, lane, alone))
    const faulty = (each: Communicator): Communicator => (faults === undefined ? each : new FaultyCommunicator(each, faults))
    const started = performance.now()
    const environment = rankEnvironment(
      begin,
      localRank,
      lane,
      control,
      {
        comm: faulty(comm),
        mailbox: mailbox && faulty(mailbox),
        until: (label, test) => {
          const wait = () => place.progress.spawn(condition(test), { label })
          return faults === undefined ? wait() : faults.through(wait)
        },
        ring: () => control.ringAll(),
        transfer: (transfers, phase) => {
          const waited = bookTransfers(traffic, transfers, phase)
          const { shape } = begin.run
          return shape === undefined ? unshaped : place.progress.spawn(lasting(transfers, shape), { label: phase, polled: true, waited })
        },
        now: () => (performance.now() - started) / 1000,
        advance: () => {},
        isVirtual: false,
      },
      post,
    )
    const module = await loadRankModule(own.moduleUrl)
    const task = service ? module.serve?.(environment) : module.run(environment)
    const result = task === undefined ? undefined : await driveTask(task, () => place.check())
    if (!service) post({ type: 'done', rank, bytes: serialize(result), traffic: traffic.toJSON(), usage: usage() })
  } catch (error) {
    const json = withStep(errorToJSON(error, rank), rank, control.stepOf(lane))
    post({ type: 'failed', rank, error: json, ...(service ? {} : { traffic: traffic.toJSON(), usage: usage() }) })
  }
  // A rank that has its process to itself counts the whole process.
  if (service) post({ type: 'served', rank, traffic: traffic.toJSON(), cpuSeconds: alone ? 0 : usage().cpuSeconds })
  control.setState(lane, 'ended')
  // Others may be asleep waiting for this rank: they look again and see that it has ended.
  control.ringAll()
  post({ type: 'parked' })
}

function connect(begin: BeginMessage, lane: Lane, traffic: TrafficCounter): { comm: Communicator; mailbox: Communicator | undefined } {
  if (begin.transport.kind === 'mpi' || begin.transport.kind === 'hybrid') return mpiTransport(begin, begin.transport, lane, traffic)
  return { comm: threadCommunicator(begin, lane, traffic), mailbox: undefined }
}

function* condition(test: () => boolean): Generator<undefined, void, void> {
  while (!test()) yield undefined
}

/** Loads a rank module by the URL that the driver named. */
export async function loadRankModule(url: string): Promise<RankModule> {
  const loaded = (await import(url)) as { rankModule?: RankModule }
  if (loaded.rankModule === undefined)
    throw new Error(`${url} is not a rank module: expected an export \`rankModule\`, got ${Object.keys(loaded).join(', ') || 'none'}`)
  return loaded.rankModule
}

/** The error with the rank that recorded it and its last committed step. */
export function withStep(error: ErrorJSON, rank: number, step: number): ErrorJSON {
  return { ...error, details: { ...error.details, rank, step } }
}
