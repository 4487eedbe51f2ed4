import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../errors.ts'
import { arrayConstructor } from '../../memory/dtype.ts'
import type { NumericArray } from '../../memory/dtype.ts'
import { initialise } from '../../nn/initialise.ts'
import type { Model } from '../../nn/model.ts'
import { lenet5 } from '../../nn/models/lenet5.ts'
import { lstmLm } from '../../nn/models/recurrent-lm.ts'
import { mlp } from '../../nn/models/mlp.ts'
import { resnetCifar } from '../../nn/models/resnet-cifar.ts'
import { transformerLm } from '../../nn/models/transformer.ts'
import { parameterLength } from '../../nn/parameter.ts'
import { trainingGraph } from '../../nn/training-graph.ts'
import { u } from '../../rng.ts'
import { compile } from '../../runtime/compile.ts'
import type { DriverName } from '../../runtime/compile.ts'
import { hasLibrary } from '../../runtime/drivers/onednn/library.ts'
import { bindShape, checkGraph, elementCount, isBatchDim } from '../graph.ts'
import type { Graph } from '../graph.ts'
import { backwardOrder, bucket } from './bucket.ts'
import { cut } from './cut.ts'
import type { Cut } from './cut.ts'
import { delay, firstTick } from './delay.ts'
import { micro, summedPrefix } from './micro.ts'
import { remat } from './remat.ts'
import { simplify } from './simplify.ts'
import { version, versionedName } from './version.ts'

type Arrays = Record<string, NumericArray>

const batchSize = 4

interface Subject {
  readonly name: string
  readonly model: Model
  /** Layers at which it is cut in two and in more. */
  readonly boundaries: readonly (readonly string[])[]
  readonly classes: number
  /** int32 inputs are below this. */
  readonly vocabulary?: number
  /** Its gradients depend on what else is in the batch: micro-batches do not add up to the whole. */
  readonly normalisesBatches?: boolean
}

const subjects: readonly Subject[] = [
  { name: 'LeNet-5', model: lenet5(), boundaries: [['c5'], ['c3', 'c5', 'f6'], ['tanh-1', 's2', 'flatten-1', 'out']], classes: 10 },
  {
    name: 'ResNet-20',
    model: resnetCifar(20),
    boundaries: [['layer1.2.conv1', 'layer2.1.bn1', 'layer3.0.conv2']],
    classes: 10,
    normalisesBatches: true,
  },
  {
    name: 'an LSTM',
    model: lstmLm({ vocabulary: 30, width: 16, steps: 5 }),
    boundaries: [['lstm.0'], ['lstm.1', 'out']],
    classes: 30,
    vocabulary: 30,
  },
  {
    name: 'a transformer',
    model: transformerLm({ vocabulary: 20, width: 16, layers: 2, heads: 2, steps: 8 }),
    boundaries: [['block1.norm1'], ['block0.ffn1', 'block1.attention', 'norm']],
    classes: 20,
    vocabulary: 20,
  },
  { name: 'a perceptron', model: mlp([5, 7, 6, 2]), boundaries: [['d2'], ['d2', 'd3']], classes: 2 },
]

/** Reproducible arrays for every input of a training graph. */
function inputsOf({ model, classes, vocabulary = 1 }: Subject, graph: Graph, rows = batchSize): Arrays {
  const values = Object.fromEntries(model.parameters.map((spec) => [spec.name, new Float32Array(parameterLength(spec))]))
  initialise(model.parameters, 3, values)
  return Object.fromEntries(
    graph.inputs.map(({ name, shape, dtype }, i) => {
      const array = new (arrayConstructor(dtype))(elementCount(bindShape(shape, rows)))
      if (name.startsWith('param:')) array.set(values[name.slice('param:'.length)] ?? [])
      else if (name === 'divisor') array.fill(5)
      else if (name.startsWith('mask:')) array.set(Array.from(array, (_, j) => 2 * Math.round(u(5, 2, i, j))))
      else {
        const below = name === 'target' ? classes : vocabulary
        array.set(Array.from(array, (_, j) => (dtype === 'int32' ? Math.floor(below * u(3, 1, i, j)) : u(3, 1, i, j))))
      }
      return [name, array]
    }),
  )
}

/** Runs graphs one after the other over common arrays; those of outputs and edges are made on the way. */
async function run(graphs: readonly Graph[], arrays: Arrays, rows = batchSize, driver: DriverName = 'onnxruntime'): Promise<Arrays> {
  const all = { ...arrays }
  for (const graph of graphs) {
    checkGraph(graph)
    await using executable = await compile(graph, { batchSize: rows, driver })
    for (const { name, dtype, length } of executable.outputs) all[name] ??= new (arrayConstructor(dtype))(length)
    await executable.bind(all).run()
  }
  return all
}

