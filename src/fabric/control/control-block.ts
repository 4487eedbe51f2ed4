import { Buffer } from 'node:buffer'
import { AbortError, type ErrorJSON, errorFromJSON, type TuttiError } from '../../errors.ts'
import type { Segment } from '../../memory/segment.ts'
import type { Operation } from '../communicator.ts'
import type { WaitSubject } from '../core/progress.ts'
import { type ControlLayout, controlLayout, head, lane, laneState, laneTextBytes, maxMissing, reasonBytes } from './control-layout.ts'

/** What the watchdog sees of a thread. */
export interface LaneStatus {
  readonly lane: number
  readonly state: 'idle' | 'running' | 'waiting' | 'ended' | 'hanging'
  readonly operations: number
  readonly waits: number
  readonly step: number
  readonly committing: boolean
  readonly timeoutMs: number
  /** What it waits for; empty when it does not wait. */
  readonly label: string
  /** Its own words (`RankEnvironment.status`). */
  readonly text: string
  /** World ranks that it waits for, where it knows. */
  readonly missing: readonly number[]
}

const operationKinds = [
  'send',
  'recv',
  'barrier',
  'broadcast',
  'reduce',
  'allReduce',
  'reduceScatter',
  'allGather',
  'gather',
  'scatter',
  'allToAll',
] as const satisfies readonly Operation['kind'][]
const stateNames = ['idle', 'running', 'waiting', 'ended', 'hanging'] as const

/** The shared words of one process: cancel, stop, doorbells, and what every thread is doing. Each thread has its own instance over the same memory. */
export class ControlBlock {
  readonly segment: Segment
  readonly layout: ControlLayout
  /** Offset of the control part in the segment. */
  readonly byteOffset: number
  /** All words of the control part, from `byteOffset`. */
  readonly words: Int32Array<SharedArrayBuffer>
  readonly #bytes: Uint8Array

  constructor(segment: Segment, byteOffset: number, numLanes: number) {
    this.segment = segment
    this.byteOffset = byteOffset
    this.layout = controlLayout(numLanes)
    const handle = { segment: segment.id, byteOffset, length: this.layout.sizeBytes / 4, dtype: 'int32' } as const
    this.words = segment.shared(handle)
    this.#bytes = new Uint8Array(segment.buffer, byteOffset, this.layout.sizeBytes)
  }

  get numLanes(): number {
    return this.layout.numLanes
  }

  /** Word index of `word` of a lane. */
  laneWord(index: number, word: number): number {
    return this.layout.lane(index) / 4 + word
  }

  /** Asks all ranks to stop at their next agreement. */
  requestStop(): void {
    Atomics.store(this.words, head.stop, 1)
    this.ringAll()
  }

  get stopRequested(): boolean {
    return Atomics.load(this.words, head.stop) !== 0
  }

  /** Makes every wait of this process throw `reason`. The first reason stands. */
  cancel(reason: ErrorJSON): void {
    if (this.cancelled) return
    let text = Buffer.from(JSON.stringify(reason))
    if (text.length > reasonBytes) {
      const { code, message, details } = reason
      text = Buffer.from(
        JSON.stringify({ code, message: message.slice(0, 2000), details: { ranks: details['ranks'], step: details['step'] } }),
      )
    }
    this.#bytes.set(text, head.reason * 4)
    this.words[head.reasonLength] = text.length
    Atomics.store(this.words, head.cancel, 1)
    this.ringAll()
  }

  get cancelled(): boolean {
    return Atomics.load(this.words, head.cancel) !== 0
  }

  /** Why the run was cancelled. */
  get reason(): TuttiError {
    const text = this.#text(head.reason * 4, this.words[head.reasonLength] as number)
    try {
      return errorFromJSON(JSON.parse(text) as ErrorJSON)
    } catch {
      return new AbortError()
    }
  }

  /** Wakes a thread that sleeps in a wait. */
  ring(index: number): void {
    const at = this.layout.lane(index) / 4
    Atomics.add(this.words, at + lane.doorbell, 1)
    if (Atomics.load(this.words, at + lane.sleeping) !== 0) Atomics.notify(this.words, at + lane.doorbell)
  }

  ringAll(): void {
    for (let index = 0; index < this.numLanes; index++) this.ring(index)
  }

