import type { CompareCase, CompareProgress } from '../api/compare.ts'
import type { RunRecord } from '../records/record.ts'
import { formatMetric, formatNumber, formatSeconds } from './format.ts'
import type { Output } from './output.ts'
import { createProgress, type Progress } from './progress.ts'

/** Shows a comparison while it goes on: a bar for the run at work, a line for every run that has ended. */
export class CompareDisplay implements Disposable {
  readonly #output: Output
  #progress: Progress | undefined

  constructor(output: Output) {
    this.#output = output
  }

  readonly onProgress = ({ run, runs, case: one, event }: CompareProgress): void => {
    const title = `[${run}/${runs}] ${caseTitle(one)}`
    switch (event.type) {
      case 'begin':
        return
      case 'preflight':
        this.#progress = createProgress(this.#output, { title, total: event.preflight.steps, unit: 'steps' })
        return
      case 'step':
        this.#progress?.update(event.step, `loss ${formatNumber(event.loss)}`, event.steps)
        return
      case 'end':
        this.close()
        if (!this.#output.json) this.#output.note(`${title}: ${endText(event.record)}`)
        return
      case 'skipped':
        if (!this.#output.json) this.#output.note(`${title}: left out, ${event.reason}`)
        return
      case 'evaluation':
      case 'checkpoint':
      case 'lost':
        return
    }
  }

  close(): void {
    this.#progress?.close()
    this.#progress = undefined
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/** `lenet-5/mnist · bsp · mpi ×2 · 10,000 rows`. */
export function caseTitle({ workload, system, fabric, workers, rows }: CompareCase): string {
  const spread = workers === 1 ? 'solo' : `${fabric} ×${workers}`
  const size = rows === undefined ? '' : ` · ${rows.toLocaleString('en-US')} rows`
  return `${workload} · ${typeof system === 'string' ? system : system.id} · ${spread}${size}`
}

function endText({ config, summary }: RunRecord): string {
  if (summary.status === 'failed') return `failed: ${summary.error?.message ?? 'no reason given'}`
  const score =
    summary.finalMetric === undefined ? '' : `${config.metric.name} ${formatMetric(config.metric.name, summary.finalMetric)} in `
  return `${score}${formatSeconds(summary.trainSeconds)}${summary.status === 'interrupted' ? ' (interrupted)' : ''}`
}
