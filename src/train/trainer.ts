/**
 * The machine behind the instructions of a deep system: one rank's replica, its sessions, batches, store and scores.
 * Losses are Σ wᵢ·ℓᵢ / divisor, so gradients are partial sums and their sum over ranks is the gradient of the whole batch (runtime form of systems-deep, BSP).
 * @packageDocumentation
 */
import type { RankEnvironment, RankTask } from '../fabric/launch.ts'
import { kernelsFor } from '../kernels/load.ts'
import type { Kernels } from '../kernels/kernels.ts'
import { learningRateAt } from '../nn/schedule.ts'
import type { NumericArray } from '../memory/dtype.ts'
import type { BatchBuffers, Staging, TrainBuffers } from './buffers.ts'
import type { BatchSource, PlacedRows } from './batch-source.ts'
import { clipGradient } from './clip-gradient.ts'
import { Evaluator, type Moment } from './evaluator.ts'
import { type Machine, type OverlapChannel, wait } from './executor.ts'
import type { TrainJob } from './job.ts'
import { exchangedPart, tail } from './layout.ts'
import { lbfgsAccepted } from './lbfgs.ts'
import type { BufferName } from './program.ts'
import type { RankResult } from './rank-result.ts'
import { Saver } from './saver.ts'
import type { TrainGraphs } from './sessions.ts'
import type { StepClock } from './step-clock.ts'
import type { StoreClient } from './store.ts'
import { applyRule } from './update-rule.ts'

/** Least time between two step events, in seconds of the train clock. */
const reportEverySeconds = 0.1

/** A wish to stop that no number of ranks asked to stop adds up to. */
const diverged = 1 << 20

/** The last word on a rank's run. */
type Outcome = Omit<RankResult, 'parameters' | 'best' | 'state' | 'ofRows'>

/** What a trainer is made of; assembled by train/train-rank.ts. */
export interface TrainerParts {
  readonly job: TrainJob
  readonly rank: RankEnvironment
  readonly buffers: TrainBuffers
  readonly staging: Staging
  readonly source: BatchSource
  /** Rows to score on during the run, and those of which only its result is scored. */
  readonly scored: PlacedRows | undefined
  readonly test: PlacedRows | undefined
  readonly graphs: TrainGraphs
  readonly clock: StepClock
  readonly store?: StoreClient
  readonly overlap?: OverlapChannel
}

export class Trainer implements Machine {
  readonly #parts: TrainerParts
  readonly #kernels: Kernels
  readonly #rank: RankEnvironment
  readonly #job: TrainJob
  readonly clock: StepClock
  readonly overlap?: OverlapChannel
  readonly evaluator: Evaluator
  readonly saver: Saver
  /** Staleness of each gradient → how often. */
  readonly staleness: Record<number, number> = {}
  step = 0
  stopping = false
  interrupted = false
  divergedAt: number | undefined
  #half = 0
  #lastReport = Number.NEGATIVE_INFINITY
  #lastSummed: BufferName = 'gradients'

