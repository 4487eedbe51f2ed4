import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BackendError } from '../../errors.ts'
import { bindBatch } from '../../graph/bind.ts'
import { GraphBuilder } from '../../graph/builder.ts'
import type { Value } from '../../graph/builder.ts'
import { grad } from '../../graph/grad.ts'
import { elementCount } from '../../graph/graph.ts'
import type { Graph } from '../../graph/graph.ts'
import { cut } from '../../graph/transforms/cut.ts'
import type { NumericArray } from '../../memory/dtype.ts'
import * as nn from '../../nn/index.ts'
import { u } from '../../rng.ts'
import { evaluate } from '../drivers/reference.ts'
import { hasLibrary } from '../drivers/onednn/library.ts'
import { assignSides } from './assign.ts'
import { planParts } from './parts.ts'
import { compilePartitioned } from './partitioned.ts'

const options = { intraOpThreads: 1 }

/** What a random net does with its image. */
const layers = [
  'conv',
  'strided',
  'grouped',
  'dilated',
  'transposed',
  'norm',
  'tanh',
  'relu',
  'maxPool',
  'avgPool',
  'residual',
  'concat',
  'slice',
  'pad',
  'scale',
] as const
type Layer = (typeof layers)[number]

const unit = { stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1 }
const pool = { kernel: [2, 2], stride: [2, 2], padding: [0, 0] }

/** A loss over a random net on `[batch, channels, 9, 8]`, and its gradients. */
function randomNet(names: readonly Layer[], channels: number): Graph {
  const builder = new GraphBuilder()
  const wanted: Value[] = []
  const parameter = (shape: readonly number[]): Value => {
    const value = builder.input(`param:${wanted.length}`, shape, 'float32')
    wanted.push(value)
    return value
  }
  const filter = (to: number, from: number): Value => parameter([to, from, 3, 3])
  let h = builder.input('image', ['batch', channels, 7, 6], 'float32')
  for (const name of names) {
    const c = h.shape[1] as number
    const isSmall = (h.shape.slice(2) as number[]).some((extent) => extent < 3)
    switch (name) {
      case 'conv':
        h = builder.add('relu', [builder.add('conv', [h, filter(19, c), parameter([19])], unit)], {})
        break
      case 'strided':
        h = builder.add('conv', [h, filter(16, c)], { ...unit, stride: [2, 1] })
        break
      case 'grouped':
        if (c % 2 === 0) h = builder.add('conv', [h, filter(c, c / 2), parameter([c])], { ...unit, groups: 2 })
        break
      case 'dilated':
        h = builder.add('conv', [h, filter(4, c)], { ...unit, padding: [2, 2], dilation: [2, 2] })
        break
      case 'transposed': {
        const size = (h.shape.slice(2) as number[]).map((extent) => 2 * extent)
        if (size.every((extent) => extent < 15))
          h = builder.add('convInputGradient', [parameter([c, 6, 2, 2]), h], { ...unit, stride: [2, 2], padding: [0, 0], size })
        break
      }
      case 'norm':
        h = builder.add('batchNormTrain', [h, parameter([c]), parameter([c])], { epsilon: 1e-2 })
        break
      case 'maxPool':
      case 'avgPool':
        if (!isSmall) h = builder.add(name, [h], pool)
        break
      case 'residual':
        h = builder.add('add', [builder.add('conv', [h, filter(c, c)], unit), h], {})
        break
      case 'concat':
        h = builder.add('concat', [h, builder.add('conv', [h, filter(16, c)], unit)], { dim: 1 })
        break
      case 'slice':
        if (c > 16) h = builder.add('slice', [h], { dim: 1, start: c - 16, end: c })
        break
      case 'pad':
        h = builder.add('pad', [h], { before: [0, 0, 0, 1], after: [0, 16, 1, 0] })
        break
      case 'scale':
        h = builder.add('add', [builder.add('scale', [h], { factor: 0.5 }), parameter([c, 1, 1])], {})
        break
      default:
        h = builder.add(name, [h], {})
    }
  }
  const flat = (h.shape.slice(1) as number[]).reduce((product, extent) => product * extent, 1)
  const rows = builder.add('reshape', [h], { shape: ['batch', flat] })
  const scores = builder.add('matmul', [rows, parameter([flat, 3])], { transposeA: false, transposeB: false })
  const loss = builder.add(
    'reduceSum',
    [builder.add('mul', [builder.add('mul', [scores, scores], {}), builder.input('weights', ['batch', 3], 'float32')], {})],
    { dims: [0, 1] },
  )
  builder.output('image-after', h)
  builder.output('loss', loss)
  grad(builder, loss, wanted).forEach((gradient, i) => {
    builder.output(`gradient:${i}`, gradient)
  })
  return bindBatch(builder.build(), 2)
}

