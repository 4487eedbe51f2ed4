import { bindBatch } from '../graph/bind.ts'
import type { Graph } from '../graph/graph.ts'
import { choosePlan } from './choice/choose-plan.ts'
import type { DriverPlan } from './choice/driver-plan.ts'
import { compileOnnxRuntime } from './drivers/onnxruntime.ts'
import { compileReference } from './drivers/reference.ts'
import type { Executable } from './executable.ts'
import type { ArenaKind } from './ort.ts'
import { compilePartitioned } from './partition/partitioned.ts'

/**
 * What runs a graph. `onnxruntime`: ONNX Runtime alone. `onednn`: convolutions, large products of
 * matrices and what lies around them on oneDNN, the rest on ONNX Runtime.
 * `auto`: the faster of the two, by a measurement that is made once for each graph and machine. `reference`: the plain interpreter in float64
 * that the tests trust.
 */
export const driverNames = ['onnxruntime', 'onednn', 'auto', 'reference'] as const

/** Name of a driver. */
export type DriverName = (typeof driverNames)[number]

/** Options of {@link compile}. */
export interface CompileOptions {
  /** What `'batch'` becomes. One executable per distinct batch size. */
  readonly batchSize: number
  /** Default `'onnxruntime'`. */
  readonly driver?: DriverName
  /** An earlier choice (of another rank, or from a checkpoint), in place of `driver`. */
  readonly plan?: DriverPlan
  /** Threads inside one operator (default 1: parallelism comes from ranks). */
  readonly intraOpThreads?: number
  /**
   * Where intermediate values lie (default `own`). `shared` for the segments of a cut model, which run one after the other: together they
   * then need what the uncut model needs.
   */
  readonly arena?: ArenaKind
}

/** What a driver is told: the options with their defaults. */
export interface DriverOptions {
  readonly intraOpThreads: number
  readonly arena: ArenaKind
}

/**
 * Prepares a graph for one batch size.
 * @throws {ConfigError} CONFIG when the batch size is not a positive integer
 * @throws {BackendError} BACKEND when the native runtime refuses the graph, or oneDNN is asked for and not installed
 */
export async function compile(graph: Graph, options: CompileOptions): Promise<Executable> {
  const { batchSize, plan, intraOpThreads = 1, arena = 'own' } = options
  const bound = bindBatch(graph, batchSize)
  const { driver = 'onnxruntime' } = plan ?? options
  const chosen = driver === 'auto' ? await autoPlan(graph, batchSize, intraOpThreads) : (plan ?? { driver })
  switch (chosen.driver) {
    case 'reference':
      return compileReference(bound)
    case 'onednn':
      return compilePartitioned(bound, { intraOpThreads, arena, ...('products' in chosen ? { products: chosen.products } : {}) })
    case 'onnxruntime':
      return compileOnnxRuntime(bound, { intraOpThreads, arena })
  }
}

/** A segment of a cut graph whose edges have layouts must agree with the other segments, so it cannot choose for itself. */
async function autoPlan(graph: Graph, batchSize: number, intraOpThreads: number): Promise<DriverPlan> {
  const isTied = [...graph.inputs, ...graph.outputs].some(({ name }) => graph.layouts?.[name] !== undefined)
  return isTied ? { driver: 'onnxruntime' } : choosePlan(graph, { batchSize, intraOpThreads })
}
