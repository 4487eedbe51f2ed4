import { CheckpointError } from '../errors.ts'
import { blockRange } from '../fabric/communicator.ts'
import type { RankTask } from '../fabric/launch.ts'
import { type CheckpointManifest, publishCheckpoint, readManifest, readTensors, requireSameLearning, writeTensors } from './checkpoint.ts'
import type { Evaluator, ScoreState } from './evaluator.ts'
import { wait } from './executor.ts'
import type { TrainJob } from './job.ts'
import { type ParameterLayout, viewsByName } from './layout.ts'
import { learningHash } from './program.ts'
import type { NamedTensor } from './safetensors.ts'
import { retired, type StoreState } from './store.ts'
import type { TrainerParts } from './trainer.ts'
import { makeSlots } from './update-rule.ts'

type Flat = Float32Array<ArrayBuffer>

/** Saves and restores what a run needs to go on: parameters, slots and what batches carry on, of one replica, of every rank, or of the store. */
export class Saver {
  readonly #parts: TrainerParts
  readonly #evaluator: Evaluator
  #lastSeconds: number
  /** `agree` found that it is time. */
  wanted = false

  constructor(parts: TrainerParts, evaluator: Evaluator) {
    this.#parts = parts
    this.#evaluator = evaluator
    this.#lastSeconds = parts.rank.now()
  }

  /** Rank 0's clock decides for all. */
  due(): boolean {
    const { job, rank } = this.#parts
    return job.checkpoint !== undefined && rank.rank === 0 && rank.now() - this.#lastSeconds >= job.checkpoint.everySeconds
  }

  *save(always: boolean, at: { readonly step: number }): RankTask {
    const { job, rank, store, buffers } = this.#parts
    const { checkpoint } = job
    if (checkpoint === undefined) return
    if (!always && !this.wanted) return
    this.wanted = false
    this.#lastSeconds = rank.now()
    const perRank = job.program.replicasDiffer
    const carried = this.#goTogether ? yield* this.#gatherCarried() : {}
    if (store !== undefined) {
      if (rank.rank !== 0) return
      const state = storeState(job, rank.worldSize, buffers.parameters)
      yield* store.snapshot(state)
      const { clocks } = state
      const tensors = {
        ...namedTensors(job.layout, state.parameters, state.slots, buffers.best),
        ...carried,
        clocks: { shape: [clocks.length], values: clocks },
      }
      writeTensors(checkpoint.dir, at.step, undefined, tensors)
    } else if (perRank || rank.rank === 0) {
      const best = rank.rank === 0 ? buffers.best : undefined
      const tensors = { ...namedTensors(job.layout, buffers.parameters, buffers.slots, best), ...carried }
      writeTensors(checkpoint.dir, at.step, perRank ? rank.rank : undefined, tensors)
    }
    if (perRank) yield* wait(rank.comm.start({ kind: 'barrier' }, { waitsAtOnce: true, phase: 'checkpoint' }))
    if (rank.rank !== 0) return
    publishCheckpoint(checkpoint.dir, manifest(job, at.step, rank.worldSize, this.#evaluator.state))
    rank.emit({ type: 'checkpoint', step: at.step, dir: checkpoint.dir })
  }

  /** Whether all ranks are at the same step when they save. At a store without bsp admission each goes its own way, and carried state is not saved. */
  get #goTogether(): boolean {
    return (this.#parts.job.program.store?.admission.kind ?? 'bsp') === 'bsp'
  }

  /** What the batches of all ranks carry on, rows in rank order, so that any number of ranks can go on. */
  *#gatherCarried(): RankTask<Record<string, NamedTensor>> {
    const { job, rank, graphs } = this.#parts
    const { train, evaluation } = graphs.carried
    const gathered: Record<string, NamedTensor> = {}
    // Between two evaluations what their batches carry on is free memory, with a row for each of the global batch.
    for (const [name, whole] of Object.entries(evaluation.written)) {
      // Sums of words: those of numbers would make 0 of −0.
      const words = new Int32Array(whole.buffer, whole.byteOffset, whole.length).fill(0)
      this.#ownRows(whole).set(train.written[name] as Flat)
      yield* wait(rank.comm.start({ kind: 'allReduce', data: words, op: 'sum' }, { waitsAtOnce: true, phase: 'checkpoint' }))
      gathered[name] = { shape: [job.globalBatchSize, whole.length / job.globalBatchSize], values: whole }
    }
    return gathered
  }

  /** This rank's part of what has a row for each row of the global batch. */
  #ownRows(whole: Flat): Flat {
    const { job, rank } = this.#parts
    const { start, end } = blockRange(job.globalBatchSize, rank.worldSize, rank.rank)
    const width = whole.length / job.globalBatchSize
    return whole.subarray(start * width, end * width)
  }

