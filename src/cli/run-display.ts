import type { RunEvent } from '../api/events.ts'
import type { Preflight } from '../records/record.ts'
import { formatBytes, formatMetric, formatNumber, formatSeconds } from './format.ts'
import type { Output } from './output.ts'
import { createProgress, type Progress } from './progress.ts'

type StepEvent = Extract<RunEvent, { type: 'step' }>

/** What a display is told about the run. */
export interface RunDisplayOptions {
  /** What stands before the bar. */
  readonly title: string
  /** What evaluations measure. */
  readonly metricName: string
  /** What steps report (default `loss`). */
  readonly scoreName?: string
  /** The clock is that of `virtual`: times and rates are no measurements. */
  readonly simulated?: boolean
  /** Cores that all ranks share; absent where they have others, or a clock of their own. */
  readonly cores?: number
}

/** Most lines of evaluations; the bar shows those between. */
const maxScoreLines = 20

/** Shows one run while it goes on: the preflight line, a bar over its steps with the loss, up to twenty lines of evaluations. */
export class RunDisplay implements Disposable {
  readonly #output: Output
  readonly #options: RunDisplayOptions
  #progress: Progress | undefined
  #first: StepEvent | undefined
  #totalSteps = 0
  #shownStep = -1

  constructor(output: Output, options: RunDisplayOptions) {
    this.#output = output
    this.#options = options
  }

  readonly onEvent = (event: RunEvent): void => {
    switch (event.type) {
      case 'preflight':
        if (!this.#output.json) {
          this.#output.note(preflightLine(event.preflight))
          if (this.#options.cores !== undefined && event.preflight.ranks > this.#options.cores)
            this.#output.note(crowdedLine(event.preflight, this.#options.cores))
        }
        this.#totalSteps = event.preflight.steps
        this.#progress = createProgress(this.#output, { title: this.#options.title, total: event.preflight.steps, unit: 'steps' })
        return
      case 'step':
        // The rate of this process: a resumed run counts from where it went on.
        this.#first ??= event
        this.#progress?.update(event.step, stepText(event, this.#first, this.#options), event.steps)
        return
      case 'evaluation':
        this.#showScore(event)
        return
      case 'checkpoint':
      case 'lost':
        return
    }
  }

  close(): void {
    this.#progress?.close()
  }

  #showScore({ split, metric, step, epoch, time }: Extract<RunEvent, { type: 'evaluation' }>): void {
    const { metricName, simulated } = this.#options
    const score = `${metricName} ${formatMetric(metricName, metric)}`
    // Learners that see all rows in every step score every step: the bar shows it, a line for each would bury everything else.
    if (epoch === step || !this.#isDue(step)) {
      this.#progress?.update(step, score)
      return
    }
    this.#shownStep = step
    const of = split === 'test' ? '' : `${split} `
    const at = epoch < 0.1 ? `step ${step}` : `epoch ${Number(epoch.toFixed(2))}`
    this.#progress?.note(`${at}: ${of}${score} after ${formatSeconds(time)}${simulated ? ' (simulated)' : ''}`)
  }

  /** One step in each twentieth of the run, with all its splits. */
  #isDue(step: number): boolean {
    const part = (at: number): number => Math.floor((maxScoreLines * at) / Math.max(1, this.#totalSteps))
    return step === this.#shownStep || part(step) > part(this.#shownStep)
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/** Ranks, threads, memory needed and free, bytes per step, expected time: all in one line. */
export function preflightLine({ ranks, threads, memoryBytes, freeBytes, bytesPerStep, steps, expectedSeconds }: Preflight): string {
  const parts = [
    `${ranks} ${ranks === 1 ? 'rank' : 'ranks'}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    `${formatBytes(memoryBytes)} needed of ${formatBytes(freeBytes)} free`,
    `${formatBytes(bytesPerStep)} sent per rank and step`,
    `${steps.toLocaleString('en-US')} ${steps === 1 ? 'step' : 'steps'}`,
    ...(expectedSeconds === undefined ? [] : [`about ${formatSeconds(expectedSeconds)}`]),
  ]
  return parts.join(' · ')
}

/** What to expect where ranks wait for each other's cores. */
export function crowdedLine({ ranks, expectedSeconds }: Preflight, cores: number): string {
  const time = (expectedSeconds ?? 0) < 1 ? '' : `, about ${formatSeconds(expectedSeconds ?? 0)} or more`
  return `${ranks} ranks take turns on ${cores} ${cores === 1 ? 'core' : 'cores'}: not faster than --workers ${cores}${time}`
}

function stepText({ loss, samples, time }: StepEvent, first: StepEvent, { scoreName = 'loss', simulated }: RunDisplayOptions): string {
  const rows = time > first.time ? `, ${formatNumber((samples - first.samples) / (time - first.time))} rows/s` : ''
  const rate = rows !== '' && simulated ? `${rows} (simulated)` : rows
  return `${scoreName} ${formatMetric(scoreName, loss)}${rate}`
}
