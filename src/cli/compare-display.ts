import type { CompareCase, CompareProgress } from '../api/compare.ts'
import { rankLoss } from '../compare/run-outcome.ts'
import type { RunRecord } from '../records/record.ts'
import { formatMetric, formatSeconds } from './format.ts'
import type { Output } from './output.ts'
import { createProgress, type Progress } from './progress.ts'

/** Shows a comparison while it goes on: a bar for the run at work, a line for every run that has ended. */
export class CompareDisplay implements Disposable {
  readonly #output: Output
  readonly #scoreOf: (one: CompareCase) => string
  #progress: Progress | undefined

  /** @param scoreOf - what the learning steps of a case report (default: a loss). */
  constructor(output: Output, scoreOf: (one: CompareCase) => string = () => 'loss') {
    this.#output = output
    this.#scoreOf = scoreOf
  }

  readonly onProgress = ({ run, runs, case: one, event }: CompareProgress): void => {
    const title = `[${run}/${runs}] ${caseTitle(one)}`
    switch (event.type) {
      case 'begin':
        return
      case 'preflight':
        this.#progress = createProgress(this.#output, { title, total: event.preflight.steps, unit: 'steps' })
        return
      case 'step': {
        const name = this.#scoreOf(one)
        this.#progress?.update(event.step, `${name} ${formatMetric(name, event.loss)}`, event.steps)
        return
      }
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

/** `lenet-5/mnist · bsp · mpi ×2 · 10,000 rows`, and that a worker is lost on purpose. */
export function caseTitle({ workload, system, fabric, workers, rows, faults }: CompareCase): string {
  const spread = workers === 1 ? 'solo' : `${fabric} ×${workers}`
  const size = rows === undefined ? '' : ` · ${rows.toLocaleString('en-US')} rows`
  const loss = faults?.some((fault) => fault.kind !== 'slow') ? ' · a worker is lost on purpose' : ''
  const id = typeof system === 'string' ? system : system.id
  return `${workload} · ${id === spread ? id : `${id} · ${spread}`}${size}${loss}`
}

function endText(record: RunRecord): string {
  const { config, summary } = record
  const loss = rankLoss(record)
  if (loss?.injected) {
    const who = `rank ${loss.ranks.join(', ')} was lost`
    if (loss.level === 3) return `${who} and the run went on to its end`
    return `${who} at step ${loss.step}; ${loss.level === 2 ? 'resumable' : 'not resumable'}`
  }
  if (summary.status === 'failed') return `failed: ${summary.error?.message ?? 'no reason given'}`
  const score =
    summary.finalMetric === undefined ? '' : `${config.metric.name} ${formatMetric(config.metric.name, summary.finalMetric)} in `
  const clock = config.paradigm === 'virtual' ? ' (simulated)' : ''
  return `${score}${formatSeconds(summary.trainSeconds)}${clock}${summary.status === 'interrupted' ? ' (interrupted)' : ''}`
}
