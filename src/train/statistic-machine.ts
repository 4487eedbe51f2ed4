import { CheckpointError } from '../errors.ts'
import type { RankEnvironment, RankTask } from '../fabric/launch.ts'
import type { NumericArray } from '../memory/dtype.ts'
import { publishCheckpoint, readManifest, readTensors, requireSameLearning, writeTensors } from './checkpoint.ts'
import { type Machine, wait } from './executor.ts'
import type { FitJob } from './job.ts'
import { learningHash } from './program.ts'
import type { Learner, Stage } from './statistic.ts'
import type { StepClock } from './step-clock.ts'

/** The machine behind the instructions of a classical system: one rank's learner and its statistic, followed by the wishes to stop or save. */
export class StatisticMachine implements Machine {
  readonly clock: StepClock
  readonly #job: FitJob
  readonly #rank: RankEnvironment
  readonly #learner: Learner
  /** Statistic and two wishes behind it. */
  readonly #summed: Float64Array<ArrayBuffer>
  readonly #rowsOfRank: number
  readonly #rows: number
  #saveWanted = false
  #lastSave: number
  step = 0
  stopping = false
  interrupted = false

  constructor(
    job: FitJob,
    rank: RankEnvironment,
    learner: Learner,
    summed: Float64Array<ArrayBuffer>,
    rows: { own: number; all: number },
    clock: StepClock,
  ) {
    this.#job = job
    this.#rank = rank
    this.#learner = learner
    this.#summed = summed
    this.#rowsOfRank = rows.own
    this.#rows = rows.all
    this.clock = clock
    this.#lastSave = rank.now()
    const resume = job.checkpoint?.resume
    if (resume !== undefined) this.#restore(resume)
  }

  /** @throws {CheckpointError} when the checkpoint is of another learner, or of this one on other columns. */
  #restore(dir: string): void {
    const saved = readManifest(dir)
    const tensors = readTensors(dir, saved, 0)
    if (saved.state.seed !== this.#job.seed)
      throw new CheckpointError(`resume: ${dir} was written with seed ${saved.state.seed} — got ${this.#job.seed} (use the same)`)
    for (const [name, { shape }] of Object.entries(this.#learner.state)) {
      const got = tensors[name]?.shape.join('×') ?? 'nothing'
      if (got !== shape.join('×'))
        throw new CheckpointError(
          `resume: ${name} is ${got} in ${dir} — expected ${shape.join('×')} (the checkpoint is of another learner)`,
        )
    }
    requireSameLearning(saved, this.#job.program, dir)
    this.#learner.restore(tensors)
    this.step = saved.step
  }

  call(method: 'localStat' | 'nextState', stage: Stage): void {
    if (method === 'localStat') {
      this.#learner.localStat(stage)
      this.#rank.advance(this.#rowsOfRank * this.#job.virtualSecondsPerRow)
    } else if (this.#learner.nextState(stage) && stage === 'body') this.stopping = true
  }

  buffer(): NumericArray {
    return this.#summed
  }

  beforeSum(): void {
    const at = this.#summed.length - 2
    const { checkpoint } = this.#job
    this.#summed[at] = this.#rank.stopRequested() ? 1 : 0
    this.#summed[at + 1] = checkpoint && this.#rank.rank === 0 && this.#rank.now() - this.#lastSave > checkpoint.everySeconds ? 1 : 0
  }

  *agree(): RankTask {
    const at = this.#summed.length - 2
    if ((this.#summed[at] as number) > 0) this.stopping = this.interrupted = true
    this.#saveWanted = (this.#summed[at + 1] as number) > 0
  }

  report(): void {
    this.step++
    this.clock.endStep(this.step)
    if (this.#rank.rank !== 0) return
    this.#rank.emit({ type: 'step', ...this.#moment, steps: this.#job.maxSteps, loss: this.#learner.score })
  }

  get #moment() {
    return { step: this.step, epoch: this.step, samples: this.step * this.#rows, time: this.clock.trainSeconds }
  }

  *checkpoint(always: boolean): RankTask {
    const { checkpoint, program, seed } = this.#job
    if (checkpoint === undefined || !(always || this.#saveWanted)) return
    this.#saveWanted = false
    this.#lastSave = this.#rank.now()
    yield* wait(this.#rank.comm.start({ kind: 'barrier' }, { waitsAtOnce: true, phase: 'checkpoint' }))
    if (this.#rank.rank !== 0) return
    writeTensors(checkpoint.dir, this.step, undefined, this.#learner.state)
    const { worldSize } = this.#rank
    publishCheckpoint(checkpoint.dir, {
      step: this.step,
      worldSize,
      programHash: learningHash(program),
      perRank: program.replicasDiffer,
      state: { seed },
    })
    this.#rank.emit({ type: 'checkpoint', step: this.step, dir: checkpoint.dir })
  }

  *evaluate(): RankTask {
    if (this.#rank.rank === 0) this.#rank.emit({ type: 'evaluation', split: 'train', ...this.#moment, metric: this.#learner.score })
  }

  batch(): never {
    return unknown('batch')
  }
  gradients(): never {
    return unknown('gradients')
  }
  weigh(): never {
    return unknown('weigh')
  }
  update(): never {
    return unknown('update')
  }
  push(): never {
    return unknown('push')
  }
  pull(): never {
    return unknown('pull')
  }
  retire(): never {
    return unknown('retire')
  }
}

function unknown(instruction: string): never {
  throw new Error(`a classical learner has no instruction ${instruction}`)
}
