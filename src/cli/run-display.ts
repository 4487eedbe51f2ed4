import type { RunEvent } from '../api/events.ts'
import type { Preflight } from '../records/record.ts'
import { formatBytes, formatMetric, formatNumber, formatSeconds } from './format.ts'
import type { Output } from './output.ts'
import { createProgress, type Progress } from './progress.ts'

type StepEvent = Extract<RunEvent, { type: 'step' }>

/** Shows one run while it goes on: the preflight line, a bar over its steps with the loss, a line for every evaluation. */
export class RunDisplay implements Disposable {
  readonly #output: Output
  readonly #title: string
  readonly #metricName: string
  #progress: Progress | undefined
  #first: StepEvent | undefined

  /** @param title - what stands before the bar. @param metricName - what evaluations measure. */
  constructor(output: Output, title: string, metricName: string) {
    this.#output = output
    this.#title = title
    this.#metricName = metricName
  }

  readonly onEvent = (event: RunEvent): void => {
    switch (event.type) {
      case 'preflight':
        if (!this.#output.json) this.#output.note(preflightLine(event.preflight))
        this.#progress = createProgress(this.#output, { title: this.#title, total: event.preflight.steps, unit: 'steps' })
        return
      case 'step':
        // The rate of this process: a resumed run counts from where it went on.
        this.#first ??= event
        this.#progress?.update(event.step, stepText(event, this.#first), event.steps)
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
    const score = `${this.#metricName} ${formatMetric(this.#metricName, metric)}`
    // Learners that see all rows in every step score every step: the bar shows it, a line for each would bury everything else.
    if (epoch === step) this.#progress?.update(step, score)
    else
      this.#progress?.note(`epoch ${Number(epoch.toFixed(2))}: ${split === 'test' ? '' : `${split} `}${score} after ${formatSeconds(time)}`)
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

function stepText({ loss, samples, time }: StepEvent, first: StepEvent): string {
  const rate = time > first.time ? `, ${formatNumber((samples - first.samples) / (time - first.time))} rows/s` : ''
  return `loss ${formatNumber(loss)}${rate}`
}
