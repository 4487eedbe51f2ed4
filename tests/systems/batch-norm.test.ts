/** Running statistics are parameters that no optimiser touches: every system must carry them, and sum them as it sums gradients. */
import { describe, expect, it } from 'vitest'
import { data, nn, optim, type TrainRun } from '../../dist/index.js'
import { distance, run, sameBits, spreadSystems } from './small-run.ts'

const model = nn.model('normed', { x: [21] }, ({ x }) => {
  const input = nn.batchNorm(x, { name: 'input' })
  return nn.dense(nn.relu(nn.batchNorm(nn.dense(input, 16, { name: 'd1' }), { name: 'hidden' })), 3, { name: 'd2' })
})
const momentum = optim.sgd({ learningRate: 0.05, momentum: 0.9, weightDecay: 1e-3 })
const shared = { model, optimizer: momentum } as const

const values = (result: TrainRun, name: string): number[] => Array.from(result.model.values[name] as Float32Array)

describe('running statistics', () => {
  const rows = 48
  const features = Float32Array.from({ length: rows * 21 }, (_, i) => Math.sin(i * 7.3) * (1 + (i % 21)) + (i < rows * 10 ? 2 : -1))
  const target = Int32Array.from({ length: rows }, (_, i) => i % 3)
  const halves = data.fromArrays({ name: 'halves', features, shape: [rows, 21], target })

  /** Mean and variance (divided by n − 1) of a column over some rows. */
  function statistics(column: number, from: number, to: number): { readonly mean: number; readonly variance: number } {
    const numbers = Array.from({ length: to - from }, (_, r) => features[(from + r) * 21 + column] as number)
    const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length
    return { mean, variance: numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (numbers.length - 1) }
  }

  it('on two ranks are the mean of those of the two halves of the batch', async () => {
    const partition = { kind: 'contiguous' } as const
    const one = { ...shared, data: halves, globalBatchSize: rows, until: { steps: 1 }, evaluateEvery: 1 }
    const result = await run({ ...one, system: 'bsp', fabric: 'virtual', workers: 2, partition })
    const [means, variances] = [values(result, 'input.running_mean'), values(result, 'input.running_var')]
    for (let column = 0; column < 21; column++) {
      const [first, second] = [statistics(column, 0, rows / 2), statistics(column, rows / 2, rows)]
      expect(means[column]).toBeCloseTo(0.1 * (0.5 * first.mean + 0.5 * second.mean), 5)
      expect((variances[column] as number) / (0.9 + 0.1 * (0.5 * first.variance + 0.5 * second.variance))).toBeCloseTo(1, 5)
    }
  })

  it('do not depend on the optimiser, its rate, decay or clipping', async () => {
    const first = { ...shared, until: { steps: 1 }, evaluateEvery: 1 }
    const plain = await run({ ...first, optimizer: optim.sgd({ learningRate: 0.1 }) })
    const others = [
      await run({ ...first, optimizer: optim.adam({ learningRate: 1e-3, weightDecay: 0.5 }), gradClipNorm: 1e-6 }),
      await run({ ...first, optimizer: optim.sgd({ learningRate: 3, momentum: 0.9, nesterov: true }), gradClipValue: 1e-6 }),
    ]
    for (const other of others) {
      for (const name of ['input.running_mean', 'input.running_var', 'hidden.running_mean', 'hidden.running_var']) {
        expect(values(other, name)).toEqual(values(plain, name))
      }
      expect(values(other, 'd1.weight')).not.toEqual(values(plain, 'd1.weight'))
    }
  })
})

describe('a model with batch norm', () => {
  it.each(spreadSystems)('on one rank of %s %o is trained as by one process', async (system, systemOptions) => {
    const serial = await run({ ...shared, system: 'solo' })
    const one = await run({ ...shared, system, systemOptions, fabric: 'virtual', workers: 1 })
    expect(distance(one, serial)).toBeLessThan(1e-5)
  })

  it('on two ranks equals one process with two micro-batches, however the sum is made', async () => {
    const serial = await run({ ...shared, system: 'solo', microBatches: 2 })
    const reduced = await run({ ...shared, system: 'bsp', fabric: 'virtual', workers: 2 })
    const served = await run({ ...shared, system: 'bsp', systemOptions: { aggregate: 'parameter-server' }, fabric: 'virtual', workers: 2 })
    const overlapped = await run({ ...shared, system: 'hvd', systemOptions: { bucketBytes: 1024 }, fabric: 'virtual', workers: 2 })
    for (const many of [reduced, served, overlapped]) expect(distance(many, serial)).toBeLessThan(1e-5)
    const whole = await run({ ...shared, system: 'solo' })
    expect(distance(whole, serial), 'other statistics than those of the halves').toBeGreaterThan(1e-4)
  })

  it('is the same to the bit on two threads', async () => {
    const serial = await run({ ...shared, system: 'solo', microBatches: 2 })
    const threads = await run({ ...shared, system: 'bsp', fabric: 'threads', workers: 2 })
    expect(sameBits(threads, serial)).toBe(true)
  })

  it.each(['asp', 'ssp', 'local', 'avg1'])('learns on two ranks of %s, and its statistics are those of the data', async (system) => {
    const result = await run({ ...shared, system, fabric: 'virtual', workers: 2, until: { steps: 60 }, evaluateEvery: 60 })
    expect(result.final.testAccuracy).toBeGreaterThan(0.7)
    const serial = await run({ ...shared, until: { steps: 60 }, evaluateEvery: 60 })
    const [got, expected] = [values(result, 'input.running_var'), values(serial, 'input.running_var')]
    for (const [i, value] of expected.entries()) expect((got[i] as number) / value).toBeGreaterThan(0.7)
    for (const [i, value] of expected.entries()) expect((got[i] as number) / value).toBeLessThan(1.4)
  })

  it('refuses rows that are none', async () => {
    await expect(run({ ...shared, lastBatch: 'pad' })).rejects.toThrow(
      'train: lastBatch pad fills a batch up with rows that are none, and normed normalises by statistics of its batches — expected lastBatch drop',
    )
  })
})
