import { serialize } from 'node:v8'
import { errorToJSON } from '../../errors.ts'
import { Segment } from '../../memory/segment.ts'
import { ControlBlock } from '../control/control-block.ts'
import { GroupCommunicator } from '../core/group-communicator.ts'
import { defaultCosts, VirtualChannel, VirtualGroup, type VirtualCosts } from '../virtual/virtual-channel.ts'
import { hangLabel, VirtualCrash, VirtualEvent, type VirtualOutcome, VirtualWorld } from '../virtual/virtual-world.ts'
import { TrafficCounter } from '../wrappers/counting.ts'
import { FaultPlan, FaultyCommunicator, type FaultActions } from '../wrappers/faults.ts'
import { bookTransfers } from '../wrappers/transfers.ts'
import type { LinkShape, RankTask } from '../launch.ts'
import type { BeginMessage, FromThread } from './messages.ts'
import { rankEnvironment } from './rank-environment.ts'
import { loadRankModule, withStep } from './run-rank.ts'
import { usageNow } from './usage.ts'

/** Runs all ranks interleaved on the calling thread, on virtual clocks, and reports how each ended. */
export async function runVirtual(begin: BeginMessage, post: (message: FromThread) => void): Promise<void> {
  const { run, process: own } = begin
  const control = new ControlBlock(Segment.attach(begin.segment), begin.controlOffset, begin.numLanes)
  const module = await loadRankModule(own.moduleUrl)
  const world = new VirtualWorld()
  const group = new VirtualGroup(world, own.ranks, own.hostOf, costsOf(run.shape))
  const counters = own.ranks.map(() => new TrafficCounter())

  const rankSteps = own.ranks.map((rank, localRank) => {
    control.setState(localRank, 'running')
    const comm = new GroupCommunicator(
      new VirtualChannel(group, rank, run.shape === undefined),
      counters[rank] as TrafficCounter,
      run.timeoutMs,
    )
    const faults = FaultPlan.for(rank, run.faults, virtualFaults(world))
    const environment = rankEnvironment(
      begin,
      localRank,
      localRank,
      control,
      {
        comm: faults === undefined ? comm : new FaultyCommunicator(comm, faults),
        mailbox: undefined,
        until: (label, test) => {
          const wait = () => world.until(label, test)
          return faults === undefined ? wait() : faults.through(wait)
        },
        ring: () => {},
        transfer: (transfers, phase) => {
          const event = group.carry(transfers, phase)
          event.waited = bookTransfers(counters[rank] as TrafficCounter, transfers, phase)
          return event
        },
        now: () => world.now,
        advance: (seconds) => world.advance(seconds),
        isVirtual: true,
      },
      post,
    )
    return stoppable(module.run(environment), control)
  })
  const outcomes = await world.run(rankSteps)

  // In the order in which they ended: the first failure is the cause.
  for (const rank of world.endOrder) {
    const outcome = outcomes[rank] as VirtualOutcome
    const traffic = (counters[rank] as TrafficCounter).toJSON()
    const usage = usageNow(false)
    control.setState(rank, 'ended')
    if (outcome.crashed === true) post({ type: 'lost', rank, reason: 'injected crash' })
    else if (outcome.error === undefined) post({ type: 'done', rank, bytes: serialize(outcome.result), traffic, usage })
    else post({ type: 'failed', rank, error: withStep(errorToJSON(outcome.error, rank), rank, control.stepOf(rank)), traffic, usage })
  }
  post({ type: 'parked' })
}

/** The rank's own generator, which the driver can still stop at once: this thread never returns to its event loop. */
function* stoppable(task: RankTask<unknown>, control: ControlBlock): RankTask<unknown> {
  let next = task.next(undefined)
  while (next.done !== true) {
    let value: unknown
    try {
      value = yield next.value
      if (control.cancelled) throw control.reason
    } catch (error) {
      next = task.throw(error)
      continue
    }
    next = task.next(value)
  }
  return next.value
}

function costsOf(shape: LinkShape | undefined): VirtualCosts {
  return {
    latencySeconds: shape?.latencyMs === undefined ? defaultCosts.latencySeconds : shape.latencyMs / 1000,
    secondsPerByte: shape?.bandwidthBytesPerS === undefined ? defaultCosts.secondsPerByte : 1 / shape.bandwidthBytesPerS,
  }
}

function virtualFaults(world: VirtualWorld): FaultActions {
  return {
    crash: () => {
      throw new VirtualCrash('injected crash')
    },
    hang: () => new VirtualEvent(world, hangLabel),
    linger: (seconds) => world.advance(seconds),
    now: () => world.now,
  }
}
