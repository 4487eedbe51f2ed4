import { availableParallelism, loadavg } from 'node:os'
import { bindBatch } from '../../graph/bind.ts'
import { valueTypes } from '../../graph/graph.ts'
import type { Graph, Node } from '../../graph/graph.ts'
import { arrayConstructor } from '../../memory/dtype.ts'
import { findLibrary } from '../drivers/onednn/library.ts'
import { isAnchor } from '../drivers/onednn/rules/table.ts'
import { compileOnnxRuntime } from '../drivers/onnxruntime.ts'
import type { Executable, TensorInfo } from '../executable.ts'
import { compilePartitioned } from '../partition/partitioned.ts'
import { productKey } from './driver-plan.ts'
import type { DriverPlan, Formulation } from './driver-plan.ts'
import { planFile, planKey, readPlan, writePlan } from './plan-cache.ts'

/** Options of {@link choosePlan}. */
export interface ChoiceOptions {
  readonly batchSize: number
  /** Default 1. */
  readonly intraOpThreads?: number
  /** File in which plans are kept (default in the user's cache folder). */
  readonly cacheFile?: string
  /** Whether what is measured is remembered (default: unless the machine is busy with other work). */
  readonly remember?: boolean
}

/** Where a candidate is so much slower than another in its first run, it is not run again. */
const clearFactor = 3
const rounds = 7
const budgetMs = 400
/** A first run touches memory, so that only later ones are fair; beside so many milliseconds it is nothing. */
const longMs = 4000
/** A product that leaves oneDNN ends one session and begins another: it must gain more than that costs. */
const leavingFactor = 1.1

/**
 * Chooses what runs a graph fastest, by measuring: first how each of its large products of matrices is computed, then whether the whole is
 * faster on oneDNN beside ONNX Runtime or on ONNX Runtime alone. What was measured is remembered for this machine, unless the machine was
 * busy. Graphs without convolutions or large products, and machines without oneDNN, need no measurement.
 *
 * Ranks that measure for themselves may choose differently: choose on one and hand its plan to the others. For a graph that is cut into
 * segments, choose with the uncut graph and give the plan to every segment, since segments must agree on how edges are stored.
 */
export async function choosePlan(graph: Graph, options: ChoiceOptions): Promise<DriverPlan> {
  const { batchSize, intraOpThreads = 1, cacheFile = planFile(), remember = !isBusy() } = options
  const bound = bindBatch(graph, batchSize)
  const library = findLibrary()
  if ('problem' in library) return { driver: 'onnxruntime' }
  const anchors = anchorsOf(bound)
  if (anchors.length === 0) return { driver: 'onnxruntime' }
  const key = planKey(bound, intraOpThreads, library.version)
  const known = readPlan(key, cacheFile)
  if (known !== undefined) return known
  const products: Record<string, Formulation> = {}
  for (const { node, shapes } of anchors) {
    if (!isProduct(node)) continue
    const product = productKey(node, shapes)
    products[product] ??= await formulationOf(node, shapes, { library: library.version, intraOpThreads, cacheFile, remember })
  }
  const plan = await fastest(bound, intraOpThreads, [{ driver: 'onednn', products }, { driver: 'onnxruntime' }])
  if (remember) writePlan(key, plan, cacheFile)
  return plan
}

interface Anchor {
  readonly node: Node
  readonly shapes: readonly (readonly number[])[]
}

function anchorsOf(graph: Graph): Anchor[] {
  const types = valueTypes(graph)
  return graph.nodes.flatMap((node) => {
    const shapes = node.inputs.map((id) => (types.get(id)?.shape ?? []).map(Number))
    return isAnchor(node, shapes) ? [{ node, shapes }] : []
  })
}

function isProduct({ op }: Node): boolean {
  return op === 'matmul' || op === 'batchMatmul'
}

/** How a product alone is computed fastest: its plan is that of a graph of one node. */
async function formulationOf(
  node: Node,
  shapes: Anchor['shapes'],
  { library, intraOpThreads, cacheFile, remember }: Required<Omit<ChoiceOptions, 'batchSize'>> & { readonly library: string },
): Promise<Formulation> {
  const product = productKey(node, shapes)
  const inputs = shapes.map((shape, i) => ({ name: `x${i}`, shape, dtype: 'float32' as const }))
  const only: Node = { ...node, id: 'y', inputs: inputs.map(({ name }) => name) }
  const outputs = [{ name: 'y', value: 'y', shape: node.shape, dtype: node.dtype }]
  const graph: Graph = { inputs, nodes: [only], outputs, layouts: {} }
  const key = planKey(graph, intraOpThreads, library)
  const known = readPlan(key, cacheFile)
  const asPlan = (formulation: Formulation): DriverPlan => ({ driver: 'onednn', products: { [product]: formulation } })
  const plan =
    known ?? (await fastest(graph, intraOpThreads, [asPlan('copied'), asPlan('packed'), { driver: 'onnxruntime' }], leavingFactor))
  if (known === undefined && remember) writePlan(key, plan, cacheFile)
  return plan.driver === 'onnxruntime' ? 'onnxruntime' : (plan.products?.[product] ?? 'copied')
}

/**
 * Runs the graph by each of the plans in turn, and compares the best times.
 * @param handicap - By how much ONNX Runtime alone must be faster
 */
async function fastest(graph: Graph, intraOpThreads: number, plans: readonly DriverPlan[], handicap = 1): Promise<DriverPlan> {
  const made: { readonly plan: DriverPlan; readonly executable: Executable; readonly run: () => Promise<void>; best: number }[] = []
  try {
    for (const plan of plans) {
      const { driver, products = {} } = plan
      const options = { intraOpThreads, arena: 'own' } as const
      const executable =
        driver === 'onednn' ? await compilePartitioned(graph, { ...options, products }) : await compileOnnxRuntime(graph, options)
      const arrays = Object.fromEntries([...executable.inputs, ...executable.outputs].map((info) => [info.name, sampleOf(info)]))
      const bound = executable.bind(arrays)
      made.push({ plan, executable, run: () => bound.run(), best: Number.POSITIVE_INFINITY })
    }
    const first: number[] = []
    for (const { run } of made) first.push(await timeOf(run))
    const isLong = Math.max(...first) > longMs
    if (isLong) for (const [i, candidate] of made.entries()) candidate.best = first[i] as number
    for (let round = 0, spent = 0; !isLong && round < rounds && spent < budgetMs; round++) {
      const least = Math.min(...made.map(({ best }) => best))
      for (const candidate of made) {
        if (round > 0 && candidate.best > clearFactor * least) continue
        const time = await timeOf(candidate.run)
        spent += time
        candidate.best = Math.min(candidate.best, time)
      }
    }
    const cost = ({ plan, best }: (typeof made)[number]): number => (plan.driver === 'onnxruntime' ? best * handicap : best)
    return made.reduce((a, b) => (cost(b) < cost(a) ? b : a)).plan
  } finally {
    for (const { executable } of made) await executable.close()
  }
}

async function timeOf(run: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await run()
  return performance.now() - start
}

/** What is measured beside other work is used once, and not believed for ever. */
function isBusy(): boolean {
  return (loadavg()[0] as number) > 1.5 * availableParallelism()
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
