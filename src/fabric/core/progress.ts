/**
 * Advances everything that one thread has started. A started operation is a generator that yields whenever it cannot go on; waiting for one
 * request advances all of them, because a peer may be waiting for another one of ours:
 *
 *   rank 0: start A, start B, wait B …          waiting for B must keep A going,
 *   rank 1: start A, wait A, start B …          or rank 1 never gets to B
 *
 * How a thread sleeps in between is the `Parker`'s: a doorbell in shared memory, a poll of MPI, or both.
 * @packageDocumentation
 */
import { AbortError, CollectiveTimeoutError, type TuttiError } from '../../errors.ts'
import type { Request, WaitOptions } from '../communicator.ts'

/** Something that can be asked whether it is done. */
export interface Waitable {
  test(): boolean
}

/** A started operation: yields what it waits for, or nothing when it only wants to be asked again. */
export type Steps = Generator<Waitable | undefined, void, void>

/** Yielded where another task of the same thread may go on because of what this one has just done. */
export const moved: Waitable = { test: () => true }

/** What a waiting thread tells the watchdog about itself. */
export interface WaitSubject {
  /** `allReduce #12`, `recv from 3 tag 7`. */
  readonly label: string
  /** Ranks (of the world) that have not done their part. */
  missing?(): readonly number[]
}

/** How a thread waits when nothing it started can go on. */
export interface Parker {
  /** Polls before the first sleep. */
  readonly spins: number
  /** To be read before polling; a ring after it makes `sleep` return at once. */
  ticket(): number
  /** Sleeps until rung or `ms` have passed. */
  sleep(ticket: number, ms: number): void
  /** @throws what the run was cancelled with. */
  check(): void
  /** Shown to the watchdog until `end`. */
  begin(subject: WaitSubject, timeoutMs: number): void
  end(): void
  /** Error for a wait that took too long, or undefined when somebody else (the watchdog) decides. */
  timedOut(subject: WaitSubject, timeoutMs: number): TuttiError | undefined
  /** Checked in every slice of a long wait: peers that can no longer arrive. */
  lost?(subject: WaitSubject): TuttiError | undefined
}

/** What a task is shown as, and where its waiting is booked. */
export interface TaskInfo extends WaitSubject {
  /** Ends when something outside of this process's memory does: sleeping is cut into short naps. */
  readonly polled?: boolean
  /** Takes several steps of its own: does not go on while its thread is inside a native call. */
  readonly collective?: boolean
  /** Present where the wait is to be timed. */
  readonly waited?: ((seconds: number) => void) | undefined
}

/** Longest sleep before cancel and time-out are looked at again, in ms. */
const sliceMs = 50
/** Most that counts as waiting between two looks, in ms: a process that was stopped for a while (Ctrl-Z) has not waited for anybody. */
const longestLookMs = 1000
/** First and longest nap while something has to be polled, in ms. */
const napMs = 0.02
const longestNapMs = 0.2

/** All tasks of one thread. */
export class Progress {
  readonly parker: Parker
  readonly timeoutMs: number
  readonly #tasks: Task[] = []
  #polling = false
  #moved = false

  constructor(parker: Parker, timeoutMs: number) {
    this.parker = parker
    this.timeoutMs = timeoutMs
  }

  /** Number of tasks that have not ended. */
  get active(): number {
    return this.#tasks.length
  }

  /** Starts a task; its first stretch runs at once. */
  spawn(steps: Steps, info: TaskInfo): Task {
    const task = new Task(this, steps, info)
    if (!task.advance()) this.#tasks.push(task)
    return task
  }

  /** A task has ended or has come to wait for something else: others of this thread may wait for just that. */
  noteMove(): void {
    this.#moved = true
  }

