/** Gradients of embedding tables as rows: every way to train gives what the whole gradient gives. */
import { describe, expect, it } from 'vitest'
import * as graph from '../../dist/graph/index.js'
import { data, nn, optim, train, type TrainRun, type TrainSpec } from '../../dist/index.js'
import { distance, flat, sameBits } from './small-run.ts'

const ids = 300
const clicks = await data.load('ctr', { rows: 400, testRows: 50 })

/**
 * Two tables by the same ids. `whole`: zero times the sum of each is added to the score, which changes no number but gives its gradient a second
 * part, so that it is made as a whole.
 */
const model = (whole: boolean) =>
  nn.model('clicks', { ids: { shape: [20], dtype: 'int32' } }, ({ ids: given }) => {
    const { builder } = given
    const rows = builder.add('modulo', [given], { divisor: ids }, 'hash')
    const table = nn.parameter(given, 'fields', [ids, 3])
    const weights = nn.parameter(given, 'wide', [ids, 1], { decay: false })
    const deep = nn.relu(nn.dense(nn.flatten(nn.embedding(rows, ids, 3, { weight: table })), 6, { name: 'd' }))
    const wide = builder.add('reduceSum', [nn.embedding(rows, ids, 1, { weight: weights })], { dims: [1, 2] }, 'wide')
    const score = nn.add(nn.reshape(nn.dense(deep, 1, { name: 'out' }), []), wide)
    if (!whole) return score
    const nothing = [table, weights].map((each) => nn.scale(builder.add('reduceSum', [each], { dims: [0, 1] }, 'sum'), 0))
    return nothing.reduce((sum, zero) => nn.add(sum, zero), score)
  })

function run(whole: boolean, spec: Partial<TrainSpec>): Promise<TrainRun> {
  return train({
    model: model(whole),
    data: clicks,
    loss: 'binary-cross-entropy',
    optimizer: optim.adagrad({ learningRate: 0.1, initialAccumulator: 0.1 }),
    globalBatchSize: 12,
    until: { steps: 20 },
    evaluateEvery: 20,
    seed: 5,
    driver: 'onnxruntime',
    ...spec,
  })
}

const two = { fabric: 'virtual', workers: 2 } as const

it('compares what it says', () => {
  const [inRows, whole] = [false, true].map((each) => graph.sparseRows(nn.trainingGraph(model(each), 'binary-cross-entropy'), 12).uses)
  expect(inRows?.map(({ parameter }) => parameter)).toEqual(['fields', 'wide'])
  expect(whole).toEqual([])
})

describe('tables in rows have the bits of whole tables', () => {
  const cases: Readonly<Record<string, Partial<TrainSpec>>> = {
    'solo, Adagrad': {},
    'solo, SGD': { optimizer: optim.sgd({ learningRate: 0.1 }) },
    'solo, momentum': { optimizer: optim.sgd({ learningRate: 0.1, momentum: 0.9 }) },
    'solo, decay of one table': { optimizer: optim.adagrad({ learningRate: 0.1, weightDecay: 0.01 }) },
    'solo, Adam': { optimizer: optim.adam({ learningRate: 0.01 }) },
    'solo, LAMB': { optimizer: optim.lamb({ learningRate: 0.01 }) },
    'solo, clipped': { gradClipNorm: 0.05, gradClipValue: 0.02 },
    'solo, micro-batches': { microBatches: 3 },
    'a padded last batch': { lastBatch: 'pad', globalBatchSize: 11 },
    bsp: { system: 'bsp', ...two },
    'bsp, SGD on threads': { system: 'bsp', fabric: 'threads', workers: 2, optimizer: optim.sgd({ learningRate: 0.1 }) },
    'bsp, parameter server': { system: 'bsp', systemOptions: { aggregate: 'parameter-server' }, ...two },
    'hvd in buckets': { system: 'hvd', systemOptions: { bucketBytes: 1024 }, ...two },
    'local steps': { system: 'local', systemOptions: { localSteps: 3 }, ...two },
  }
  it.each(Object.entries(cases))('%s', async (_, spec) => {
    const rows = await run(false, spec)
    expect(sameBits(rows, await run(true, spec))).toBe(true)
    expect(flat(rows).every(Number.isFinite)).toBe(true)
  })
})

it('N ranks equal one process with N micro-batches, bit for bit', async () => {
  const serial = await run(false, { system: 'solo', microBatches: 3 })
  const many = await run(false, { system: 'bsp', fabric: 'threads', workers: 3 })
  expect(sameBits(many, serial)).toBe(true)
})

it('two ranks equal one', async () => {
  expect(distance(await run(false, { system: 'bsp', ...two }), await run(false, {}))).toBeLessThan(1e-5)
})