  setState(index: number, state: keyof typeof laneState): void {
    Atomics.store(this.words, this.laneWord(index, lane.state), laneState[state])
  }

  stateOf(index: number): number {
    return Atomics.load(this.words, this.laneWord(index, lane.state))
  }

  /** Shows what a lane waits for. */
  showWait(index: number, subject: WaitSubject, timeoutMs: number): void {
    const { words } = this
    const at = this.layout.lane(index) / 4
    words[at + lane.labelLength] = this.#write(index, lane.label, subject.label)
    const missing = subject.missing?.() ?? []
    const count = Math.min(missing.length, maxMissing)
    for (let each = 0; each < count; each++) words[at + lane.missing + each] = missing[each] as number
    words[at + lane.numMissing] = count
    words[at + lane.timeoutMs] = Math.min(timeoutMs, 0x7fffffff)
    words[at + lane.waits] = (words[at + lane.waits] as number) + 1
    Atomics.store(words, at + lane.state, laneState.waiting)
  }

  /** Shows a native call that blocks: numbers only, because it may take no longer than a microsecond. */
  showBlocking(index: number, operation: Operation, number: number, timeoutMs: number): void {
    const { words } = this
    const at = this.layout.lane(index) / 4
    const pointToPoint = operation.kind === 'send' || operation.kind === 'recv'
    words[at + lane.labelLength] = 0
    words[at + lane.numMissing] = 0
    words[at + lane.timeoutMs] = timeoutMs
    words[at + lane.waits] = (words[at + lane.waits] as number) + 1
    words[at + lane.blocking] = operationKinds.indexOf(operation.kind)
    words[at + lane.blocking + 1] = number
    if (pointToPoint) {
      words[at + lane.blocking + 2] = operation.kind === 'send' ? operation.to : operation.from
      words[at + lane.blocking + 3] = operation.tag
    }
    Atomics.store(words, at + lane.state, laneState.waiting)
  }

  #label(index: number): string {
    const { words } = this
    const base = this.layout.lane(index)
    const at = base / 4
    const length = words[at + lane.labelLength] as number
    if (length > 0) return this.#text(base + lane.label * 4, length)
    const kind = operationKinds[words[at + lane.blocking] as number] ?? 'operation'
    const [number, peer, tag] = words.subarray(at + lane.blocking + 1, at + lane.blocking + 4)
    if (kind === 'send') return `send to ${peer} tag ${tag}`
    return kind === 'recv' ? `recv from ${peer} tag ${tag}` : `${kind} #${number}`
  }

  showText(index: number, text: string, step: number): void {
    const at = this.layout.lane(index) / 4
    this.words[at + lane.textLength] = this.#write(index, lane.text, text)
    Atomics.store(this.words, at + lane.step, step)
  }

  /** The committed step of a lane. */
  stepOf(index: number): number {
    return Atomics.load(this.words, this.laneWord(index, lane.step))
  }

  setCommitting(index: number, on: boolean): void {
    Atomics.store(this.words, this.laneWord(index, lane.committing), on ? 1 : 0)
  }

  status(index: number): LaneStatus {
    const { words } = this
    const at = this.layout.lane(index) / 4
    const state = stateNames[Atomics.load(words, at + lane.state)] ?? 'idle'
    const waiting = state === 'waiting'
    const base = this.layout.lane(index)
    return {
      lane: index,
      state,
      operations: words[at + lane.operations] as number,
      waits: words[at + lane.waits] as number,
      step: words[at + lane.step] as number,
      committing: words[at + lane.committing] !== 0,
      timeoutMs: words[at + lane.timeoutMs] as number,
      label: waiting ? this.#label(index) : '',
      text: this.#text(base + lane.text * 4, words[at + lane.textLength] as number),
      missing: waiting ? Array.from(words.subarray(at + lane.missing, at + lane.missing + (words[at + lane.numMissing] as number))) : [],
    }
  }

  #write(index: number, word: number, text: string): number {
    const at = this.layout.lane(index) + word * 4
    return new TextEncoder().encodeInto(text, this.#bytes.subarray(at, at + laneTextBytes)).written
  }

  #text(at: number, length: number): string {
    return new TextDecoder().decode(this.#bytes.subarray(at, at + length))
  }
}