const graphsOf = ({ segments }: Cut): readonly Graph[] => segments.map(({ graph }) => graph)

function expectSameBits(got: Arrays, expected: Arrays, graph: Graph): void {
  for (const { name } of graph.outputs) {
    expect(got[name], name).toEqual(expected[name])
    expect(expected[name]?.every(Number.isFinite), name).toBe(true)
  }
  expect(graph.outputs.some(({ name }) => expected[name]?.some((value) => value !== 0))).toBe(true)
}

function expectClose(got: ArrayLike<number> | undefined, expected: ArrayLike<number> | undefined, tolerance: number, name: string): void {
  const values = Array.from(expected ?? [])
  const scale = Math.max(1e-3, ...values.map(Math.abs))
  expect(got?.length, name).toBe(values.length)
  values.forEach((value, i) => {
    expect(Math.abs((got?.[i] ?? Number.NaN) - value) / scale, `${name} ${i}`).toBeLessThan(tolerance)
  })
}

describe.each(subjects.map((subject) => [subject.name, subject] as const))('%s', (_, subject) => {
  const whole = trainingGraph(subject.model, 'cross-entropy')
  const cases = subject.boundaries.map((boundaries) => [boundaries.join(', '), boundaries] as const)

  test.each(cases)('cut before %s has the bits of the whole', async (__, boundaries) => {
    const arrays = inputsOf(subject, whole)
    const expected = await run([whole], arrays)
    const pieces = cut(whole, boundaries)
    expect(pieces.segments.map(({ stage, direction }) => `${direction} ${stage}`)).toEqual([
      ...boundaries.map((___, k) => `forward ${k}`),
      `forward ${boundaries.length}`,
      `backward ${boundaries.length}`,
      ...boundaries.map((___, k) => `backward ${boundaries.length - 1 - k}`),
    ])
    expectSameBits(await run(graphsOf(pieces), arrays), expected, whole)
    // What a segment reads has been written by an earlier one; gradients come going backward.
    for (const { from, to } of pieces.edges) expect(to.every((segment) => segment > from)).toBe(true)
    for (const { graph, direction } of pieces.segments) {
      if (direction === 'forward') expect(graph.outputs.filter(({ name }) => name.startsWith('gradient:'))).toEqual([])
    }
  })

  test.each(cases)(
    'recomputation before %s has the values of the whole and stashes nothing that it can compute',
    async (__, boundaries) => {
      const arrays = inputsOf(subject, whole)
      const expected = await run([whole], arrays)
      const pieces = cut(whole, boundaries)
      for (const policy of ['always', 'except-last'] as const) {
        const again = remat(pieces, policy)
        const got = await run(graphsOf(again), arrays)
        for (const { name } of whole.outputs) expectClose(got[name], expected[name], 1e-5, name)
        const stashing = new Set(again.edges.filter(({ kind }) => kind === 'stash').map(({ source }) => source))
        expect([...stashing]).toEqual(policy === 'always' ? [] : [boundaries.length])
      }
    },
  )

  test.skipIf(subject.normalisesBatches)('micro-batches add up to the whole batch', async () => {
    const arrays = inputsOf(subject, whole)
    const expected = await run([whole], arrays)
    const { graph, parts } = micro(whole, batchSize, 3)
    expect(parts.map(({ start, end }) => end - start)).toEqual([1, 1, 2])
    let sums: Arrays = {}
    for (const { start, end } of parts) {
      const slice = Object.fromEntries(
        graph.inputs.map(({ name, shape, dtype }) => {
          const previous = sums[name.slice(summedPrefix.length)]
          if (name.startsWith(summedPrefix)) return [name, previous ?? new (arrayConstructor(dtype))(elementCount(shape.map(Number)))]
          const array = arrays[name] as NumericArray
          const width = array.length / batchSize
          return [name, shape.some(isBatchDim) ? array.slice(start * width, end * width) : array]
        }),
      )
      sums = await run([graph], slice, end - start)
    }
    for (const { name } of whole.outputs) {
      if (name === 'loss' || name.startsWith('gradient:')) expectClose(sums[name], expected[name], 1e-4, name)
    }
  })

  test('a segment reads the version of the parameters that it is bound to', async () => {
    const arrays = inputsOf(subject, whole)
    const expected = await run([whole], arrays)
    const pieces = cut(whole, subject.boundaries[0] as readonly string[])
    const versioned = pieces.segments.map(({ graph, direction }) => version(graph, direction === 'forward' ? 'latest' : 'stashed'))
    const bind = (stashed: (values: NumericArray) => NumericArray): Arrays => {
      const own: Arrays = { ...arrays }
      for (const { name } of subject.model.parameters) {
        const values = arrays[`param:${name}`] as NumericArray
        own[versionedName(name, 'latest')] = values
        own[versionedName(name, 'stashed')] = stashed(values)
      }
      return own
    }
    expectSameBits(
      await run(
        versioned,
        bind((values) => values),
      ),
      expected,
      whole,
    )
    // Backward through half the weights: the loss stays, the gradient that went through them is halved with every layer below the loss.
    const halved = await run(
      versioned,
      bind((values) => values.map((value) => value / 2)),
    )
    expect(halved.loss).toEqual(expected.loss)
    const first = `gradient:${subject.model.parameters[0]?.name}`
    expect(halved[first]).not.toEqual(expected[first])
  })

  test('a delayed edge hands over what was written so many ticks ago', async () => {
    const pieces = cut(whole, subject.boundaries[0] as readonly string[])
    const still = delay(pieces, () => 0)
    expect(firstTick(still)).toEqual(pieces.segments.map(() => 0))
    // Errors two ticks late for each stage that they pass: gradients of stage k are 2·(K − 1 − k) ticks old.
    const late = delay(pieces, ({ kind }) => (kind === 'error' ? 2 : 0))
    const last = subject.boundaries[0]?.length as number
    expect(firstTick(late)).toEqual(pieces.segments.map(({ stage, direction }) => (direction === 'backward' ? 2 * (last - stage) : 0)))
    const queues = new Map<string, NumericArray[]>()
    const arrays = inputsOf(subject, whole)
    const feature = whole.inputs.find(({ name }) => name in subject.model.inputs)?.name as string
    const ticks = await Promise.all(
      [0, 1, 2].map(async (tick) => {
        const moved = (arrays[feature] as NumericArray).map((value) =>
          subject.vocabulary === undefined ? value + tick / 8 : value,
        ) as NumericArray
        return { moved, ofWhole: await run([whole], { ...arrays, [feature]: moved }) }
      }),
    )
    for (const [tick, { moved }] of ticks.entries()) {
      let all: Arrays = { ...arrays, [feature]: moved }
      for (const [s, { graph }] of late.segments.entries()) {
        if (tick < (firstTick(late)[s] as number)) continue
        const arrived = Object.fromEntries(
          late.edges
            .filter(({ to, depth }) => depth > 0 && to.includes(s))
            .map(({ name, depth }) => [name, queues.get(name)?.[tick - depth] as NumericArray]),
        )
        const result = await run([graph], { ...all, ...arrived })
        for (const { name } of graph.outputs) {
          const values = (result[name] as NumericArray).slice()
          queues.set(name, [...(queues.get(name) ?? []), values])
          all = { ...all, [name]: values }
        }
      }
    }
    const error = late.edges.find(({ kind, source }) => kind === 'error' && source === last)
    expect(queues.get(error?.name ?? '')).toHaveLength(3)
    // The last stage works on the batch of the tick; its gradients are those of the whole.
    const own = late.segments.find(({ stage, direction }) => stage === last && direction === 'backward')
    for (const { name } of own?.graph.outputs ?? []) {
      if (name.startsWith('gradient:')) expect(queues.get(name)?.at(-1), name).toEqual(ticks[2]?.ofWhole[name])
    }
  })

  test('simplifying changes no bit', async () => {
    const arrays = inputsOf(subject, whole)
    const simpler = simplify(whole)
    expect(simpler.nodes.length).toBeLessThanOrEqual(whole.nodes.length)
    expectSameBits(await run([simpler], arrays), await run([whole], arrays), whole)
  })

  test('buckets have the bits of the whole', async () => {
    const arrays = inputsOf(subject, whole)
    const expected = await run([whole], arrays)
    const order = backwardOrder(whole)
    const thirds = [order.slice(0, 2), order.slice(2, 5), order.slice(5)].filter((names) => names.length > 0)
    for (const buckets of [[order], thirds, order.map((name) => [name])]) {
      const segments = bucket(whole, buckets)
      expectSameBits(
        await run(
          segments.map(({ graph }) => graph),
          arrays,
        ),
        expected,
        whole,
      )
    }
  })
})

