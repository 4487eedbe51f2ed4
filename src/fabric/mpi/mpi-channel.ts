/**
 * The `mpi` transport: one process per rank, every collective by MPI itself.
 *
 * A call that is waited for at once is MPI's blocking one (non-blocking calls cost 5 µs against 1 at 4 KiB). Ad-hoc collectives exchange
 * headers of a fixed shape first, on a communicator of their own; after `agree` they do not. Non-blocking ones keep MPI's rule that all
 * processes start the same calls on a communicator in the same order:
 *
 *   start A   header A posted ──── all headers there, equal ─▶ data A posted ─▶ …
 *   start B   header B posted ──────────────────── waits for A to be posted ─▶ data B posted ─▶ …
 *
 * @packageDocumentation
 */
import type { NumericArray } from '../../memory/dtype.ts'
import { dtypeOf } from '../../memory/dtype.ts'
import type { CollectiveKind, Operation } from '../communicator.ts'
import type { Lane } from '../control/lane.ts'
import type { Channel } from '../core/channel.ts'
import { type CollectiveOperation, disagreement, headerWords, writeAgreeHeader, writeHeader, writeSplitHeader } from '../core/header.ts'
import { moved, type Steps } from '../core/progress.ts'
import type { MpiPair } from '../launchers/messages.ts'
import type { Mpi } from './bindings.ts'
import { mpiCall, type PreparedCall } from './mpi-call.ts'
import { countOf } from './mpi-buffers.ts'
import { recvNow, started, startedRecv, startedSend } from './mpi-requests.ts'

const everyKind: ReadonlySet<CollectiveKind> = new Set([
  'barrier',
  'broadcast',
  'reduce',
  'allReduce',
  'reduceScatter',
  'allGather',
  'gather',
  'scatter',
  'allToAll',
])

/** Who the processes of a communicator are. */
export interface MpiGroup {
  readonly comms: MpiPair
  readonly rank: number
  /** World rank of each process's rank. */
  readonly worldRanks: readonly number[]
  readonly hostOf: readonly number[]
  /** Whether `close` frees the communicators. */
  readonly owned: boolean
  readonly agreed: boolean
}

/** One process's end of an MPI communicator. */
export class MpiChannel implements Channel {
  readonly transport = 'mpi'
  readonly rank: number
  readonly size: number
  readonly hostOf: readonly number[]
  readonly engine: Lane['progress']
  readonly workspace: Lane
  readonly natives = everyKind
  readonly polled = true
  readonly #mpi: Mpi
  readonly #lane: Lane
  readonly #group: MpiGroup
  readonly #headers: Int32Array
  #agreed: boolean
  /** Number of the next collective whose data may be posted. */
  #next = 0
  /** Numbers from `#next` on that are done with. */
  readonly #passed = new Set<number>()

  constructor(mpi: Mpi, lane: Lane, group: MpiGroup) {
    this.#mpi = mpi
    this.#lane = lane
    this.#group = group
    this.#agreed = group.agreed
    this.rank = group.rank
    this.size = group.worldRanks.length
    this.hostOf = group.hostOf
    this.engine = lane.progress
    this.workspace = lane
    this.#headers = new Int32Array(headerWords * this.size)
  }

  begin(): void {
    this.#lane.beginOperation()
  }

  worldRank(rank: number): number {
    return this.#group.worldRanks[rank] as number
  }

