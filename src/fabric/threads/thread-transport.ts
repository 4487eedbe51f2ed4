import type { Communicator } from '../communicator.ts'
import type { Lane } from '../control/lane.ts'
import { GroupCommunicator } from '../core/group-communicator.ts'
import type { Channel } from '../core/channel.ts'
import type { BeginMessage } from '../launchers/messages.ts'
import type { TrafficCounter } from '../wrappers/counting.ts'
import { ShapedChannel } from '../wrappers/shaping.ts'
import { Mailbox } from './mailbox.ts'
import { ThreadChannel, type ThreadGroup } from './thread-channel.ts'

/** The group of all rank threads of a process, or of all their service threads. */
export function threadGroup(begin: BeginMessage, service: boolean): ThreadGroup {
  const { ranks, hostOf } = begin.process
  const first = service ? ranks.length : 0
  return {
    index: service ? 1 : 0,
    generation: 0,
    members: ranks.map((_, index) => first + index),
    worldRanks: ranks,
    hostOf: ranks.map((rank) => hostOf[rank] as number),
  }
}

/** The communicator of one thread of a process whose ranks are the world. */
export function threadCommunicator(begin: BeginMessage, lane: Lane, traffic: TrafficCounter): Communicator {
  const channel = new ThreadChannel(lane, new Mailbox(lane), threadGroup(begin, begin.role === 'service'))
  return new GroupCommunicator(shaped(channel, begin), traffic, begin.run.timeoutMs)
}

/** The channel, slowed down where the run asks for it. */
export function shaped(channel: Channel, begin: BeginMessage): Channel {
  return begin.run.shape === undefined ? channel : new ShapedChannel(channel, begin.run.shape)
}