function feedsOf(graph: Graph): Record<string, Float64Array> {
  const draw = (i: number, j: number): number => Math.fround(u(4, 79, i, j) - 0.5)
  return Object.fromEntries(
    graph.inputs.map(({ name, shape }, i) => [name, Float64Array.from({ length: elementCount(shape.map(Number)) }, (_, j) => draw(i, j))]),
  )
}

async function run(graph: Graph, feeds: Record<string, Float64Array>): Promise<Record<string, Float32Array>> {
  await using executable = await compilePartitioned(graph, options)
  const arrays = Object.fromEntries(executable.inputs.map(({ name }) => [name, Float32Array.from(feeds[name] ?? [])]))
  const outputs = Object.fromEntries(executable.outputs.map(({ name, length }) => [name, new Float32Array(length)]))
  const bound = executable.bind({ ...arrays, ...outputs })
  await bound.run()
  const first = Object.fromEntries(Object.entries(outputs).map(([name, values]) => [name, values.slice()]))
  await bound.run()
  expect(outputs).toEqual(first)
  return outputs
}

function expectClose(got: Record<string, Float32Array>, expected: Record<string, Float64Array>): void {
  for (const [name, values] of Object.entries(expected)) {
    const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0.1)
    for (const [i, value] of values.entries())
      expect(Math.abs((got[name]?.[i] as number) - value) / scale, `${name} ${i}`).toBeLessThan(2e-4)
  }
}