test.skipIf(!hasLibrary())('cut and bucketed graphs have the bits of the whole on oneDNN too', async () => {
  const subject = subjects.find(({ name }) => name === 'ResNet-20') as Subject
  const whole = trainingGraph(subject.model, 'cross-entropy')
  const arrays = inputsOf(subject, whole)
  const expected = await run([whole], arrays, batchSize, 'onednn')
  const order = backwardOrder(whole)
  const halves = bucket(whole, [order.slice(0, 40), order.slice(40)]).map(({ graph }) => graph)
  for (const graphs of [graphsOf(cut(whole, subject.boundaries[0] as readonly string[])), halves]) {
    expectSameBits(await run(graphs, arrays, batchSize, 'onednn'), expected, whole)
  }
})

test('simplify merges what is computed twice, folds constants and drops what nobody reads', () => {
  const perceptron = trainingGraph(mlp([5, 7, 2]), 'cross-entropy')
  const [first] = perceptron.nodes
  const twice = { ...(first as Graph['nodes'][0]), id: '#900' }
  const graph: Graph = {
    ...perceptron,
    nodes: [
      ...perceptron.nodes,
      twice,
      { id: '#901', op: 'fill', inputs: [], attrs: { value: 2, shape: [3] }, shape: [3], dtype: 'float32' },
      { id: '#902', op: 'scale', inputs: ['#901'], attrs: { factor: 3 }, shape: [3], dtype: 'float32' },
      { id: '#903', op: 'tanh', inputs: ['#900'], attrs: {}, shape: twice.shape, dtype: 'float32' },
    ],
    outputs: [
      ...perceptron.outputs,
      { name: 'folded', value: '#902', shape: [3], dtype: 'float32' },
      { name: 'merged', value: '#900', shape: twice.shape, dtype: 'float32' },
    ],
  }
  const simpler = simplify(graph)
  expect(simpler.nodes.filter(({ id }) => ['#900', '#901', '#903'].includes(id))).toEqual([])
  expect(simpler.nodes.find(({ id }) => id === '#902')).toMatchObject({ op: 'fill', attrs: { value: 6 } })
  expect(simpler.outputs.find(({ name }) => name === 'merged')?.value).toBe(first?.id)
})

