/**
 * The compiled graphs of one rank and their bindings: one plan per distinct batch size, every input and output bound once to the arena, so that a step
 * hands over no new buffers.
 * @packageDocumentation
 */
import { blockRange } from '../fabric/communicator.ts'
import type { RankTask } from '../fabric/launch.ts'
import { bucket } from '../graph/transforms/bucket.ts'
import { sparseRows } from '../graph/transforms/sparse-rows.ts'
import {
  bindShape,
  edgePrefix,
  elementCount,
  type Graph,
  gradientPrefix,
  parameterPrefix,
  rowGradientPrefix,
  rowsPrefix,
} from '../graph/graph.ts'
import type { Kernels } from '../kernels/kernels.ts'
import type { NumericArray } from '../memory/dtype.ts'
import { modelFromJSON } from '../nn/model.ts'
import { maskInputs } from '../nn/forms.ts'
import { evaluationGraph, trainingGraph } from '../nn/training-graph.ts'
import { compile } from '../runtime/compile.ts'
import type { Executable } from '../runtime/executable.ts'
import type { ArenaKind } from '../runtime/ort.ts'
import type { CarriedState } from './carried-state.ts'
import type { Allocate, BatchBuffers, Staging, TrainBuffers } from './buffers.ts'
import type { TrainJob } from './job.ts'
import { tail, viewsByName } from './layout.ts'
import { appliesOwnGradient, type TouchedRows, touchedRows, withRowSums } from './row-gradients.ts'

type Flat = Float32Array<ArrayBuffer>
type Run = () => Promise<void>
type Named = Record<string, NumericArray>

/** The training graph as the Program runs it: whole, or one graph a bucket. */
export function trainingSegments(job: TrainJob): readonly Graph[] {
  const graph = trainingGraph(modelFromJSON(job.model), job.loss)
  const { buckets } = job.program
  return buckets ? bucket(graph, buckets).map((segment) => segment.graph) : [graph]
}

/**
 * What graphs write for this rank alone, for `rows` rows: values that one segment of a cut graph hands to a later one, gradients of tables as rows.
 * Both halves share them.
 */
export function edgeBuffers(segments: readonly Graph[], rows: number, allocate: Allocate): Named {
  const edges: Named = {}
  const isOwn = (name: string): boolean => [edgePrefix, rowsPrefix, rowGradientPrefix].some((prefix) => name.startsWith(prefix))
  for (const segment of segments) {
    for (const { name, shape, dtype } of sparseRows(segment, rows).graph.outputs) {
      if (!isOwn(name)) continue
      const length = elementCount(bindShape(shape, rows))
      edges[name] = allocate(dtype, length, name)
    }
  }
  return edges
}

/** Noise of one dropout for one batch, in the data segment (the row numbers that key it lie there). */
export interface MaskBuffer {
  readonly name: string
  readonly values: Flat
  readonly keep: number
  readonly width: number
}

/** Masks of a batch of `rows` rows. */
export function maskBuffers(job: TrainJob, rows: number, allocate: Allocate): MaskBuffer[] {
  return maskInputs(modelFromJSON(job.model)).map(({ name, rate, elementsPerSample: width }) => ({
    name,
    keep: 1 - rate,
    width,
    values: allocate('float32', rows * width, name),
  }))
}

/** First stream of the dropout masks: one each, in the order of the layers. */
const maskStream = 100

/** What a rank's graphs run on. */
export interface GraphMemory {
  readonly buffers: TrainBuffers
  readonly staging: Staging
  /** Edges by the number of rows of a micro-batch. */
  readonly edges: ReadonlyMap<number, Named>
  readonly masks: readonly MaskBuffer[]
  /** What batches hand on, in training and in evaluation. */
  readonly carried: { readonly train: CarriedState; readonly evaluation: CarriedState }
  readonly kernels: Kernels
  readonly dataKernels: Kernels
}

/** Rows of each micro-batch of a rank's batch. */
export function microRows(job: TrainJob, batchRows: number): number[] {
  return Array.from({ length: job.microBatches }, (_, micro) => {
    const { start, end } = blockRange(batchRows, job.microBatches, micro)
    return end - start
  })
}

/** Runs graphs on a rank's buffers. */
export class TrainGraphs {
  readonly #job: TrainJob
  readonly #memory: GraphMemory
  readonly #executables = new Map<string, Executable>()
  /** [half of the double buffer][micro-batch][segment] */
  readonly #runs: Run[][][] = []
  #scoreReplica: Run = notOpen
  #scoreCopy: Run = notOpen
  /** What the training loss is divided by. */
  readonly divisor: Flat
  /** Σ w·ℓ of the last evaluation pass. */
  readonly evaluationLoss: Flat
  /** What an update visits row by row, of the gradients of the last run. */
  readonly touched: TouchedRows[] = []

  private constructor(job: TrainJob, memory: GraphMemory) {
    this.#job = job
    this.#memory = memory
    const { scalars } = memory.buffers
    this.divisor = scalars.subarray(0, 1)
    this.evaluationLoss = scalars.subarray(1, 2)
  }

  /** What batches hand on; see {@link CarriedState}. */
  get carried(): GraphMemory['carried'] {
    return this.#memory.carried
  }

  get dataKernels(): Kernels {
    return this.#memory.dataKernels
  }

