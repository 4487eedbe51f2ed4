import { bindBatch } from '../graph/bind.ts'
import type { Graph } from '../graph/graph.ts'
import { compileOnnxRuntime } from './drivers/onnxruntime.ts'
import { compileReference } from './drivers/reference.ts'
import type { Executable } from './executable.ts'
import { compilePartitioned } from './partition/partitioned.ts'

/**
 * What runs a graph. `onnxruntime`: ONNX Runtime alone. `onednn`: convolutions and what lies around them on oneDNN, the rest on ONNX Runtime.
 * `reference`: the plain interpreter in float64 that the tests trust.
 */
export const driverNames = ['onnxruntime', 'onednn', 'reference'] as const

/** Name of a driver. */
export type DriverName = (typeof driverNames)[number]

/** Options of {@link compile}. */
export interface CompileOptions {
  /** What `'batch'` becomes. One executable per distinct batch size. */
  readonly batchSize: number
  /** Default `'onnxruntime'`. */
  readonly driver?: DriverName
  /** Threads inside one operator (default 1: parallelism comes from ranks). */
  readonly intraOpThreads?: number
  /**
   * Keep freed tensor memory for the next run (default true). A session of its own costs an arena; turn it off for the many small
   * segments of a cut model.
   */
  readonly arena?: boolean
}

const drivers = {
  onnxruntime: compileOnnxRuntime,
  onednn: compilePartitioned,
  reference: compileReference,
} satisfies Record<DriverName, (graph: Graph, options: DriverOptions) => Promise<Executable>>

/** What a driver is told: the options with their defaults. */
export interface DriverOptions {
  readonly intraOpThreads: number
  readonly arena: boolean
}

/**
 * Prepares a graph for one batch size.
 * @throws {ConfigError} CONFIG when the batch size is not a positive integer
 * @throws {BackendError} BACKEND when the native runtime refuses the graph
 */
export async function compile(graph: Graph, options: CompileOptions): Promise<Executable> {
  const { batchSize, driver = 'onnxruntime', intraOpThreads = 1, arena = true } = options
  return drivers[driver](bindBatch(graph, batchSize), { intraOpThreads, arena })
}
