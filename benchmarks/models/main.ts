/**
 * A training step of every model against PyTorch, with oneDNN and without, on one thread and on two. See README.md.
 * @packageDocumentation
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { BenchContext, BenchRow } from '../../src/compare/bench.ts'
import { interleave, timePerIteration } from '../../src/compare/bench.ts'
import { PythonPeer } from '../../src/compare/python-peer.ts'
import { GraphBuilder } from '../../src/graph/builder.ts'
import { compile } from '../../src/runtime/compile.ts'
import type { DriverName } from '../../src/runtime/compile.ts'
import { hasLibrary } from '../../src/runtime/drivers/onednn/library.ts'
import { cases, type ModelCase } from './cases.ts'
import { prepareStep } from './training-step.ts'

const only = process.env['TUTTI_BENCH_MODELS']?.split(',')
const install = 'pip install torch==2.13.0 numpy'
let peerVersions: Readonly<Record<string, string>> = {}

/** Threads that each side uses. */
export const threads = 'as each row says, the same on both sides'

/** Versions of the peer, after a run. */
export function versions(): Readonly<Record<string, string>> {
  return peerVersions
}

/** Measures all cases. */
export async function run(context: BenchContext): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = []
  const chosen = cases.filter(({ name }) => only === undefined || only.includes(name))
  for (const threadCount of [1, 2]) {
    const fastest = await fastestProduct(threadCount)
    for (const each of chosen) {
      context.log(`models: ${each.name}, ${threadCount} ${threadCount === 1 ? 'thread' : 'threads'}`)
      rows.push(...(await measure(each, threadCount, fastest, context)))
    }
    for (const driver of drivers) rows.push(geometricMean(rows, threadCount, driver))
  }
  for (const each of chosen) rows.push(await memoryRow(each, context))
  return rows
}

const drivers: readonly DriverName[] = hasLibrary() ? ['auto', 'onnxruntime'] : ['onnxruntime']
const title = (driver: DriverName): string => (driver === 'auto' ? 'with oneDNN' : 'without')
const suffix = (threadCount: number, driver: DriverName): string => `${threadCount} thr, ${title(driver)}`

async function measure(each: ModelCase, threadCount: number, fastest: number, context: BenchContext): Promise<BenchRow[]> {
  const script = new URL('./peers/models.py', `file://${context.dir}/`)
  const started = await PythonPeer.start({ script, args: [each.name], install, threads: threadCount, signal: context.signal })
  const peer = 'missing' in started ? undefined : started
  const rows: BenchRow[] = []
  try {
    const count = context.quick ? 1 : each.iterations
    const milliseconds = async (round: Promise<number>): Promise<number> => 1000 * (await round)
    for (const driver of drivers) {
      await using ours = await prepareStep(each, { driver, intraOpThreads: threadCount })
      const result = await interleave(
        () => milliseconds(timePerIteration(count, () => ours.run())),
        peer === undefined ? undefined : () => milliseconds(peer.seconds(count)),
        context.rounds ?? (context.quick ? 3 : 9),
      )
      const share = (3 * each.model().flopsPerSample * each.batchSize) / (result.ours * 1e6) / fastest
      const note = [`${(100 * share).toFixed(0)} % of the fastest matrix product`, ...('missing' in started ? [started.missing] : [])].join(
        '; ',
      )
      rows.push({ case: `${each.name}, ${suffix(threadCount, driver)}`, unit: 'ms/step', peerName: 'PyTorch', ...result, note })
    }
    peerVersions = { ...peerVersions, ...peer?.versions }
    return rows
  } finally {
    await peer?.close()
  }
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
  const ratios = rows.flatMap((row) => (row.case.endsWith(suffix(threadCount, driver)) && row.ratio !== null ? [row.ratio] : []))
  const mean = ratios.length === 0 ? null : Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length)
  const slower = ratios.filter((ratio) => ratio < 1).length
  const base = { unit: '×', ours: mean ?? 0, peer: mean === null ? null : 1, peerName: 'PyTorch', ratio: mean, spread: 0 }
  return { case: `geometric mean, ${suffix(threadCount, driver)}`, ...base, note: `${slower} of ${ratios.length} slower than PyTorch` }
}

/** Peak memory in fresh processes, less the imports. */
async function memoryRow(each: ModelCase, context: BenchContext): Promise<BenchRow> {
  const args = ['--import', 'tsx', join(context.dir, 'memory-case.ts'), each.name, hasLibrary() ? 'onednn' : 'onnxruntime']
  const own = existsSync(join(context.dir, 'memory-case.ts')) ? spawnSync(process.execPath, args, { encoding: 'utf8' }) : undefined
  if (own !== undefined && own.status !== 0)
    throw new Error(`memory: ${each.name} ended with ${own.status}: ${own.stderr.trim().split('\n').at(-1)}`)
  const ours = Number((JSON.parse(own?.stdout || '{"bytes":0}') as { bytes: number }).bytes) / 2 ** 20
  const script = new URL('./peers/models.py', `file://${context.dir}/`)
  const started = await PythonPeer.start({ script, args: [each.name], install, signal: context.signal })
  const peer = 'missing' in started ? null : Number((await started.round(5)).peak_bytes) / 2 ** 20
  if (!('missing' in started)) await started.close()
  const base = { unit: 'MiB', ours, peer, peerName: 'PyTorch', ratio: peer === null ? null : peer / ours, spread: 0 }
  return { case: `${each.name}, peak memory`, ...base, ...('missing' in started ? { note: started.missing } : {}) }
}