  /** Compiles and binds everything; yields while the native runtime builds its sessions. */
  static *open(job: TrainJob, memory: GraphMemory): RankTask<TrainGraphs> {
    const graphs = new TrainGraphs(job, memory)
    const segments = trainingSegments(job)
    const isOwn = appliesOwnGradient(job)
    for (const batch of memory.staging.train) {
      const half: Run[][] = []
      for (const [micro, rows] of microRows(job, batch.rows.length).entries()) {
        const named = graphs.#trainingArrays(batch, micro, rows)
        const runs: Run[] = []
        for (const [index, segment] of segments.entries()) {
          const { graph, uses } = sparseRows(segment, rows)
          const executable = yield* graphs.#compiled(`${index}/${rows}`, graph, rows, segments.length > 1 ? 'shared' : 'own')
          const bound = executable.bind(named)
          if (isOwn && graphs.#runs.length === 0) graphs.touched.push(...touchedRows(uses, named, job.layout, job.optimizer))
          runs.push(withRowSums(() => bound.run(), uses, named, memory.kernels, graphs.touched))
        }
        half.push(runs)
      }
      graphs.#runs.push(half)
    }
    yield* graphs.#openScoring()
    return graphs
  }

  /** Forward and backward of the batch in one half of the double buffer: all of it, or one segment. Micro-batches are added in order. */
  async run(half: number, segment: number | undefined, step: number): Promise<void> {
    if (segment === undefined || segment === 0) this.#fillMasks(half, step)
    const micros = this.#runs[half] as Run[][]
    if (segment !== undefined) return micros[0]![segment]!()
    for (let micro = 0; micro < micros.length; micro++) {
      for (const run of micros[micro] as Run[]) await run()
      const { micro: part, gradients } = this.#memory.buffers
      if (micro > 0 && part) this.#memory.kernels.reduce('sum', gradients, part, gradients)
    }
  }

  /** Scores the evaluation batch with this rank's parameters, or with those in `scored`. */
  evaluate(copy: boolean): Promise<void> {
    return copy ? this.#scoreCopy() : this.#scoreReplica()
  }

  async close(): Promise<void> {
    for (const executable of this.#executables.values()) await executable.close()
    this.#executables.clear()
  }

  #trainingArrays(batch: BatchBuffers, micro: number, rows: number): Named {
    const { layout, model } = this.#job
    const { buffers, masks, edges, carried } = this.#memory
    const start = blockRange(batch.rows.length, this.#job.microBatches, micro).start
    const part = <A extends NumericArray>(array: A) => {
      const width = array.length / batch.rows.length
      return array.subarray(start * width, (start + rows) * width) as A
    }
    const gradients = micro === 0 || buffers.micro === undefined ? buffers.gradients : buffers.micro
    const loss = layout.length + tail.loss
    return {
      ...withPrefix(parameterPrefix, viewsByName(layout, buffers.parameters)),
      ...withPrefix(gradientPrefix, viewsByName(layout, gradients)),
      ...Object.fromEntries(masks.map(({ name, values }) => [name, part(values)])),
      ...edges.get(rows),
      ...carried.train.arrays(start, start + rows, batch.rows.length),
      [inputName(model)]: part(batch.features),
      target: part(batch.target),
      weight: part(batch.weight),
      divisor: this.divisor,
      loss: gradients.subarray(loss, loss + 1),
    }
  }

  *#openScoring(): RankTask {
    const { layout, model, loss, metric } = this.#job
    const { staging, buffers, carried } = this.#memory
    const { rows, features, target, weight } = staging.evaluation
    const scorer = yield* this.#compiled('evaluation', evaluationGraph(modelFromJSON(model), loss, metric), rows.length, 'own')
    const bind = (flat: Flat): Run => {
      const named = {
        ...withPrefix(parameterPrefix, viewsByName(layout, flat)),
        [inputName(model)]: features,
        target,
        weight,
        loss: this.evaluationLoss,
        tally: buffers.tally,
        ...carried.evaluation.arrays(0, rows.length, rows.length),
      }
      const bound = scorer.bind(named)
      return () => bound.run()
    }
    this.#scoreReplica = bind(buffers.parameters)
    this.#scoreCopy = bind(buffers.scored)
  }

  *#compiled(key: string, graph: Graph, batchSize: number, arena: ArenaKind): RankTask<Executable> {
    const found = this.#executables.get(key)
    if (found) return found
    const { intraOpThreads, driverPlan: plan } = this.#job
    const made = (yield compile(graph, { batchSize, intraOpThreads, plan, arena })) as Executable
    this.#executables.set(key, made)
    return made
  }

  #fillMasks(half: number, step: number): void {
    const { staging, masks, dataKernels } = this.#memory
    const { rows } = staging.train[half as 0 | 1]
    for (const [index, { values, width, keep }] of masks.entries()) {
      dataKernels.dropoutMask(this.#job.seed, maskStream + index, step, rows, width, keep, values)
    }
  }
}

function notOpen(): Promise<void> {
  return Promise.reject(new Error('graphs are not open'))
}

function inputName(model: TrainJob['model']): string {
  return Object.keys(model.inputs)[0] as string
}

function withPrefix(prefix: string, arrays: Named): Named {
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [prefix + name, array]))
}
