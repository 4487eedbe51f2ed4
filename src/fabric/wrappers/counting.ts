/**
 * Counts what a rank sends and how long it waits, per link and phase. Messages of schedules and of send/recv are counted one by one on the
 * sending side; collectives of a transport's own are booked by formula (collectives/costs.ts) under the algorithm named there.
 *
 * Waiting is timed for every operation from 64 KiB on; of smaller ones each sixteenth, counted sixteenfold, because reading the clock
 * twice costs a good part of a small collective.
 * @packageDocumentation
 */
import type { LinkTraffic, PhaseTraffic, TrafficCounters } from '../communicator.ts'

/** Operations of fewer bytes are sampled. */
const sampledBytes = 65536
const sampleEvery = 16

/** The counters of one rank; all communicators that were made from one another share it. Ranks are world ranks. */
export class TrafficCounter implements TrafficCounters {
  readonly #links = new Map<string, LinkTraffic>()
  readonly #phases = new Map<string, PhaseCounter>()

  get links(): readonly LinkTraffic[] {
    return [...this.#links.values()]
  }

  get phases(): Readonly<Record<string, PhaseTraffic>> {
    return Object.fromEntries(Array.from(this.#phases, ([phase, counter]) => [phase, counter.toJSON()]))
  }

  /** The counter of messages that leave `from` for `to`. */
  link(from: number, to: number, phase: string): LinkTraffic {
    const key = `${from} ${to} ${phase}`
    let link = this.#links.get(key)
    if (link === undefined) {
      link = { from, to, phase, bytes: 0, messages: 0 }
      this.#links.set(key, link)
    }
    return link
  }

  /** The counter of a phase. */
  phase(name: string): PhaseCounter {
    let counter = this.#phases.get(name)
    if (counter === undefined) {
      counter = new PhaseCounter()
      this.#phases.set(name, counter)
    }
    return counter
  }

  /** Plain data: what a rank reports at its end. */
  toJSON(): TrafficCounters {
    return { links: this.links.map((link) => ({ ...link })), phases: this.phases }
  }
}

/** Operations of one phase. */
export class PhaseCounter {
  rounds = 0
  waitSeconds = 0
  operations = 0
  algorithm: string | undefined
  #sampled = 0

  /** An operation begins. Returns where its waiting goes, or undefined when this one is not timed. */
  begin(rounds: number, bytes: number): ((seconds: number) => void) | undefined {
    this.operations++
    this.rounds += rounds
    let weight = 1
    if (bytes < sampledBytes) {
      if (this.#sampled++ % sampleEvery !== 0) return undefined
      weight = Math.min(this.#sampled, sampleEvery)
    }
    return (seconds) => {
      this.waitSeconds += seconds * weight
    }
  }

  toJSON(): PhaseTraffic {
    const { rounds, waitSeconds, operations, algorithm } = this
    return { rounds, waitSeconds, operations, ...(algorithm === undefined ? {} : { algorithm }) }
  }
}

/** The sum of two threads' counters: a rank and the service beside it. */
export function mergeTraffic(a: TrafficCounters, b: TrafficCounters | undefined): TrafficCounters {
  if (b === undefined) return a
  const sum = new TrafficCounter()
  for (const { from, to, phase, bytes, messages } of [...a.links, ...b.links]) {
    const link = sum.link(from, to, phase)
    link.bytes += bytes
    link.messages += messages
  }
  for (const [name, { rounds, waitSeconds, operations, algorithm }] of [...Object.entries(a.phases), ...Object.entries(b.phases)]) {
    const phase = sum.phase(name)
    phase.rounds += rounds
    phase.waitSeconds += waitSeconds
    phase.operations += operations
    phase.algorithm ??= algorithm
  }
  return sum.toJSON()
}
