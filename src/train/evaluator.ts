import { blockRange } from '../fabric/communicator.ts'
import type { RankTask } from '../fabric/launch.ts'
import type { Kernels } from '../kernels/kernels.ts'
import { gatherRows } from './batch-source.ts'
import { wait } from './executor.ts'
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

/**
 * Scores parameters on the evaluation rows, shared out over the ranks: every rank learns the same numbers, so every rank takes the same decision about
 * early stopping. Off the train clock.
 */
export class Evaluator {
  readonly #parts: TrainerParts
  readonly #kernels: Kernels
  readonly #snapshots: { readonly moment: Moment; readonly parameters: Float32Array }[] = []
  state: ScoreState = { best: undefined, bestStep: 0, sinceBest: 0 }
  /** The last score was the best so far. */
  improved = false
  #lastStep = -1

  constructor(parts: TrainerParts, kernels: Kernels) {
    this.#parts = parts
    this.#kernels = kernels
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
      this.#kernels.scale(own / job.globalBatchSize, buffers.scored)
      yield* wait(rank.comm.start({ kind: 'allReduce', data: buffers.scored, op: 'sum' }, { waitsAtOnce: true, phase: 'evaluate' }))
    }
    yield* this.#score(of === 'average', moment)
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
      if (snapshot) buffers.scored.set(snapshot.parameters)
      yield* wait(rank.comm.start({ kind: 'broadcast', data: buffers.scored, root: 0 }, { waitsAtOnce: true, phase: 'evaluate' }))
      yield* this.#score(true, snapshot?.moment ?? { step: 0, epoch: 0, time: 0 })
    }
    this.#snapshots.length = 0
  }

  /** @param copied - score `buffers.scored` instead of the replica. */
  *#score(copied: boolean, moment: Moment): RankTask {
    const { rank, buffers, staging, scored, graphs, job } = this.#parts
    if (scored === undefined) return
    const { evaluation } = staging
    const size = evaluation.rows.length
    const { start, end } = blockRange(scored.rows, rank.worldSize, rank.rank)
    let loss = 0
    let correct = 0
    for (let first = start; first < end; first += size) {
      for (let i = 0; i < size; i++) {
        const inside = first + i < end
        evaluation.rows[i] = inside ? first + i : start
        evaluation.weight[i] = inside ? 1 : 0
      }
      gatherRows(graphs.dataKernels, scored, evaluation)
      yield graphs.evaluate(copied)
      loss += graphs.evaluationLoss[0] as number
      correct += graphs.correct?.[0] ?? 0
    }
    const { score } = buffers
    score[0] = loss
    score[1] = correct
    score[2] = end - start
    yield* wait(rank.comm.start({ kind: 'allReduce', data: score, op: 'sum' }, { waitsAtOnce: true, phase: 'evaluate' }))
    const weight = score[2] as number
    const meanLoss = (score[0] as number) / weight
    const metric = graphs.correct ? (score[1] as number) / weight : Math.sqrt(meanLoss)
    this.improved = this.state.best === undefined || this.#isBetter(metric, this.state.best, false)
    this.state = this.improved
      ? { best: metric, bestStep: moment.step, sinceBest: 0 }
      : { ...this.state, sinceBest: this.state.sinceBest + 1 }
    if (rank.rank === 0) {
      const split = job.validation ? 'validation' : 'test'
      rank.emit({ type: 'evaluation', split, ...moment, samples: moment.step * job.globalBatchSize, loss: meanLoss, metric })
    }
  }

  #isBetter(value: number, than: number, orEqual: boolean): boolean {
    if (orEqual && value === than) return true
    const higher = this.#parts.graphs.correct !== undefined
    return higher ? value > than : value < than
  }
}