  send(data: NumericArray, to: number, tag: number): Steps {
    return startedSend(this.#mpi, this.#group.comms.data, data, to, tag)
  }

  recv(into: NumericArray, from: number, tag: number): Steps {
    return startedRecv(this.#mpi, this.#group.comms.data, into, from, tag)
  }

  collective(operation: CollectiveOperation, number: number): { steps: Steps } {
    const call = mpiCall(this.#mpi, this.#group.comms.data, operation, this.rank, this.size)
    return { steps: this.#inTurn(number, (own) => writeHeader(operation, own), started(this.#mpi, call.started, call.args), call.after) }
  }

  check(operation: CollectiveOperation, number: number): Steps {
    return this.#inTurn(number, (own) => writeHeader(operation, own), undefined)
  }

  agree(fingerprint: string, number: number): Steps {
    return this.#inTurn(
      number,
      (own) => writeAgreeHeader(fingerprint, own),
      undefined,
      () => {
        this.#agreed = true
      },
    )
  }

  /** Headers at once, then the data call when it is its turn. */
  #inTurn(number: number, write: (own: Int32Array) => void, data: Steps | undefined, after?: () => void): Steps {
    if (this.#agreed) return this.#takeTurn(number, undefined, data, after)
    const own = new Int32Array(headerWords)
    const headers = new Int32Array(headerWords * this.size)
    write(own)
    const { int32 } = this.#mpi.datatypes
    const args = [own, headerWords, int32, headers, headerWords, int32, this.#group.comms.headers]
    const exchange = started(this.#mpi, 'MPI_Iallgather', args)
    // The header goes out now, in the order of the calls, whatever this collective has to wait for.
    exchange.next()
    return this.#takeTurn(number, { exchange, headers }, data, after)
  }

  *#takeTurn(
    number: number,
    check: { exchange: Steps; headers: Int32Array } | undefined,
    data: Steps | undefined,
    after?: () => void,
  ): Steps {
    try {
      if (check !== undefined) {
        yield* check.exchange
        const error = disagreement(check.headers, this.size, headerWords, number)
        if (error !== undefined) throw error
      }
      while (this.#next !== number) yield undefined
    } catch (error) {
      // Failed alike on all ranks: the turn passes on.
      this.#pass(number)
      throw error
    }
    if (data === undefined) this.#pass(number)
    else {
      const posted = data.next()
      this.#pass(number)
      yield moved
      if (posted.done !== true) yield* data
    }
    after?.()
  }

  #pass(number: number): void {
    if (number === this.#next && this.#passed.size === 0) this.#next++
    else {
      this.#passed.add(number)
      while (this.#passed.delete(this.#next)) this.#next++
    }
  }

  /**
   * The whole operation inside the call. Whether a collective is MPI's blocking call depends on nothing but the caller's wish, because
   * blocking and non-blocking collectives do not match each other; schedules under way, which it would hold up, are brought to their end before.
   */
  runAtOnce(operation: Operation, number: number): boolean {
    if (operation.kind === 'send' || operation.kind === 'recv') {
      if (this.engine.active > 0) return false
    } else if (this.engine.active > 0) this.engine.settle()
    const { index, control } = this.#lane
    const { data: comm } = this.#group.comms
    const mpi = this.#mpi
    control.showBlocking(index, operation, number, this.engine.timeoutMs)
    try {
      if (operation.kind === 'send')
        mpi.call(
          'MPI_Send',
          operation.data,
          countOf(operation.data),
          mpi.datatypes[dtypeOf(operation.data)],
          operation.to,
          operation.tag,
          comm,
        )
      else if (operation.kind === 'recv') recvNow(mpi, comm, operation.into, operation.from, operation.tag)
      else {
        this.#pass(number)
        if (!this.#agreed) this.#compareNow(operation, number)
        if (operation.kind === 'allReduce') {
          const { data } = operation
          mpi.allReduce(data, countOf(data), mpi.datatypes[dtypeOf(data)], mpi.ops[operation.op], comm)
        } else this.#callNow(mpiCall(mpi, comm, operation, this.rank, this.size))
      }
    } finally {
      this.#lane.end()
    }
    return true
  }

  #callNow(call: PreparedCall): void {
    this.#mpi.call(call.blocking, ...call.args)
    call.after?.()
  }

  #compareNow(operation: CollectiveOperation, number: number): void {
    const own = new Int32Array(headerWords)
    writeHeader(operation, own)
    const { int32 } = this.#mpi.datatypes
    this.#mpi.call('MPI_Allgather', own, headerWords, int32, this.#headers, headerWords, int32, this.#group.comms.headers)
    const error = disagreement(this.#headers, this.size, headerWords, number)
    if (error !== undefined) throw error
  }

  split(color: number, key: number, number: number): { steps: Steps; channel: () => Channel } {
    let group: MpiGroup | undefined
    const split = (): void => {
      const mpi = this.#mpi
      const data = mpi.split(this.#group.comms.data, color, key)
      const headers = mpi.duplicate(data)
      const size = mpi.size(data)
      const members = new Int32Array(size)
      const own = Int32Array.of(this.rank)
      mpi.call('MPI_Allgather', own, 1, mpi.datatypes.int32, members, 1, mpi.datatypes.int32, data)
      group = {
        comms: { data, headers },
        rank: mpi.rank(data),
        worldRanks: Array.from(members, (rank) => this.worldRank(rank)),
        hostOf: Array.from(members, (rank) => this.hostOf[rank] as number),
        owned: true,
        agreed: this.#agreed,
      }
    }
    return {
      // Making a communicator blocks in MPI; the headers before it make sure that every rank is there.
      steps: this.#inTurn(number, (own) => writeSplitHeader(own), undefined, split),
      channel: () => new MpiChannel(this.#mpi, this.#lane, group as MpiGroup),
    }
  }

  close(): void {
    if (!this.#group.owned || this.#lane.control.cancelled) return
    this.#mpi.free(this.#group.comms.headers)
    this.#mpi.free(this.#group.comms.data)
  }
}
