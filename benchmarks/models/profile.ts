/**
 * Where the steps of models go on ONNX Runtime alone, by operator: `npx tsx benchmarks/models/profile.ts resnet-20,unet` (default: all).
 * One thread; forward and backward, without the update.
 * @packageDocumentation
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as ort from 'onnxruntime-node'
import { bindBatch } from '../../src/graph/bind.ts'
import { elementCount } from '../../src/graph/graph.ts'
import { simplify } from '../../src/graph/transforms/simplify.ts'
import { trainingGraph } from '../../src/nn/training-graph.ts'
import { lowerGraph } from '../../src/runtime/lower.ts'
import { cases, type ModelCase } from './cases.ts'

const runs = 3
const only = process.argv[2]?.split(',')

for (const each of cases) {
  if (only !== undefined && !only.includes(each.name)) continue
  const times = await profile(each)
  const total = times.reduce((sum, [, time]) => sum + time, 0)
  const shares = times.slice(0, 6).map(([operator, time]) => `${operator} ${((100 * time) / total).toFixed(0)} %`)
  console.log(`${each.name}: ${(total / runs / 1000).toFixed(0)} ms, ${shares.join(', ')}`)
}

/** Microseconds of all runs, by operator, the longest first. */
async function profile({ model, loss, batchSize, classes, ids = 1 }: ModelCase): Promise<readonly (readonly [string, number])[]> {
  const graph = simplify(bindBatch(trainingGraph(model(), loss), batchSize))
  const folder = mkdtempSync(join(tmpdir(), 'tutti-profile-'))
  try {
    const session = await ort.InferenceSession.create(lowerGraph(graph, { target: 'native' }).finish('step'), {
      intraOpNumThreads: 1,
      enableProfiling: true,
      profileFilePrefix: join(folder, 'step'),
    })
    const feeds = Object.fromEntries(
      graph.inputs.map(({ name, shape, dtype }) => {
        const extents = shape.map(Number)
        const below = name === 'target' ? classes : ids
        const values = Float32Array.from({ length: elementCount(extents) }, (_, j) => ((j * 7919) % 1009) / 1009)
        const numbers =
          dtype === 'int32' ? Int32Array.from(values, (value) => Math.floor(value * below)) : values.map((value) => value - 0.5)
        return [name, new ort.Tensor(dtype as 'float32', numbers as Float32Array, extents)]
      }),
    )
    for (let run = 0; run < runs; run++) await session.run(feeds)
    session.endProfiling()
    return byOperator(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface ProfileEvent {
  readonly cat: string
  readonly name: string
  readonly dur: number
  readonly args: { readonly op_name?: string }
}

function byOperator(folder: string): readonly (readonly [string, number])[] {
  const [file] = readdirSync(folder)
  const events = JSON.parse(readFileSync(join(folder, file as string), 'utf8')) as readonly ProfileEvent[]
  const times = new Map<string, number>()
  for (const { cat, name, dur, args } of events) {
    if (cat !== 'Node' || !name.endsWith('_kernel_time') || args.op_name === undefined) continue
    times.set(args.op_name, (times.get(args.op_name) ?? 0) + dur)
  }
  return [...times].sort(([, a], [, b]) => b - a)
}
