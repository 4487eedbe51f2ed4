/**
 * A training step of every model against PyTorch and tfjs, with oneDNN and without, on one thread and on two, and the memory that it needs.
 * See README.md.
 * @packageDocumentation
 */
import type { BenchContext, BenchRow } from '../../src/compare/bench.ts'
import { interleave, timePerIteration } from '../../src/compare/bench.ts'
import { GraphBuilder } from '../../src/graph/builder.ts'
import { compile } from '../../src/runtime/compile.ts'
import type { DriverName } from '../../src/runtime/compile.ts'
import { hasLibrary } from '../../src/runtime/drivers/onednn/library.ts'
import { cases, type ModelCase } from './cases.ts'
import { cutRows } from './cut-rows.ts'
import { drivers, suffix } from './drivers.ts'
import { imagenetCases } from './imagenet-cases.ts'
import { memoryRows } from './memory-rows.ts'
import { type Peer, startTfjs, startTorch } from './peers.ts'
import { prepareStep, type TrainingStep } from './training-step.ts'

const only = process.env['TUTTI_BENCH_MODELS']?.split(',')
/** Full-size models of a first look. */
const quickFullSize: readonly string[] = ['mobilenet-v2']
let peerVersions: Readonly<Record<string, string>> = {}

/** Threads that each side uses. */
export const threads = 'as each row says, the same on both sides'

/** Versions of the peers, after a run. */
export function versions(): Readonly<Record<string, string>> {
  return peerVersions
}

/** Measures all cases: steps of the usual sizes, their memory, what cutting costs, and at last the full sizes. */
export async function* run(context: BenchContext): AsyncGenerator<BenchRow> {
  const isChosen = ({ name }: ModelCase): boolean => only === undefined || only.includes(name)
  const chosen = cases.filter(isChosen)
  const fullSize = imagenetCases.filter(
    (each) => isChosen(each) && (only !== undefined || !context.quick || quickFullSize.includes(each.name)),
  )
  for (const threadCount of [1, 2]) {
    if (chosen.length === 0) continue
    const fastest = await fastestProduct(threadCount)
    const rows: BenchRow[] = []
    for (const each of chosen) {
      const own = await stepRows(each, threadCount, fastest, context)
      rows.push(...own)
      yield* own
    }
    for (const driver of drivers) yield geometricMean(rows, threadCount, driver)
  }
  for (const each of chosen) yield* await memoryRows(each, context)
  for (const each of chosen) yield* await cutRows(each, context)
  if (fullSize.length === 0) return
  const fastest = await fastestProduct(1)
  for (const each of fullSize) {
    yield* await stepRows(each, 1, fastest, context)
    yield* await memoryRows(each, context)
  }
}

async function stepRows(each: ModelCase, threadCount: number, fastest: number, context: BenchContext): Promise<BenchRow[]> {
  context.log(`models: ${each.name}, ${threadCount} ${threadCount === 1 ? 'thread' : 'threads'}`)
  const torch = await startTorch(each.name, context, threadCount)
  const tfjs = each.isFullSize || threadCount > 1 ? undefined : await startTfjs(each.name, context)
  const model = each.model()
  try {
    if (each.isFullSize && !('missing' in torch)) await compareParameters(each.name, model.numParameters, torch)
    const rows: BenchRow[] = []
    for (const driver of drivers) {
      await using ours = await prepareStep(each, { driver, intraOpThreads: threadCount })
      const count = context.quick ? 1 : each.iterations
      const rounds = context.rounds ?? (context.quick || each.isFullSize ? 3 : 9)
      const result = await compareWith(torch, ours, { ours: count, peer: count, rounds })
      const share = (3 * model.flopsPerSample * each.batchSize) / (result.ours * 1e6) / fastest
      const isFirst = driver === drivers[0]
      const note = [
        `${(100 * share).toFixed(0)} % of the fastest matrix product`,
        ...('missing' in torch ? [torch.missing] : []),
        ...(isFirst && tfjs !== undefined && 'missing' in tfjs ? [tfjs.missing] : []),
      ].join('; ')
      const base = { case: `${each.name}, ${suffix(threadCount, driver)}`, unit: 'ms/step' }
      rows.push({ ...base, peerName: 'PyTorch', ...result, note })
      if (!isFirst || tfjs === undefined || 'missing' in tfjs) continue
      // Its steps take a tenth of a second to many seconds.
      const second = await compareWith(tfjs, ours, { ours: count, peer: 1, rounds: Math.min(rounds, 3) })
      rows.push({ ...base, peerName: 'tfjs Wasm', ...second })
    }
    return rows
  } finally {
    for (const peer of [torch, tfjs]) {
      if (peer === undefined || 'missing' in peer) continue
      peerVersions = { ...peerVersions, ...peer.versions }
      await peer.close()
    }
  }
}

function compareWith(peer: Peer, ours: TrainingStep, counts: { readonly ours: number; readonly peer: number; readonly rounds: number }) {
  const milliseconds = async (round: Promise<number>): Promise<number> => 1000 * (await round)
  return interleave(
    () => milliseconds(timePerIteration(counts.ours, () => ours.run())),
    'missing' in peer ? undefined : () => milliseconds(peer.seconds(counts.peer)),
    counts.rounds,
  )
}

/** @throws {Error} when the peer's model is another one than ours */
async function compareParameters(name: string, ours: number, peer: Exclude<Peer, { readonly missing: string }>): Promise<void> {
  const { parameters } = await peer.round(1)
  if (parameters !== ours)
    throw new Error(`models: ${name} is not the peer's model — expected ${ours} parameters, got ${String(parameters)}`)
}

/** GFLOP/s of a product of two matrices of 1024 × 1024 on the faster driver. */
async function fastestProduct(intraOpThreads: number): Promise<number> {
  const n = 1024
  const builder = new GraphBuilder()
  const [a, b] = [builder.input('a', [n, n], 'float32'), builder.input('b', [n, n], 'float32')]
  builder.output('c', builder.add('matmul', [a, b], { transposeA: false, transposeB: false }))
  const graph = builder.build()
  const arrays = Object.fromEntries(['a', 'b', 'c'].map((name) => [name, new Float32Array(n * n).fill(0.5)]))
  const rates = []
  for (const driver of hasLibrary() ? (['onednn', 'onnxruntime'] as const) : (['onnxruntime'] as const)) {
    await using executable = await compile(graph, { batchSize: 1, driver, intraOpThreads })
    const bound = executable.bind(arrays)
    for (let i = 0; i < 7; i++) rates.push((2 * n ** 3) / (await timePerIteration(3, () => bound.run())) / 1e9)
  }
  return Math.max(...rates)
}

function geometricMean(rows: readonly BenchRow[], threadCount: number, driver: DriverName): BenchRow {
  const ratios = rows.flatMap(({ case: name, peerName, ratio }) =>
    name.endsWith(suffix(threadCount, driver)) && peerName === 'PyTorch' && ratio !== null ? [ratio] : [],
  )
  const mean = ratios.length === 0 ? null : Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length)
  const slower = ratios.filter((ratio) => ratio < 1).length
  const base = { unit: '×', ours: mean ?? 0, peer: mean === null ? null : 1, peerName: 'PyTorch', ratio: mean, spread: 0 }
  return { case: `geometric mean, ${suffix(threadCount, driver)}`, ...base, note: `${slower} of ${ratios.length} slower than PyTorch` }
}
