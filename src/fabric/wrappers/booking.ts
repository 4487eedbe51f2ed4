import { type PlannedTraffic, plannedTraffic } from '../collectives/costs.ts'
import type { LinkTraffic } from '../communicator.ts'
import type { CollectiveOperation } from '../core/header.ts'
import type { PhaseCounter, TrafficCounter } from './counting.ts'

/** The formula's figures for one kind of call, looked up once: the next call with the same shape only adds them. */
export interface Booking {
  readonly operation: {
    readonly kind: string
    readonly algorithm: string | undefined
    readonly root: number | undefined
    readonly bytes: number
  }
  readonly phase: PhaseCounter
  readonly rounds: number
  readonly sends: readonly { readonly link: LinkTraffic; readonly bytes: number; readonly messages: number }[]
}

/** Who calls: a rank of a group, and the group's ranks in the world. */
export interface Caller {
  readonly rank: number
  readonly size: number
  readonly hostOf: readonly number[]
  worldRank(rank: number): number
  /** In place of the table's figures. */
  planned?(operation: CollectiveOperation): PlannedTraffic
}

/** Makes the booking of `operation` under `phase`. */
export function bookingFor(operation: CollectiveOperation, bytes: number, phase: string, caller: Caller, traffic: TrafficCounter): Booking {
  const { algorithm, rounds, sends } = caller.planned?.(operation) ?? plannedTraffic(operation, caller.rank, caller.size, caller.hostOf)
  const counter = traffic.phase(phase)
  counter.algorithm = algorithm
  const from = caller.worldRank(caller.rank)
  return {
    operation: shapeOf(operation, bytes),
    phase: counter,
    rounds,
    sends: sends.map((send) => ({
      link: traffic.link(from, caller.worldRank(send.to), phase),
      bytes: send.bytes,
      messages: send.messages,
    })),
  }
}

/** Whether `booking` is that of a call of this shape. */
export function fits(booking: Booking, operation: CollectiveOperation, bytes: number): boolean {
  const shape = booking.operation
  if (shape.kind !== operation.kind || shape.bytes !== bytes) return false
  if (operation.kind === 'allReduce') return shape.algorithm === operation.algorithm
  return !('root' in operation) || shape.root === operation.root
}

function shapeOf(operation: CollectiveOperation, bytes: number): Booking['operation'] {
  return {
    kind: operation.kind,
    algorithm: operation.kind === 'allReduce' ? operation.algorithm : undefined,
    root: 'root' in operation ? operation.root : undefined,
    bytes,
  }
}

/** Adds one call; returns where its waiting goes. */
export function book(booking: Booking, bytes: number): ((seconds: number) => void) | undefined {
  for (const send of booking.sends) {
    send.link.bytes += send.bytes
    send.link.messages += send.messages
  }
  return booking.phase.begin(booking.rounds, bytes)
}
