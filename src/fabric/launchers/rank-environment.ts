import { deserialize, serialize } from 'node:v8'
import type { ArrayOf, DType } from '../../memory/dtype.ts'
import { Region } from '../../memory/region.ts'
import { Segment } from '../../memory/segment.ts'
import type { Communicator, Request } from '../communicator.ts'
import type { ControlBlock } from '../control/control-block.ts'
import type { RankEnvironment, Transfer } from '../launch.ts'
import type { BeginMessage, FromThread } from './messages.ts'

/** The parts of an environment in which the transports differ. */
export interface EnvironmentParts {
  readonly comm: Communicator
  readonly mailbox: Communicator | undefined
  until(label: string, test: () => boolean): Request
  ring(): void
  transfer(transfers: readonly Transfer[], phase: string): Request
  now(): number
  advance(seconds: number): void
  readonly isVirtual: boolean
}

/** The environment of local rank `localRank` on lane `lane`. */
export function rankEnvironment(
  begin: BeginMessage,
  localRank: number,
  lane: number,
  control: ControlBlock,
  parts: EnvironmentParts,
  post: (message: FromThread) => void,
): RankEnvironment {
  const { segment } = control
  const rank = begin.process.ranks[localRank] as number
  const shared = new Region(segment, begin.sharedOffset, begin.sharedBytes, 'shared region')
  const own = new Region(segment, begin.ownOffset + localRank * begin.bytesPerRank, begin.bytesPerRank, `region of rank ${rank}`)
  const segments = Object.fromEntries(Object.entries(begin.segments).map(([label, ref]) => [label, Segment.attach(ref)]))
  const allocate = <D extends DType>(region: Region, dtype: D, length: number, label: string): ArrayOf[D] => {
    const array = region.allocate(dtype, length, label)
    // The control thread learns where things lie, so that it can save them when this thread no longer can.
    post({ type: 'allocated', rank, label, shared: region === shared, handle: segment.handleOf(array, dtype) })
    return array
  }
  return {
    rank,
    worldSize: begin.run.worldSize,
    localRank,
    host: begin.process.host,
    job: deserialize(begin.run.job),
    info: deserialize(begin.info),
    comm: parts.comm,
    mailbox: parts.mailbox,
    segment,
    segments,
    allocate: (dtype, length, label) => allocate(own, dtype, length, label),
    shared: (dtype, length, label) => allocate(shared, dtype, length, label),
    emit: (event) => post({ type: 'event', rank, bytes: serialize(event) }),
    stopRequested: () => control.stopRequested,
    status: (text, step) => control.showText(lane, text, step),
    committing: (on) => control.setCommitting(lane, on),
    now: parts.now,
    advance: parts.advance,
    until: parts.until,
    ring: parts.ring,
    transfer: parts.transfer,
    isVirtual: parts.isVirtual,
  }
}
