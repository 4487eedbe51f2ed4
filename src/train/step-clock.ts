import type { TraceEvent } from '../records/record.ts'

/** `exchange` is split into communicate and wait when the ranks' records are put together: the rank that came last did not wait. */
export type Activity = 'compute' | 'exchange' | 'other'

/** Most steps that keep their own row of times; longer runs keep every k-th. */
const maxSampledSteps = 2000

/** Where a rank's time goes. The train clock runs on compute and exchange; evaluation, checkpoints and reports are off it. */
export class StepClock {
  readonly #now: () => number
  readonly #rank: number
  readonly #sampleEvery: number
  readonly #traceFrom: number
  readonly #traceTo: number
  readonly #total = { compute: 0, exchange: 0, other: 0 }
  readonly #sinceReport = { compute: 0, exchange: 0, other: 0 }
  readonly samples: [number, number, number][] = []
  readonly trace: TraceEvent[] = []
  #start = 0
  #step = 0

  /** @param steps - how many steps the run plans: decides which of them are sampled; five around a tenth of the way are traced. */
  constructor(now: () => number, rank: number, steps: number) {
    this.#now = now
    this.#rank = rank
    this.#sampleEvery = Math.max(1, Math.ceil(steps / maxSampledSteps))
    this.#traceFrom = Math.min(Math.floor(steps / 10), 50)
    this.#traceTo = this.#traceFrom + 5
  }

  /** Starts the train clock; what was booked before (finding a start) is not on it. */
  start(): void {
    this.#start = this.#now()
    for (const times of [this.#total, this.#sinceReport]) times.compute = times.exchange = times.other = 0
  }

  now(): number {
    return this.#now()
  }

  /** Books the time since `from`. */
  book(activity: Activity, name: string, from: number): void {
    const to = this.#now()
    const seconds = to - from
    this.#total[activity] += seconds
    this.#sinceReport[activity] += seconds
    if (this.#step >= this.#traceFrom && this.#step < this.#traceTo) {
      const cat = activity === 'exchange' ? 'communicate' : activity
      this.trace.push({
        name,
        cat,
        ph: 'X',
        ts: (from - this.#start) * 1e6,
        dur: seconds * 1e6,
        pid: 0,
        tid: this.#rank,
        args: { step: this.#step },
      })
    }
  }

  /** Ends a step. */
  endStep(step: number): void {
    this.#step = step
    if (step % this.#sampleEvery === 0) this.samples.push([step, this.#sinceReport.compute, this.#sinceReport.exchange])
    this.#sinceReport.compute = this.#sinceReport.exchange = this.#sinceReport.other = 0
  }

  /** Seconds on the train clock. */
  get trainSeconds(): number {
    return this.#now() - this.#start - this.#total.other
  }

  get totals(): Readonly<Record<Activity, number>> {
    return this.#total
  }
}
