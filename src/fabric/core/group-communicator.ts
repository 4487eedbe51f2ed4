/**
 * The one implementation of {@link Communicator}: it validates, counts, chooses between the transport's own collective and a schedule, and
 * hands out requests. Transports differ in their {@link Channel} only.
 *
 *   start ─▶ validate ─▶ send/recv ───────────────▶ channel.send / recv
 *                     └▶ collective ─ native ─────▶ channel.collective        (booked by formula)
 *                                   └ schedule ───▶ channel.check, then sends and receives above the user's tags (counted one by one)
 *
 * @packageDocumentation
 */
import { ConfigError } from '../../errors.ts'
import type { NumericArray } from '../../memory/dtype.ts'
import { plannedTraffic } from '../collectives/costs.ts'
import type { Link } from '../collectives/link.ts'
import { scheduleFor } from '../collectives/schedule-for.ts'
import type { Communicator, Operation, Request, SplitRequest, StartOptions } from '../communicator.ts'
import { type Booking, book, bookingFor, fits } from '../wrappers/booking.ts'
import type { TrafficCounter } from '../wrappers/counting.ts'
import type { Channel } from './channel.ts'
import { copy, fold } from './fold.ts'
import type { CollectiveOperation } from './header.ts'
import { operationBytes, tagLimit, validateOperation } from './operation.ts'
import { completed, type Steps, type TaskInfo } from './progress.ts'

const done = completed('done')
const noOptions: StartOptions = {}
const atOnceOptions: StartOptions = { waitsAtOnce: true }

/** A communicator over a transport's channel. */
export class GroupCommunicator implements Communicator {
  readonly rank: number
  readonly size: number
  readonly transport: string
  readonly timeoutMs: number
  readonly hostOf: readonly number[]
  readonly traffic: TrafficCounter
  readonly #channel: Channel
  readonly #bookings = new Map<string, Booking>()
  #collectives = 0
  #closed = false

  constructor(channel: Channel, traffic: TrafficCounter, timeoutMs: number) {
    this.rank = channel.rank
    this.size = channel.size
    this.transport = channel.transport
    this.hostOf = channel.hostOf
    this.timeoutMs = timeoutMs
    this.traffic = traffic
    this.#channel = channel
  }