  constructor(parts: TrainerParts) {
    this.#parts = parts
    this.#rank = parts.rank
    this.#job = parts.job
    this.#kernels = kernelsFor(parts.rank.segment)
    this.clock = parts.clock
    if (parts.overlap) this.overlap = parts.overlap
    this.evaluator = new Evaluator(parts, this.#kernels)
    this.saver = new Saver(parts, this.evaluator)
  }

  /** Global step → epochs done, as a fraction. */
  get epoch(): number {
    return this.step / this.#job.stepsPerEpoch
  }

  batch(): void {
    this.#half = 1 - this.#half
    const { train } = this.#parts.graphs.carried
    if (this.step % this.#job.stepsPerEpoch === 0) train.clear()
    else train.handOn(this.#kernels)
    const { units, globalUnits } = this.#parts.source.fill(this.step, this.#batch)
    this.#parts.graphs.divisor[0] = Math.max(1, this.#job.program.divisor === 'local' ? units : globalUnits)
  }

  gradients(segment: number | undefined): Promise<void> {
    if (segment === undefined || segment === 0) this.#rank.advance(this.#batch.rows.length * this.#job.virtualSecondsPerRow)
    return this.#parts.graphs.run(this.#half, segment, this.step)
  }

  get #batch(): BatchBuffers {
    return this.#parts.staging.train[this.#half as 0 | 1]
  }

  buffer(name: BufferName, bucket?: number): NumericArray {
    const { gradients, parameters } = this.#parts.buffers
    return exchangedPart(this.#job.layout, name === 'gradients' ? gradients : parameters, bucket)
  }

  beforeSum(name: BufferName): void {
    this.#lastSummed = name
    const flat = this.buffer(name) as Float32Array
    const at = this.#job.layout.length
    if (name === 'parameters') flat[at + tail.loss] = (this.#parts.buffers.gradients[at + tail.loss] as number) / this.#rank.worldSize
    flat[at + tail.stop] = this.#wish
    flat[at + tail.save] = this.saver.due() ? 1 : 0
  }

  /** What this rank adds to the sum that all ranks read: nothing, that it was asked to stop, or that its loss is lost. */
  get #wish(): number {
    if (this.divergedAt !== undefined) return diverged
    return this.#rank.stopRequested() ? 1 : 0
  }

  *agree(by: 'tail' | 'exchange' | 'alone'): RankTask {
    let stop = this.#wish
    let save = this.saver.due()
    if (by === 'tail') {
      const flat = this.buffer(this.#lastSummed) as Float32Array
      stop = flat[this.#job.layout.length + tail.stop] as number
      save = (flat[this.#job.layout.length + tail.save] as number) > 0
    } else if (by === 'exchange') {
      const { wishes } = this.#parts.buffers
      wishes[0] = stop
      wishes[1] = save ? 1 : 0
      yield* wait(this.#rank.comm.start({ kind: 'allReduce', data: wishes, op: 'max' }, { waitsAtOnce: true, phase: 'agree' }))
      stop = wishes[0] as number
      save = wishes[1] > 0
    }
    if (stop > 0) this.stopping = this.interrupted = true
    if (stop >= diverged) this.divergedAt ??= this.step
    this.saver.wanted = save
  }

  weigh(name: BufferName): void {
    const share = (this.#batch.rows.length / this.#job.globalBatchSize) as number
    this.#kernels.scale(share, this.buffer(name) as Float32Array)
  }

  update(): void {
    const { buffers } = this.#parts
    const { layout, optimizer } = this.#job
    clipGradient(this.#kernels, buffers.gradients, layout, this.#job)
    applyRule(
      this.#kernels,
      optimizer,
      layout,
      buffers.parameters,
      buffers.gradients,
      buffers.slots,
      this.rate,
      this.step + 1,
      0,
      layout.length,
      buffers.gradients[layout.length + tail.loss],
      this.#parts.graphs.touched,
    )
    if (optimizer.kind === 'lbfgs' && this.step + 1 === this.#job.steps) {
      this.#kernels.copy(lbfgsAccepted(buffers.slots), buffers.parameters.subarray(0, layout.length))
    }
  }

  get rate(): number {
    return learningRateAt(this.#job.schedule, this.#job.optimizer.learningRate, this.step, this.#job.steps)
  }

  *push(): RankTask {
    const { buffers, store } = this.#parts
    clipGradient(this.#kernels, buffers.gradients, this.#job.layout, this.#job)
    this.beforeSum('gradients')
    if (store) yield* store.push(buffers.gradients, this.step + 1)
  }

  *pull(): RankTask {
    const { buffers, store } = this.#parts
    // The tail of what was pushed comes back summed under bsp admission only; `agree` reads it from the parameters then.
    this.#lastSummed = 'parameters'
    if (store) yield* store.pull(buffers.parameters, this.step + 1)
  }

  *retire(): RankTask {
    if (this.#parts.store) yield* this.#parts.store.retire()
  }

  call(): never {
    throw new Error('a network has no local statistic')
  }

  report(): void {
    this.step++
    const lead = this.#parts.store?.lead
    if (lead !== undefined) this.staleness[lead] = (this.staleness[lead] ?? 0) + 1
    this.clock.endStep(this.step)
    const loss = this.#loss()
    if (!Number.isFinite(loss)) this.divergedAt ??= this.step
    if (this.#rank.rank !== 0) return
    const time = this.clock.trainSeconds
    const last = this.step === this.#job.steps
    if (!last && time - this.#lastReport < reportEverySeconds) return
    this.#lastReport = time
    this.#rank.emit({
      type: 'step',
      step: this.step,
      steps: this.#job.steps,
      epoch: this.epoch,
      samples: this.step * this.#job.globalBatchSize,
      time,
      loss,
      learningRate: this.rate,
    })
  }

  /** Mean loss of the last step: of the global batch where ranks summed it, of this rank's rows otherwise. */
  #loss(): number {
    const at = this.#job.layout.length + tail.loss
    const value = this.buffer(this.#lastSummed)[at] as number
    const admission = this.#job.program.store?.admission.kind
    if (admission === undefined || admission === 'bsp') return value
    return ((this.#parts.buffers.gradients[at] as number) * this.#job.globalBatchSize) / this.#batch.rows.length
  }

  *evaluate(of: 'replica' | 'average' | 'snapshot' | 'snapshots' | 'learner'): RankTask {
    if (of === 'learner') return
    if (of === 'snapshots') yield* this.evaluator.scoreSnapshots()
    else yield* this.evaluator.evaluate(of, this.moment)
    if (this.evaluator.satisfied) this.stopping = true
  }

  get moment(): Moment {
    return { step: this.step, epoch: this.epoch, time: this.clock.trainSeconds }
  }

  *checkpoint(always: boolean): RankTask {
    // What can no longer learn must not replace what still could. Where every rank writes, they leave it out together, once they have agreed.
    if (this.divergedAt !== undefined && (this.stopping || !this.#job.program.replicasDiffer)) return
    yield* this.saver.save(always, this)
  }

  /** Discarded passes over the first batch: sessions and caches are warm before the clock starts. Nothing is updated. */
  *warmUp(): RankTask {
    if (this.#job.warmUpSteps === 0) return
    this.batch()
    const segments = this.#job.program.buckets?.length
    for (let n = 0; n < this.#job.warmUpSteps; n++) {
      if (segments === undefined) yield this.gradients(undefined)
      else for (let segment = 0; segment < segments; segment++) yield this.gradients(segment)
    }
  }

  result(): Outcome {
    const { compute, exchange, other } = this.clock.totals
    return {
      steps: this.step,
      interrupted: this.interrupted,
      ...(this.divergedAt === undefined ? {} : { divergedAt: this.divergedAt }),
      trainSeconds: this.clock.trainSeconds,
      computeSeconds: compute,
      exchangeSeconds: exchange,
      otherSeconds: other,
      stepTimes: this.clock.samples,
      trace: this.clock.trace,
      ...(this.#parts.store ? { staleness: this.staleness } : {}),
    }
  }
}