  /** Puts the state of a checkpoint into this rank's buffers, or hands it over for the store. */
  restore(dir: string): { readonly step: number; readonly state: StoreState | undefined } {
    const { job, rank, buffers, store, graphs } = this.#parts
    const saved = readManifest(dir)
    checkFits(saved, job, rank.worldSize, dir)
    const tensors = readTensors(dir, saved, rank.rank)
    const state = store && storeState(job, rank.worldSize, buffers.parameters)
    const target = state ?? { parameters: buffers.parameters, slots: buffers.slots }
    const best = rank.rank === 0 && Object.keys(tensors).some((name) => name.startsWith(bestPrefix)) ? buffers.best : undefined
    const take = (name: string, length: number): Flat => {
      const values = tensors[name]?.values ?? []
      if (values.length === length) return values as Flat
      throw new CheckpointError(
        `resume: ${name} has ${values.length} elements in ${dir} — expected ${length} (the checkpoint is of another model or optimiser)`,
      )
    }
    for (const [name, view] of Object.entries(flatViews(job.layout, target.parameters, target.slots, best))) {
      view.set(take(name, view.length))
    }
    const { train, evaluation } = graphs.carried
    for (const [name, view] of Object.entries(train.written)) {
      if (this.#goTogether) view.set(this.#ownRows(take(name, (evaluation.written[name] as Flat).length)))
      // What the warm-up has left there.
      else view.fill(0)
    }
    if (state) buffers.parameters.set(state.parameters)
    this.#evaluator.state = { ...(saved.state.score as unknown as ScoreState) }
    const clocks = tensors.clocks?.values
    const clock = clocks?.length === rank.worldSize ? (clocks[rank.rank] as number) : saved.step
    // Who had retired had done all steps of its run; this one may have more.
    const own = clock === retired ? ((saved.state.steps as number | undefined) ?? saved.step) : clock
    return { step: state ? Math.min(own, job.steps) : saved.step, state }
  }
}

/** What `latest.json` says of a job. */
export function manifest(job: TrainJob, step: number, worldSize: number, score: ScoreState): Omit<CheckpointManifest, 'version' | 'files'> {
  const { seed, globalBatchSize, driverPlan, steps } = job
  const state = { score, seed, globalBatchSize, driverPlan, steps }
  return { step, worldSize, programHash: learningHash(job.program), perRank: job.program.replicasDiffer, state }
}

/** Parameters, slots and the best parameters so far as named tensors, without padding or tail. */
export function namedTensors(
  layout: ParameterLayout,
  parameters: Flat,
  slots: readonly Flat[],
  best: Flat | undefined,
): Record<string, NamedTensor> {
  const shapes = new Map(layout.ranges.map(({ name, shape }) => [name, shape]))
  const shapeOf = (name: string) => shapes.get(name) ?? shapes.get(name.slice(name.indexOf('/') + 1))
  const views = flatViews(layout, parameters, slots, best)
  return Object.fromEntries(Object.entries(views).map(([name, values]) => [name, { shape: shapeOf(name) ?? [values.length], values }]))
}

const bestPrefix = 'best/'

function flatViews(layout: ParameterLayout, parameters: Flat, slots: readonly Flat[], best: Flat | undefined): Record<string, Flat> {
  const views = viewsByName(layout, parameters)
  const classes = slots.map((slot, index): [string, Flat] => [`slot${index}/`, slot])
  if (best) classes.push([bestPrefix, best])
  for (const [prefix, flat] of classes) for (const [name, view] of Object.entries(viewsByName(layout, flat))) views[prefix + name] = view
  return views
}

/** What a store says of itself, with room for the parameters that it does not hold: the frozen ones of `parameters`. */
function storeState(job: TrainJob, worldSize: number, parameters: Flat): StoreState {
  return {
    parameters: parameters.slice(),
    slots: makeSlots(job.optimizer, () => new Float32Array(job.layout.length)),
    clocks: new Int32Array(worldSize),
  }
}

function checkFits(saved: CheckpointManifest, job: TrainJob, worldSize: number, dir: string): void {
  const refuse = (what: string, expected: unknown, got: unknown, mend: string) =>
    new CheckpointError(`resume: ${dir} was written with ${what} ${expected} — got ${got} (${mend})`, { expected, got })
  if (saved.perRank && saved.worldSize !== worldSize) {
    throw refuse('workers', saved.worldSize, worldSize, `its ranks hold different replicas: use --workers ${saved.worldSize}`)
  }
  const { seed, globalBatchSize } = saved.state
  if (globalBatchSize !== job.globalBatchSize) throw refuse('globalBatchSize', globalBatchSize, job.globalBatchSize, 'use the same')
  if (seed !== job.seed) throw refuse('seed', seed, job.seed, 'use the same, so that the order of the rows goes on')
  if (saved.perRank !== job.program.replicasDiffer) {
    const kind = (differ: boolean) => (differ ? 'replicas that differ from rank to rank' : 'one replica for all ranks')
    throw refuse('a system that keeps', kind(saved.perRank), kind(job.program.replicasDiffer), 'use the system that wrote it')
  }
  requireSameLearning(saved, job.program, dir)
}
