import { ConfigError } from '../../errors.ts'
import type { NumericArray } from '../../memory/dtype.ts'
import type { CollectiveKind } from '../communicator.ts'
import type { Lane } from '../control/lane.ts'
import type { Channel } from '../core/channel.ts'
import type { Steps } from '../core/progress.ts'
import type { Seat } from '../hybrid/hybrid-channel.ts'
import type { Mpi, Pointer } from './bindings.ts'
import { startedRecv, startedSend } from './mpi-requests.ts'

/** Who can be reached, and on which communicators (`[source local][destination local]`). */
export interface MailboxGroup {
  readonly rank: number
  readonly seats: readonly Seat[]
  readonly lanes: readonly (readonly Pointer[])[]
  readonly hostOf: readonly number[]
}

const none: ReadonlySet<CollectiveKind> = new Set()

/** Send and recv between the processes of ranks, usable by a rank thread and the service thread beside it at once. */
export class MailboxChannel implements Channel {
  readonly transport = 'mpi'
  readonly rank: number
  readonly size: number
  readonly hostOf: readonly number[]
  readonly engine: Lane['progress']
  readonly workspace: Lane
  readonly natives = none
  readonly polled = true
  readonly #mpi: Mpi
  readonly #lane: Lane
  readonly #group: MailboxGroup

  constructor(mpi: Mpi, lane: Lane, group: MailboxGroup) {
    this.rank = group.rank
    this.size = group.seats.length
    this.hostOf = group.hostOf
    this.engine = lane.progress
    this.workspace = lane
    this.#mpi = mpi
    this.#lane = lane
    this.#group = group
  }

  begin(): void {
    this.#lane.beginOperation()
  }

  worldRank(rank: number): number {
    return rank
  }

  send(data: NumericArray, to: number, tag: number): Steps {
    const { seats, lanes, rank } = this.#group
    const target = seats[to] as Seat
    return startedSend(this.#mpi, lanes[(seats[rank] as Seat).local]?.[target.local] as Pointer, data, target.process, tag)
  }

  recv(into: NumericArray, from: number, tag: number): Steps {
    const { seats, lanes, rank } = this.#group
    const source = seats[from] as Seat
    return startedRecv(this.#mpi, lanes[source.local]?.[(seats[rank] as Seat).local] as Pointer, into, source.process, tag)
  }

  check(): never {
    throw noCollectives()
  }

  collective(): never {
    throw noCollectives()
  }

  agree(): never {
    throw noCollectives()
  }

  split(): never {
    throw noCollectives()
  }

  close(): void {}
}

function noCollectives(): ConfigError {
  return new ConfigError('mailbox: no collectives — expected send and recv, got a collective (use the rank’s own communicator)')
}