  start(operation: Operation, options: StartOptions = noOptions): Request {
    const channel = this.#channel
    if (this.#closed) throw new ConfigError(`${operation.kind}: the communicator is closed — expected an open one (close it last)`)
    channel.begin()
    validateOperation(operation, this.rank, this.size)
    const phase = options.phase ?? operation.kind
    const bytes = operationBytes(operation)
    if (operation.kind === 'send' || operation.kind === 'recv') return this.#startPointToPoint(operation, options, phase, bytes)

    const number = this.#collectives++
    const atOnce = options.waitsAtOnce === true
    if (!this.#isNative(operation)) return this.#startSchedule(operation, number, phase, bytes)

    const waited = book(this.#booking(operation, phase, bytes), bytes)
    if (atOnce && this.#ranAtOnce(operation, number, waited)) return done
    const native = channel.collective(operation, number)
    const info = new OperationInfo(operation, number, waited, channel.polled)
    if (native.missing !== undefined) info.missing = native.missing
    return channel.engine.spawn(native.steps, info)
  }

  run(operation: Operation, options?: StartOptions): void {
    this.start(operation, options === undefined ? atOnceOptions : { ...options, waitsAtOnce: true }).wait()
  }

  agree(fingerprint: string): Request {
    this.#channel.begin()
    const number = this.#collectives++
    return this.#spawn(this.#channel.agree(fingerprint, number), `agree #${number}`, this.traffic.phase('agree').begin(1, 0))
  }

  startSplit(color: number, key: number): SplitRequest {
    if (!(Number.isInteger(color) && color >= 0))
      throw new ConfigError(`split: wrong colour — expected a whole number from 0, got ${color}`)
    this.#channel.begin()
    const number = this.#collectives++
    const { steps, channel } = this.#channel.split(color, key, number)
    const request = this.#spawn(steps, `split #${number}`, undefined)
    let communicator: Communicator | undefined
    // The transport's own request stays the object that is yielded: the scheduler of `virtual` knows its requests by identity.
    Object.defineProperty(request, 'communicator', {
      get: () => {
        communicator ??= new GroupCommunicator(channel(), this.traffic, this.timeoutMs)
        return communicator
      },
    })
    return request as SplitRequest
  }

  split(color: number, key: number): Communicator {
    const request = this.startSplit(color, key)
    request.wait()
    return request.communicator
  }

  duplicate(): Communicator {
    return this.split(0, this.rank)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#channel.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** A forced algorithm other than `native` is always a schedule. */
  #isNative(operation: CollectiveOperation): boolean {
    if (operation.kind === 'allReduce' && (operation.algorithm ?? 'native') !== 'native') return false
    return this.#channel.natives.has(operation.kind)
  }

  #booking(operation: CollectiveOperation, phase: string, bytes: number): Booking {
    const known = this.#bookings.get(phase)
    if (known !== undefined && fits(known, operation, bytes)) return known
    const booking = bookingFor(operation, bytes, phase, this.#channel, this.traffic)
    this.#bookings.set(phase, booking)
    return booking
  }

  #ranAtOnce(operation: Operation, number: number, waited: ((seconds: number) => void) | undefined): boolean {
    const { runAtOnce } = this.#channel
    if (runAtOnce === undefined) return false
    if (waited === undefined) return runAtOnce.call(this.#channel, operation, number)
    const started = performance.now()
    const ran = runAtOnce.call(this.#channel, operation, number)
    if (ran) waited((performance.now() - started) / 1000)
    return ran
  }

  #startPointToPoint(operation: Operation & { kind: 'send' | 'recv' }, options: StartOptions, phase: string, bytes: number): Request {
    const channel = this.#channel
    const waited = this.traffic.phase(phase).begin(1, bytes)
    if (operation.kind === 'send') this.#count(operation.to, phase, bytes, 1)
    if (options.waitsAtOnce === true && this.#ranAtOnce(operation, 0, waited)) return done
    const info = new OperationInfo(operation, 0, waited, channel.polled)
    const peer = operation.kind === 'send' ? operation.to : operation.from
    info.missing = () => [channel.worldRank(peer)]
    const steps =
      operation.kind === 'send'
        ? channel.send(operation.data, operation.to, operation.tag)
        : channel.recv(operation.into, operation.from, operation.tag)
    return channel.engine.spawn(steps, info)
  }

  #startSchedule(operation: CollectiveOperation, number: number, phase: string, bytes: number): Request {
    const channel = this.#channel
    const { algorithm, rounds } = plannedTraffic(operation, this.rank, this.size, this.hostOf)
    const counter = this.traffic.phase(phase)
    counter.algorithm = algorithm
    const waited = counter.begin(rounds, bytes)
    const check = channel.check(operation, number)
    const link = this.#link(number, phase)
    const info = new OperationInfo(operation, number, waited, channel.polled)
    info.missing = () => {
      const peers = link.missing()
      return peers.length > 0 ? peers : (channel.behind?.(number) ?? [])
    }
    return channel.engine.spawn(checked(check, operation, link), info)
  }

  #spawn(steps: Steps, label: string, waited: ((seconds: number) => void) | undefined): Request {
    return this.#channel.engine.spawn(steps, { label, polled: this.#channel.polled, collective: true, waited })
  }

  #link(number: number, phase: string): Link & { missing(): readonly number[] } {
    const channel = this.#channel
    const { engine, workspace } = channel
    // Each collective has a tag of its own, so that several can be under way; within one, messages of a pair keep their order.
    const tag = tagLimit + (number % tagLimit)
    // One entry a message: between two ranks a send may have ended while the receive from the same peer has not.
    const pending: number[] = []
    const follow = function* (steps: Steps, peer: number): Steps {
      pending.push(peer)
      yield* steps
      pending.splice(pending.indexOf(peer), 1)
    }
    const start = (steps: Steps, peer: number, label: string) => engine.spawn(follow(steps, peer), { label, polled: channel.polled })
    return {
      rank: this.rank,
      size: this.size,
      hostOf: this.hostOf,
      pieceBytes: workspace.pieceBytes,
      send: (data: NumericArray, to: number) => {
        this.#count(to, phase, data.byteLength, 1)
        return start(channel.send(data, to, tag), to, 'send')
      },
      recv: (into: NumericArray, from: number) => start(channel.recv(into, from, tag), from, 'recv'),
      take: (like, length) => workspace.take(like, length),
      giveBack: (array) => workspace.giveBack(array),
      reduce: fold,
      copy,
      missing: () => [...new Set(pending)].map((rank) => channel.worldRank(rank)),
    }
  }

  #count(to: number, phase: string, bytes: number, messages: number): void {
    const link = this.traffic.link(this.#channel.worldRank(this.rank), this.#channel.worldRank(to), phase)
    link.bytes += bytes
    link.messages += messages
  }
}

function* checked(check: Steps | undefined, operation: CollectiveOperation, link: Link): Steps {
  if (check !== undefined) yield* check
  yield* scheduleFor(operation, link)
}

/** Labels are made when somebody asks: a collective of 2 µs has no time for strings. */
class OperationInfo implements TaskInfo {
  readonly waited: ((seconds: number) => void) | undefined
  readonly polled: boolean
  readonly collective: boolean
  missing?: () => readonly number[]
  readonly #operation: Operation
  readonly #number: number

  constructor(operation: Operation, number: number, waited: ((seconds: number) => void) | undefined, polled: boolean) {
    this.#operation = operation
    this.#number = number
    this.waited = waited
    this.polled = polled
    this.collective = operation.kind !== 'send' && operation.kind !== 'recv'
  }

  get label(): string {
    const operation = this.#operation
    if (operation.kind === 'send') return `send to ${operation.to} tag ${operation.tag}`
    if (operation.kind === 'recv') return `recv from ${operation.from} tag ${operation.tag}`
    return `${operation.kind} #${this.#number}`
  }
}
