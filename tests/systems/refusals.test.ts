/** What cannot be learned from, or is not meant, is said in one line instead of being ignored. */
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { data, fit as fitSystem, KMeans, LinearRegression, nn, optim, readRun, type TrainSpec } from '../../dist/index.js'
import { perceptron, run, waveform } from './small-run.ts'

const folder = () => mkdtempSync(join(tmpdir(), 'tutti-refusals-'))

describe('a loss that is no number', () => {
  it.each([
    ['solo', 1, {}],
    ['bsp', 2, {}],
    ['bsp', 2, { aggregate: 'parameter-server' }],
    ['hvd', 2, {}],
    ['local', 2, {}],
    ['avg1', 2, {}],
    ['asp', 2, {}],
  ] as const)('%s ×%i %o: the run fails, names the step and leaves no checkpoint of it', async (system, workers, systemOptions) => {
    const out = folder()
    const failing = run({ system, workers, systemOptions, optimizer: optim.sgd({ learningRate: 1e30 }), until: { steps: 200 }, out })
    await expect(failing).rejects.toMatchObject({ code: 'DIVERGED', message: expect.stringMatching(/not a finite number at step \d+/) })
    const { summary } = readRun(out)
    expect(summary.status).toBe('failed')
    expect(summary.steps).toBeLessThan(200)
    expect(existsSync(join(out, 'checkpoint', 'latest.json'))).toBe(false)
  })
})

describe('data that cannot be learned from', () => {
  const rows = 40
  const features = Float32Array.from({ length: rows * 3 }, (_, i) => Math.sin(i * 7.3))
  const target = Float32Array.from({ length: rows }, (_, i) => Math.cos(i))
  const withGap = () => data.fromArrays({ name: 'gap', features: features.with(3 * 17 + 1, Number.NaN), shape: [rows, 3], target })

  it('a value that is not a number names row and column', async () => {
    const expected = /gap cannot be learned from — expected finite numbers, got NaN in row 17, column 1/
    await expect(new KMeans({ k: 2 }).fit(withGap())).rejects.toThrow(expected)
    await expect(new LinearRegression().fit(withGap())).rejects.toThrow(expected)
    await expect(fitSystem({ system: 'lin-ols', data: withGap() })).rejects.toThrow(expected)
    const filled = await new LinearRegression().fit(data.imputeMean(withGap()))
    expect(filled.coef_).toHaveLength(3)
  })

  it('a target that is not a number names its row', async () => {
    const wrong = data.fromArrays({ features, shape: [rows, 3], target: target.with(5, Number.POSITIVE_INFINITY) })
    await expect(new LinearRegression().fit(wrong)).rejects.toThrow(/got Infinity in row 5/)
  })
})

describe('options that do not go together', () => {
  it('clipping at a server, which would clip the part of each worker', async () => {
    const served = { system: 'bsp', workers: 2, systemOptions: { aggregate: 'parameter-server' } } as const
    await expect(run({ ...served, gradClipNorm: 0.3 })).rejects.toThrow(/bsp: a parameter server would clip the part of each worker/)
    await expect(run({ ...served, gradClipValue: 0.3 })).rejects.toThrow(/use an all-reduce/)
  })

  it('batch norm where a rank has one value a channel', async () => {
    const normed = nn.model('normed', { x: [21] }, ({ x }) => nn.dense(nn.batchNorm(nn.dense(x, 4)), 3))
    const alone = run({ model: normed, system: 'bsp', workers: 3, globalBatchSize: 3 })
    await expect(alone).rejects.toThrow('normed: batch norm has one value a channel to normalise')
    await expect(run({ model: normed, globalBatchSize: 4, microBatches: 4 })).rejects.toThrow('fewer workers or micro-batches')
    expect((await run({ model: normed, globalBatchSize: 2, until: { steps: 2 } })).summary.steps).toBe(2)
  })
})

describe('options that nothing reads', () => {
  it('are refused with the name that was meant', async () => {
    await expect(run({ globalBatchsize: 4 } as Partial<TrainSpec>)).rejects.toThrow(
      /no option globalBatchsize.*did you mean globalBatchSize/,
    )
    expect(() => new KMeans({ K: 3 } as object)).toThrow(/KMeans: no option K — expected k, .*did you mean k/)
    await expect(new KMeans({ k: 2 }).fit(waveform, { worker: 2 } as object)).rejects.toThrow(/did you mean workers/)
  })

  it('what needs rows to score on says so', async () => {
    const bare = data.fromArrays({ features: new Float32Array(300), shape: [100, 3], target: new Int32Array(100).map((_, i) => i % 3) })
    const spec = { model: perceptron, data: bare, keepBest: true }
    await expect(run(spec)).rejects.toThrow(/need rows to score on — arrays has no test rows/)
    await expect(run({ data: undefined } as never)).rejects.toThrow(/train: data cannot be used — expected a data set .*, got nothing/)
  })

  it('LinearRegression takes how to spread it after the data, as KMeans does', async () => {
    const friedman = await data.load('friedman', { rows: 200 })
    const model = await new LinearRegression().fit(friedman, { workers: 2 })
    expect(model.run_.config.workers).toBe(2)
  })
})

it('processor time is that of all threads together', async () => {
  const out = folder()
  const before = process.cpuUsage()
  const { summary, ranks } = await run({ system: 'bsp', workers: 3, until: { steps: 300 }, out })
  const { user, system } = process.cpuUsage(before)
  expect(summary.cpuSeconds).toBeLessThanOrEqual((user + system) / 1e6)
  expect(summary.cpuSeconds).toBeGreaterThanOrEqual(Math.max(...ranks.map(({ cpuSeconds }) => cpuSeconds)))
  expect(JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8')).cpuSeconds).toBe(summary.cpuSeconds)
})
