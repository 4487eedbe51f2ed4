import { blockRange } from '../fabric/communicator.ts'
import type { RankTask } from '../fabric/launch.ts'
import type { Kernels } from '../kernels/kernels.ts'
import { metricOf } from '../nn/metrics.ts'
import { gatherRows, unitsOf } from './batch-source.ts'
import { wait } from './executor.ts'
import { exchangedPart } from './layout.ts'
import type { PlacedRows } from './batch-source.ts'
import type { TrainerParts } from './trainer.ts'

/** Where on the run a score belongs. */
export interface Moment {
  readonly step: number
  readonly epoch: number
  /** Seconds on the train clock. */
  readonly time: number
}

/** Best score so far and how long ago it was: goes into checkpoints. */
export interface ScoreState {
  best: number | undefined
  bestStep: number
  sinceBest: number
}

/** What the score buffer of a rank says of its best score: in memory, where a process that lost its ranks still finds it. */
export function readScoreState(score: Float64Array): ScoreState {
  const [best, bestStep, sinceBest] = score as unknown as [number, number, number]
  return { best: bestStep === 0 ? undefined : best, bestStep, sinceBest }
}

/**
 * Scores parameters on the evaluation rows, shared out over the ranks: every rank learns the same numbers, so every rank takes the same decision about
 * early stopping. Off the train clock.
 */
export class Evaluator {
  readonly #parts: TrainerParts
  readonly #kernels: Kernels
  readonly #snapshots: { readonly moment: Moment; readonly parameters: Float32Array }[] = []
  #lastStep = -1

  constructor(parts: TrainerParts, kernels: Kernels) {
    this.#parts = parts
    this.#kernels = kernels
  }

  get state(): ScoreState {
    return readScoreState(this.#parts.buffers.score)
  }

  set state({ best, bestStep, sinceBest }: ScoreState) {
    this.#parts.buffers.score.set([best ?? Number.NaN, bestStep, sinceBest])
  }

  /** The metric reached its goal, or did not improve for `patience` evaluations. */
  get satisfied(): boolean {
    const { stopAt, patience } = this.#parts.job
    const { best, sinceBest } = this.state
    if (best === undefined) return false
    if (stopAt && this.#isBetter(best, stopAt.metric, true)) return true
    return patience !== undefined && sinceBest >= patience
  }

  *evaluate(of: 'replica' | 'average' | 'snapshot', moment: Moment): RankTask {
    if (this.#parts.scored === undefined || moment.step === this.#lastStep) return
    this.#lastStep = moment.step
    const { buffers, rank, job } = this.#parts
    if (of === 'snapshot') {
      if (rank.rank === 0) this.#snapshots.push({ moment, parameters: buffers.parameters.slice() })
      return
    }
    if (of === 'average') {
      this.#kernels.copy(buffers.parameters, buffers.scored)
      const own = this.#parts.staging.train[0].rows.length
      const data = exchangedPart(job.layout, buffers.scored)
      this.#kernels.scale(own / job.globalBatchSize, data)
      yield* wait(rank.comm.start({ kind: 'allReduce', data, op: 'sum' }, { waitsAtOnce: true, phase: 'evaluate' }))
    }
    yield* this.#score(of === 'average', moment)
  }

  /** Scores the result of a run that was judged by validation rows on the test rows, once: rank 0's final parameters, for all ranks. */
  *scoreTest(parameters: Float32Array, moment: Moment): RankTask {
    const { test } = this.#parts
    if (test === undefined) return
    yield* this.#share(parameters)
    yield* this.#measure(true, test, 'test', moment)
  }

  /** Scores what `snapshot` copied: rank 0 hands each copy to all. */
  *scoreSnapshots(): RankTask {
    if (this.#parts.scored === undefined) return
    const { buffers, rank } = this.#parts
    // Ranks other than 0 do not know how many snapshots there are.
    buffers.wishes[0] = this.#snapshots.length
    yield* wait(rank.comm.start({ kind: 'broadcast', data: buffers.wishes, root: 0 }, { waitsAtOnce: true, phase: 'evaluate' }))
    const count = buffers.wishes[0] as number
    for (let n = 0; n < count; n++) {
      const snapshot = this.#snapshots[n]
      yield* this.#share(snapshot?.parameters)
      yield* this.#score(true, snapshot?.moment ?? { step: 0, epoch: 0, time: 0 })
    }
    this.#snapshots.length = 0
  }

  /** Rank 0's `parameters` into `scored` on every rank; those that are frozen, each has. */
  *#share(parameters: Float32Array | undefined): RankTask {
    const { buffers, rank, job } = this.#parts
    buffers.scored.set(rank.rank === 0 && parameters ? parameters : buffers.parameters)
    const data = exchangedPart(job.layout, buffers.scored)
    yield* wait(rank.comm.start({ kind: 'broadcast', data, root: 0 }, { waitsAtOnce: true, phase: 'evaluate' }))
  }

  /** @param copied - score `buffers.scored` instead of the replica. */
  *#score(copied: boolean, moment: Moment): RankTask {
    const { buffers, scored, job } = this.#parts
    if (scored === undefined) return
    const metric = (yield* this.#measure(copied, scored, job.validation ? 'validation' : 'test', moment)) as number
    const { best, sinceBest, ...state } = this.state
    if (best === undefined || this.#isBetter(metric, best, false)) {
      this.state = { best: metric, bestStep: moment.step, sinceBest: 0 }
      buffers.best?.set(copied ? buffers.scored : buffers.parameters)
    } else this.state = { ...state, best, sinceBest: sinceBest + 1 }
  }

  /** Loss and metric over `rows`, each rank its share of them. */
  *#measure(copied: boolean, rows: PlacedRows, split: 'validation' | 'test', moment: Moment): RankTask<number> {
    const { rank, buffers, staging, graphs, job } = this.#parts
    const { evaluation } = staging
    const size = evaluation.rows.length
    const { start, end } = blockRange(rows.rows, rank.worldSize, rank.rank)
    const sums = buffers.sums.fill(0)
    const tallies = sums.subarray(2)
    graphs.carried.evaluation.clear()
    for (let first = start; first < end; first += size) {
      if (first > start) graphs.carried.evaluation.handOn(this.#kernels)
      for (let i = 0; i < size; i++) {
        const inside = first + i < end
        evaluation.rows[i] = inside ? first + i : start
        evaluation.weight[i] = inside ? 1 : 0
      }
      gatherRows(graphs.dataKernels, rows, evaluation)
      yield graphs.evaluate(copied)
      sums[0] = (sums[0] as number) + (graphs.evaluationLoss[0] as number)
      sums[1] = (sums[1] as number) + unitsOf(rows, evaluation.rows, Math.min(size, end - first))
      buffers.tally.forEach((value, i) => {
        tallies[i] = (tallies[i] as number) + value
      })
    }
    yield* wait(rank.comm.start({ kind: 'allReduce', data: sums, op: 'sum' }, { waitsAtOnce: true, phase: 'evaluate' }))
    const weight = sums[1] as number
    const meanLoss = (sums[0] as number) / weight
    const metric = metricOf(job.metric).value(meanLoss, tallies, weight)
    if (rank.rank === 0)
      rank.emit({ type: 'evaluation', split, ...moment, samples: moment.step * job.globalBatchSize, loss: meanLoss, metric })
    return metric
  }

  #isBetter(value: number, than: number, orEqual: boolean): boolean {
    if (orEqual && value === than) return true
    return metricOf(this.#parts.job.metric).better === 'higher' ? value > than : value < than
  }
}
