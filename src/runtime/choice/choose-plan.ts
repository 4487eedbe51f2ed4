import { bindBatch } from '../../graph/bind.ts'
import { valueTypes } from '../../graph/graph.ts'
import type { Graph, Node } from '../../graph/graph.ts'
import { arrayConstructor } from '../../memory/dtype.ts'
import { compileOnnxRuntime } from '../drivers/onnxruntime.ts'
import { findLibrary } from '../drivers/onednn/library.ts'
import { isAnchor } from '../drivers/onednn/rules/table.ts'
import type { Bound, Executable, TensorInfo } from '../executable.ts'
import { compilePartitioned } from '../partition/partitioned.ts'
import type { DriverPlan } from './driver-plan.ts'
import { planFile, planKey, readPlan, writePlan } from './plan-cache.ts'

/** Options of {@link choosePlan}. */
export interface ChoiceOptions {
  readonly batchSize: number
  /** Default 1. */
  readonly intraOpThreads?: number
  /** File in which plans are kept (default in the user's cache folder). */
  readonly cacheFile?: string
}

/** Where one of two is so much faster in its first run, nothing more is measured. */
const clearFactor = 3
const rounds = 7
const budgetMs = 400

/**
 * Chooses what runs a graph fastest: graphs with convolutions or large products of matrices are compiled both for ONNX Runtime alone and for
 * oneDNN beside it, and run in turn; the faster one is remembered for this machine. Other graphs, and machines without oneDNN, need no
 * measurement.
 *
 * Ranks that measure for themselves may choose differently: choose on one and hand its plan to the others. For a graph that is cut into
 * segments, choose with the uncut graph and give the plan to every segment, since segments must agree on how edges are stored.
 */
export async function choosePlan(graph: Graph, options: ChoiceOptions): Promise<DriverPlan> {
  const { batchSize, intraOpThreads = 1, cacheFile = planFile() } = options
  const bound = bindBatch(graph, batchSize)
  const library = findLibrary()
  const types = valueTypes(bound)
  const shapesOf = (node: Node): number[][] => node.inputs.map((id) => (types.get(id)?.shape ?? []).map(Number))
  if ('problem' in library || !bound.nodes.some((node) => isAnchor(node, shapesOf(node)))) return { driver: 'onnxruntime' }
  const key = planKey(bound, intraOpThreads, library.version)
  const known = readPlan(key, cacheFile)
  if (known !== undefined) return known
  const plan: DriverPlan = { driver: await faster(bound, intraOpThreads) }
  writePlan(key, plan, cacheFile)
  return plan
}

async function faster(graph: Graph, intraOpThreads: number): Promise<DriverPlan['driver']> {
  await using onednn = await compilePartitioned(graph, { intraOpThreads })
  await using onnxruntime = await compileOnnxRuntime(graph, { intraOpThreads, arena: true })
  const arrays = Object.fromEntries([...onednn.inputs, ...onednn.outputs].map((info) => [info.name, sampleOf(info)]))
  const candidates = [onednn, onnxruntime].map((executable: Executable) => executable.bind(arrays))
  const [dnn, ort] = candidates as [Bound, Bound]
  // The first runs touch memory; the seconds are fair.
  await ort.run()
  await dnn.run()
  let best = { dnn: await timeOf(dnn), ort: await timeOf(ort) }
  for (let round = 0, spent = 0; round < rounds && spent < budgetMs; round++) {
    if (best.ort > clearFactor * best.dnn || best.dnn > clearFactor * best.ort) break
    const next = { dnn: await timeOf(dnn), ort: await timeOf(ort) }
    spent += next.dnn + next.ort
    best = { dnn: Math.min(best.dnn, next.dnn), ort: Math.min(best.ort, next.ort) }
  }
  return best.dnn < best.ort ? 'onednn' : 'onnxruntime'
}

async function timeOf(bound: Bound): Promise<number> {
  const start = performance.now()
  await bound.run()
  return performance.now() - start
}

/** Ordinary numbers: zeros and denormals run at speeds of their own. Scalars and vectors hold ones, which nothing divides into infinity. */
function sampleOf({ dtype, length, shape }: TensorInfo) {
  const array = new (arrayConstructor(dtype))(length)
  if (dtype === 'float32') {
    if (shape.length < 2) array.fill(1)
    else for (let i = 0; i < length; i++) array[i] = ((i * 7919) % 1009) / 1009 - 0.5
  }
  return array
}
