/**
 * Faults on purpose: this rank's operations are counted (on its communicators, its mailbox, and where it waits in shared memory), and the fault happens
 * at the chosen one.
 * @packageDocumentation
 */
import type { Communicator, Operation, Request, SplitRequest, StartOptions, WaitOptions } from '../communicator.ts'
import type { FaultSpec } from '../launch.ts'

/** What a fault does is the fabric's: how a thread, a process or a virtual rank ends or hangs. */
export interface FaultActions {
  crash(): never
  /** Never answers again. On `virtual` it returns a request that never completes. */
  hang(): Request
  /** Lets time pass for an operation that took `seconds`. */
  linger(seconds: number): void
  now(): number
}

/** Counts the operations of one rank over all its communicators. */
export class FaultPlan {
  readonly #specs: readonly FaultSpec[]
  readonly #actions: FaultActions
  #operations = 0

  constructor(specs: readonly FaultSpec[], actions: FaultActions) {
    this.#specs = specs
    this.#actions = actions
  }

  /** The faults of `rank`, or undefined when it has none. */
  static for(rank: number, specs: readonly FaultSpec[] | undefined, actions: FaultActions): FaultPlan | undefined {
    const own = specs?.filter((spec) => spec.rank === rank) ?? []
    return own.length === 0 ? undefined : new FaultPlan(own, actions)
  }

  /** Before an operation: a request when the rank hangs from here on. */
  before(): Request | undefined {
    const count = this.#operations++
    for (const spec of this.#specs) {
      if (count < spec.afterOperations) continue
      if (spec.kind === 'throw') throw new Error(`injected fault after ${spec.afterOperations} operations`)
      if (spec.kind === 'crash') this.#actions.crash()
      if (spec.kind === 'hang') return this.#actions.hang()
    }
    return undefined
  }

  /** How many times longer operations take now. */
  get factor(): number {
    const slow = this.#specs.find((spec) => spec.kind === 'slow' && this.#operations > spec.afterOperations)
    return slow?.factor ?? 1
  }

  /** The request of an operation, made slower where the plan says so. */
  slowed(request: Request, started: number): Request {
    const { factor } = this
    if (factor <= 1) return request
    let lingered = false
    const linger = () => {
      if (lingered) return
      lingered = true
      this.#actions.linger((factor - 1) * (this.#actions.now() - started))
    }
    return {
      label: request.label,
      test: () => {
        const ended = request.test()
        if (ended) linger()
        return ended
      },
      wait: (options?: WaitOptions) => {
        request.wait(options)
        linger()
      },
    }
  }

  /** Starts an operation, or lets happen what is to happen in its place. */
  through(start: () => Request): Request {
    const hanging = this.before()
    if (hanging !== undefined) return hanging
    const started = this.#actions.now()
    return this.slowed(start(), started)
  }
}

/** A communicator whose operations go through a fault plan. */
export class FaultyCommunicator implements Communicator {
  readonly #inner: Communicator
  readonly #plan: FaultPlan

  constructor(inner: Communicator, plan: FaultPlan) {
    this.#inner = inner
    this.#plan = plan
  }

  get rank() {
    return this.#inner.rank
  }
  get size() {
    return this.#inner.size
  }
  get transport() {
    return this.#inner.transport
  }
  get timeoutMs() {
    return this.#inner.timeoutMs
  }
  get hostOf() {
    return this.#inner.hostOf
  }
  get traffic() {
    return this.#inner.traffic
  }

  start(operation: Operation, options?: StartOptions): Request {
    return this.#plan.through(() => this.#inner.start(operation, options))
  }

  run(operation: Operation, options?: StartOptions): void {
    this.start(operation, { ...options, waitsAtOnce: true }).wait()
  }

  agree(fingerprint: string): Request {
    return this.#plan.through(() => this.#inner.agree(fingerprint))
  }

  startSplit(color: number, key: number): SplitRequest {
    const request = this.#inner.startSplit(color, key)
    const plan = this.#plan
    return new Proxy(request, {
      get: (target, name) => {
        if (name === 'communicator') return new FaultyCommunicator(target.communicator, plan)
        const value = Reflect.get(target, name, target) as unknown
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  split(color: number, key: number): Communicator {
    return new FaultyCommunicator(this.#inner.split(color, key), this.#plan)
  }

  duplicate(): Communicator {
    return new FaultyCommunicator(this.#inner.duplicate(), this.#plan)
  }

  close(): void {
    this.#inner.close()
  }
}