  /** Advances every task, in the order in which they were started, until none of them moves. */
  poll(): void {
    // A task that is being advanced may test a request itself: that must not advance the others a second time.
    if (this.#polling) return
    this.#polling = true
    try {
      do {
        this.#moved = false
        const tasks = this.#tasks
        let kept = 0
        for (let index = 0; index < tasks.length; index++) {
          const task = tasks[index] as Task
          if (!task.advance()) tasks[kept++] = task
        }
        tasks.length = kept
      } while (this.#moved && this.#tasks.length > 0)
    } finally {
      this.#polling = false
    }
  }

  /** Blocks until every collective of this thread has ended: what failed is thrown by its own request. */
  settle(): void {
    for (const task of [...this.#tasks]) if (task.info.collective === true && !task.ended) this.#waitUntimed(task, this.timeoutMs)
  }

  /** Blocks until `task` has ended. */
  wait(task: Task, timeoutMs: number, signal?: AbortSignal): void {
    // Reading the clock costs as much as a small collective: only operations that are sampled are timed.
    const { waited } = task.info
    const started = waited === undefined ? 0 : performance.now()
    this.#waitUntimed(task, timeoutMs, signal)
    waited?.((performance.now() - started) / 1000)
  }

  #waitUntimed(task: Task, timeoutMs: number, signal?: AbortSignal): void {
    const { parker } = this
    for (let spin = 0; spin < parker.spins; spin++) {
      this.poll()
      if (task.ended) return
    }
    parker.begin(task.info, timeoutMs)
    try {
      this.#sleepUntil(task, timeoutMs, signal)
    } finally {
      parker.end()
    }
  }

  #sleepUntil(task: Task, timeoutMs: number, signal: AbortSignal | undefined): void {
    const { parker } = this
    let waitedMs = 0
    let lookedAt = performance.now()
    let nap = napMs
    for (;;) {
      const ticket = parker.ticket()
      this.poll()
      if (task.ended) return
      parker.check()
      if (signal?.aborted === true) throw new AbortError(`${task.label}: the wait was aborted`)
      const lost = parker.lost?.(task.info)
      if (lost !== undefined) throw lost
      const now = performance.now()
      waitedMs += Math.min(now - lookedAt, longestLookMs)
      lookedAt = now
      if (waitedMs > timeoutMs) {
        const error = parker.timedOut(task.info, timeoutMs)
        if (error !== undefined) throw error
      }
      if (this.#tasks.some((each) => each.info.polled === true)) {
        parker.sleep(ticket, nap)
        nap = Math.min(2 * nap, longestNapMs)
      } else parker.sleep(ticket, sliceMs)
    }
  }
}

/** One started operation. */
export class Task implements Request {
  readonly info: TaskInfo
  ended = false
  #error: unknown
  readonly #progress: Progress
  readonly #steps: Steps
  #current: Waitable | undefined
  #advancing = false

  constructor(progress: Progress, steps: Steps, info: TaskInfo) {
    this.#progress = progress
    this.#steps = steps
    this.info = info
  }

  get label(): string {
    return this.info.label
  }

  /** Runs as far as it can; true when it has ended (also when it failed: `test` and `wait` throw what it failed with). */
  advance(): boolean {
    if (this.ended) return true
    if (this.#advancing) return false
    this.#advancing = true
    try {
      for (;;) {
        const next = this.#resume()
        if (next === undefined) return false
        if (next.done === true) {
          this.ended = true
          this.#progress.noteMove()
          return true
        }
        this.#current = next.value
        if (this.#current === undefined) return false
        this.#progress.noteMove()
      }
    } catch (error) {
      this.#error = error
      this.ended = true
      this.#progress.noteMove()
      return true
    } finally {
      this.#advancing = false
    }
  }

  /** The generator sees what it waited for fail, so that it can give back its scratch memory. */
  #resume(): IteratorResult<Waitable | undefined, void> | undefined {
    try {
      if (this.#current !== undefined && !this.#current.test()) return undefined
    } catch (error) {
      return this.#steps.throw(error)
    }
    return this.#steps.next()
  }

  test(): boolean {
    if (!this.ended) this.#progress.poll()
    if (!this.ended) this.#progress.parker.check()
    this.#rethrow()
    return this.ended
  }

  wait(options: WaitOptions = {}): void {
    if (!this.ended) this.#progress.wait(this, options.timeoutMs ?? this.#progress.timeoutMs, options.signal)
    this.#rethrow()
  }

  #rethrow(): void {
    if (this.#error !== undefined) throw this.#error
  }
}

/** The error of a wait that took too long. */
export function timeoutError(subject: WaitSubject, timeoutMs: number, ranks: readonly number[]): CollectiveTimeoutError {
  const who = ranks.length === 0 ? 'no rank is missing by name' : `rank${ranks.length > 1 ? 's' : ''} ${ranks.join(', ')} did not arrive`
  return new CollectiveTimeoutError(
    `${subject.label}: no answer — expected all ranks within ${timeoutMs} ms, got none: ${who} (a rank hangs, or timeoutMs is too short)`,
    { ranks, timeoutMs, waitingFor: subject.label },
  )
}

/** A request that has already completed. */
export function completed(label: string): Request {
  return { label, test: () => true, wait: () => {} }
}