describe('refusals', () => {
  const whole = trainingGraph(lenet5(), 'cross-entropy')

  test('of layers that do not exist or are out of order', () => {
    expect(() => cut(whole, ['c4'])).toThrow(/^cut: there is no layer c4 — expected one of c1, .*, out — did you mean c1\?$/)
    expect(() => cut(whole, ['c5', 'c3'])).toThrow('cut: c3 does not come after c5 — expected layers in the order of the model')
  })

  test('of parts and delays that cannot be', () => {
    for (const m of [0, 5, 1.5]) expect(() => micro(whole, 4, m)).toThrow(ConfigError)
    expect(() => delay(cut(whole, ['c5']), () => -1)).toThrow(ConfigError)
  })

  test('of buckets that miss, repeat or invent parameters', () => {
    const order = backwardOrder(whole)
    for (const buckets of [[order.slice(1)], [order, ['c1.bias']], [order.slice(1), ['c1.offset']], [order, []]]) {
      expect(() => bucket(whole, buckets)).toThrow(ConfigError)
    }
  })
})

test('backwardOrder finishes the last layer first', () => {
  const names = backwardOrder(trainingGraph(lenet5(), 'cross-entropy'))
  expect(names.map((name) => name.split('.')[0])).toEqual(['out', 'out', 'f6', 'f6', 'c5', 'c5', 'c3', 'c3', 'c1', 'c1'])
})

test('buckets give the loss first, and each segment the gradients of its bucket', () => {
  const buckets = [
    ['out.weight', 'out.bias', 'f6.weight', 'f6.bias'],
    ['c5.weight', 'c5.bias'],
    ['c3.weight', 'c3.bias', 'c1.weight', 'c1.bias'],
  ]
  const segments = bucket(trainingGraph(lenet5(), 'cross-entropy'), buckets)
  const results = segments.map(({ graph }) => graph.outputs.map(({ name }) => name).filter((name) => !name.startsWith('edge:')))
  const sorted = (names: readonly string[]): string[] => names.toSorted()
  expect(results.map(sorted)).toEqual(
    buckets.map((names, k) => sorted([...(k === 0 ? ['loss'] : []), ...names.map((name) => `gradient:${name}`)])),
  )
})