describe.runIf(hasLibrary())('a graph over two drivers', () => {
  test('random nets: values and gradients equal the float64 reference', async () => {
    const nets = fc.tuple(fc.array(fc.constantFrom(...layers), { minLength: 1, maxLength: 7 }), fc.constantFrom(3, 16, 20))
    await fc.assert(
      fc.asyncProperty(nets, async ([names, channels]) => {
        const graph = randomNet(names, channels)
        const feeds = feedsOf(graph)
        expectClose(await run(graph, feeds), evaluate(graph, feeds))
      }),
      { numRuns: 15, seed: 7 },
    )
  })

  test('of equal pixels in a window the first gets the gradient', async () => {
    const builder = new GraphBuilder()
    const image = builder.input('image', [1, 1, 4, 4], 'float32')
    const filter = builder.input('filter', [16, 1, 1, 1], 'float32')
    const h = builder.add('conv', [image, filter], { ...unit, padding: [0, 0] })
    const pooled = builder.add('maxPool', [h], pool)
    const loss = builder.add('reduceSum', [pooled], { dims: [0, 1, 2, 3] })
    const [gradient] = grad(builder, loss, [image]) as [Value]
    builder.output('gradient', gradient)
    const got = await run(builder.build(), { image: new Float64Array(16).fill(2), filter: new Float64Array(16).fill(1) })
    expect([...(got.gradient as Float32Array)]).toEqual([16, 0, 16, 0, 0, 0, 0, 0, 16, 0, 16, 0, 0, 0, 0, 0])
  })

  test('a value may be handed back twice, and an input as it came', async () => {
    const builder = new GraphBuilder()
    const image = builder.input('image', [1, 2, 3, 3], 'float32')
    const classes = builder.input('classes', [2], 'int32')
    const y = builder.add(
      'relu',
      [builder.add('conv', [image, builder.input('filter', [3, 2, 1, 1], 'float32')], { ...unit, padding: [0, 0] })],
      {},
    )
    builder.output('y', y)
    builder.output('again', y)
    builder.output('image', image)
    builder.output('classes', classes)
    await using executable = await compilePartitioned(builder.build(), options)
    const arrays = {
      image: new Float32Array(18).fill(1),
      filter: Float32Array.from([1, 1, -1, 0, 2, 1]),
      y: new Float32Array(27),
      again: new Float32Array(27),
      classes: Int32Array.from([4, 5]),
    }
    // An output of the same name as an input is the same array.
    await executable.bind(arrays).run()
    expect([...arrays.y]).toEqual([...new Array<number>(9).fill(2), ...new Array<number>(9).fill(0), ...new Array<number>(9).fill(3)])
    expect(arrays.again).toEqual(arrays.y)
    expect([...arrays.classes]).toEqual([4, 5])
  })

  test('a convolutional net runs in one piece between what starts the walk back and the sum of the loss', () => {
    const graph = randomNet(['conv', 'norm', 'relu', 'residual', 'maxPool', 'conv', 'avgPool'], 16)
    expect(planParts(graph, assignSides(graph)).map(({ side }) => side)).toEqual(['onnxruntime', 'onednn', 'onnxruntime'])
  })

  test('the segments of a cut graph give the bits of the whole', async () => {
    const net = nn.model('net', { image: [3, 8, 8] }, ({ image }) => {
      const first = nn.relu(nn.batchNorm(nn.conv2d(image, 16, 3, { name: 'c1', padding: 1 })))
      const second = nn.relu(nn.add(nn.batchNorm(nn.conv2d(first, 16, 3, { name: 'c2', padding: 1, bias: false })), first))
      return nn.dense(nn.flatten(nn.avgPool(nn.conv2d(nn.maxPool(second, 2), 20, 3, { name: 'c3', padding: 1 }), 2)), 10, { name: 'out' })
    })
    const whole = nn.trainingGraph(net, 'cross-entropy')
    const arrays = (): Record<string, NumericArray> => ({})
    const runAll = async (graphs: readonly Graph[], known: Record<string, NumericArray>): Promise<Record<string, NumericArray>> => {
      for (const graph of graphs) {
        await using executable = await compilePartitioned(bindBatch(graph, 4), options)
        for (const { name, dtype, length, shape } of [...executable.inputs, ...executable.outputs]) {
          const draw = (j: number): number => (shape.length < 2 ? 1 : u(5, 80, name.length, j) - 0.5)
          known[name] ??= dtype === 'int32' ? new Int32Array(length) : Float32Array.from({ length }, (_, j) => draw(j))
        }
        await executable.bind(known).run()
      }
      return known
    }
    const [expected, got] = [
      await runAll([whole], arrays()),
      await runAll(
        cut(whole, ['c2', 'c3']).segments.map((each) => each.graph),
        arrays(),
      ),
    ]
    for (const { name } of whole.outputs) expect(got[name], name).toEqual(expected[name])
  })

  test('computes what the reference does where nothing is kept for a way back', async () => {
    const conv = (x: nn.Tensor, name: string): nn.Tensor => nn.conv2d(x, 4, 3, { padding: 1, name })
    const forms: readonly ((h: nn.Tensor) => nn.Tensor)[] = [
      (h) => nn.relu(nn.add(h, conv(h, 'a'))),
      (h) => nn.relu(nn.add(h, nn.batchNorm(conv(nn.relu(nn.batchNorm(conv(h, 'a'), { name: 'n1' })), 'b'), { name: 'n2' }))),
      (h) => nn.tanh(nn.mul(nn.sigmoid(conv(h, 'a')), h)),
      (h) => nn.relu(nn.sub(conv(h, 'a'), h)),
    ]
    for (const form of forms) {
      const model = nn.model('forward', { image: [2, 7, 6] }, ({ image }) => nn.flatten(conv(form(nn.relu(conv(image, 'stem'))), 'last')))
      const graph = bindBatch(nn.inferenceGraph(model), 3)
      const feeds = Object.fromEntries(
        graph.inputs.map(({ name, shape }, i) => {
          const isVariance = name.endsWith('running_var')
          const draw = (j: number): number => Math.fround(isVariance ? 1 + u(5, 81, i, j) : u(5, 81, i, j) - 0.4)
          return [name, Float64Array.from({ length: elementCount(shape.map(Number)) }, (_, j) => draw(j))]
        }),
      )
      const expected = evaluate(graph, feeds).output as Float64Array
      await using executable = await compilePartitioned(graph, options)
      const output = new Float32Array(expected.length)
      await executable.bind({ ...Object.fromEntries(Object.entries(feeds).map(([name, v]) => [name, Float32Array.from(v)])), output }).run()
      const scale = Math.max(...expected.map(Math.abs))
      output.forEach((value, i) => {
        expect(Math.abs(value - (expected[i] as number)) / scale, `element ${i}`).toBeLessThan(1e-5)
      })
    }
  })

  test('refuses to run after it was closed', async () => {
    const graph = randomNet(['conv'], 3)
    const executable = await compilePartitioned(graph, options)
    const arrays = Object.fromEntries(
      [...executable.inputs, ...executable.outputs].map(({ name, length }) => [name, new Float32Array(length)]),
    )
    const bound = executable.bind(arrays)
    await bound.run()
    await executable.close()
    await executable.close()
    await expect(bound.run()).rejects.toThrow(BackendError)
  })

  test('gives native memory back', async () => {
    const graph = randomNet(['conv', 'norm', 'maxPool', 'residual'], 16)
    const cycles = async (count: number): Promise<number> => {
      for (let i = 0; i < count; i++) {
        await using executable = await compilePartitioned(graph, options)
        const arrays = Object.fromEntries(
          [...executable.inputs, ...executable.outputs].map(({ name, length }) => [name, new Float32Array(length)]),
        )
        await executable.bind(arrays).run()
      }
      return process.memoryUsage().rss / 2 ** 20
    }
    const before = await cycles(40)
    const after = await cycles(80)
    expect(after - before).toBeLessThan(40)
  })
})
