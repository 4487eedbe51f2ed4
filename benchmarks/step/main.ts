/**
 * One training step (forward, backward, momentum update) against PyTorch, one thread each: the small cases of benchmarks/models, on ONNX Runtime alone.
 * See README.md.
 * @packageDocumentation
 */
import type { BenchContext, BenchRow } from '../../src/compare/bench.ts'
import { interleave, timePerIteration } from '../../src/compare/bench.ts'
import { PythonPeer } from '../../src/compare/python-peer.ts'
import { cases, type ModelCase } from '../models/cases.ts'
import { prepareStep } from '../models/training-step.ts'

const names: readonly string[] = ['mlp-784-512-256-10', 'mlp-4-64-64-2', 'lenet-5']
const install = 'pip install torch==2.13.0 numpy'
let peerVersions: Readonly<Record<string, string>> = {}

/** Threads that each side uses. */
export const threads = '1 each'

/** Versions of the peer, after a run. */
export function versions(): Readonly<Record<string, string>> {
  return peerVersions
}

/** Measures all cases. */
export async function run(context: BenchContext): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = []
  for (const each of cases.filter(({ name }) => names.includes(name))) {
    context.log(`step: ${each.name}, batch ${each.batchSize}`)
    rows.push(await measure(each, context))
  }
  return rows
}

async function measure(each: ModelCase, context: BenchContext): Promise<BenchRow> {
  const script = new URL('../models/peers/models.py', `file://${context.dir}/`)
  const started = await PythonPeer.start({ script, args: [each.name], install, signal: context.signal })
  const peer = 'missing' in started ? undefined : started
  try {
    await using ours = await prepareStep(each, { driver: 'onnxruntime', intraOpThreads: 1 })
    const count = context.quick ? Math.ceil(each.iterations / 10) : each.iterations
    const milliseconds = async (round: Promise<number>): Promise<number> => 1000 * (await round)
    const result = await interleave(
      () => milliseconds(timePerIteration(count, () => ours.run())),
      peer === undefined ? undefined : () => milliseconds(peer.seconds(count)),
      context.rounds ?? (context.quick ? 3 : 31),
    )
    peerVersions = { ...peerVersions, ...peer?.versions }
    const note = 'missing' in started ? { note: started.missing } : {}
    return { case: `${each.name}, batch ${each.batchSize}`, unit: 'ms/step', peerName: 'PyTorch', ...result, ...note }
  } finally {
    await peer?.close()
  }
}
