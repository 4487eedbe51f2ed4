/**
 * One training step (forward, backward, momentum update) against PyTorch, one thread each. See README.md.
 * @packageDocumentation
 */
import type { BenchContext, BenchRow } from '../../src/compare/bench.ts'
import { interleave, timePerIteration } from '../../src/compare/bench.ts'
import { PythonPeer } from '../../src/compare/python-peer.ts'
import { elementsPerSample } from '../../src/graph/graph.ts'
import { kernelsFor } from '../../src/kernels/load.ts'
import { allocationBytes } from '../../src/memory/handle.ts'
import { Segment } from '../../src/memory/segment.ts'
import { initialise } from '../../src/nn/initialise.ts'
import type { Model } from '../../src/nn/model.ts'
import { lenet5 } from '../../src/nn/models/lenet5.ts'
import { mlp } from '../../src/nn/models/mlp.ts'
import { parameterLength } from '../../src/nn/parameter.ts'
import { trainingGraph } from '../../src/nn/training-graph.ts'
import { u } from '../../src/rng.ts'
import { compile } from '../../src/runtime/compile.ts'

interface Case {
  readonly name: string
  readonly model: Model
  readonly batchSize: number
  /** Steps in one round: about a tenth of a second. */
  readonly iterations: number
}

const cases: readonly Case[] = [
  { name: 'mlp-784-512-256-10', model: mlp([784, 512, 256, 10]), batchSize: 128, iterations: 20 },
  { name: 'mlp-4-64-64-2', model: mlp([4, 64, 64, 2]), batchSize: 32, iterations: 300 },
  { name: 'lenet-5', model: lenet5(), batchSize: 64, iterations: 15 },
]

const install = 'pip install torch==2.13.0'
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
  for (const each of cases) {
    context.log(`step: ${each.name}, batch ${each.batchSize}`)
    rows.push(await measure(each, context))
  }
  return rows
}

async function measure({ name, model, batchSize, iterations }: Case, context: BenchContext): Promise<BenchRow> {
  const script = new URL('./peers/step.py', `file://${context.dir}/`)
  const started = await PythonPeer.start({ script, args: [name], install, signal: context.signal })
  const peer = 'missing' in started ? undefined : started
  try {
    await using ours = await prepareStep(model, batchSize)
    const count = context.quick ? Math.ceil(iterations / 10) : iterations
    const milliseconds = async (round: Promise<number>): Promise<number> => 1000 * (await round)
    const result = await interleave(
      () => milliseconds(timePerIteration(count, ours.step)),
      peer === undefined ? undefined : () => milliseconds(peer.seconds(count)),
      context.rounds ?? (context.quick ? 3 : 31),
    )
    peerVersions = { ...peerVersions, ...peer?.versions }
    const note = 'missing' in started ? { note: started.missing } : {}
    return { case: `${name}, batch ${batchSize}`, unit: 'ms/step', peerName: 'PyTorch', ...result, ...note }
  } finally {
    await peer?.close()
  }
}

/** A step over one segment: parameters, gradients and momentum are one flat range each. */
async function prepareStep(model: Model, batchSize: number): Promise<AsyncDisposable & { step(): Promise<void> }> {
  const [input, shape] = Object.entries(model.inputs)[0] as [string, readonly number[]]
  const features = batchSize * elementsPerSample(shape)
  const segment = Segment.create(4 * allocationBytes('float32', model.numParameters + features) + 65_536, 'step')
  const [parameters, gradients, velocity] = ['parameters', 'gradients', 'velocity'].map((label) =>
    segment.allocate('float32', model.numParameters, label),
  ) as [Float32Array<ArrayBuffer>, Float32Array<ArrayBuffer>, Float32Array<ArrayBuffer>]
  const x = segment.allocate('float32', features, 'input')
  const target = segment.allocate('int32', batchSize, 'target')
  for (let i = 0; i < features; i++) x[i] = u(1, 1, 0, i)
  const classes = Number(model.graph.outputs[0]?.shape[1])
  for (let i = 0; i < batchSize; i++) target[i] = i % classes
  initialise(model.parameters, 1, views(model, parameters, ''))
  const executable = await compile(trainingGraph(model, 'cross-entropy'), { batchSize })
  const bound = executable.bind({
    [input]: x,
    target,
    weight: segment.allocate('float32', batchSize, 'weight').fill(1),
    divisor: segment.allocate('float32', 1, 'divisor').fill(batchSize),
    loss: segment.allocate('float32', 1, 'loss'),
    ...views(model, parameters, 'param:'),
    ...views(model, gradients, 'gradient:'),
  })
  const kernels = kernelsFor(segment)
  const step = async (): Promise<void> => {
    await bound.run()
    kernels.momentum(parameters, gradients, velocity, 0.01, 0.9, 0, false)
  }
  const close = async (): Promise<void> => {
    await executable.close()
    segment.close()
  }
  return { step, [Symbol.asyncDispose]: close }
}

/** The parameters' parts of a flat array, in the model's order. */
function views(model: Model, flat: Float32Array<ArrayBuffer>, prefix: string): Record<string, Float32Array<ArrayBuffer>> {
  let offset = 0
  return Object.fromEntries(
    model.parameters.map((spec) => {
      const start = offset
      offset += parameterLength(spec)
      return [prefix + spec.name, flat.subarray(start, offset)]
    }),
  )
}
