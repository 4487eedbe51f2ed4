/** Every update rule, spread: it runs on a worker or at a server alike, and N ranks give what one process gives. */
import { describe, expect, it } from 'vitest'
import { data, nn, optim } from '../../dist/index.js'
import { distance, run } from './small-run.ts'

const rules = {
  adagrad: optim.adagrad({ learningRate: 0.05, initialAccumulator: 0.1 }),
  rmsprop: optim.rmsprop({ learningRate: 0.01, centered: true, momentum: 0.5, epsilon: 0.01 }),
  adamW: optim.adamW({ learningRate: 0.01 }),
  lars: optim.lars({ learningRate: 1, weightDecay: 1e-3, trust: 0.02 }),
  lamb: optim.lamb({ learningRate: 0.01 }),
} as const

describe.each(Object.entries(rules))('%s', (name, optimizer) => {
  const looksAtLayers = name === 'lars' || name === 'lamb'

  it('on two ranks equals one process with two micro-batches', async () => {
    const serial = await run({ optimizer, system: 'solo', microBatches: 2 })
    const reduced = await run({ optimizer, system: 'bsp', fabric: 'virtual', workers: 2 })
    expect(distance(reduced, serial)).toBeLessThan(1e-5)
  })

  it.skipIf(looksAtLayers)('at a server equals the same rule on the workers', async () => {
    const reduced = await run({ optimizer, system: 'bsp', fabric: 'virtual', workers: 2 })
    const served = await run({ optimizer, system: 'bsp', systemOptions: { aggregate: 'parameter-server' }, fabric: 'virtual', workers: 2 })
    expect(distance(served, reduced)).toBeLessThan(1e-5)
  })

  it.runIf(looksAtLayers)('is refused at a server, which holds parts of layers', async () => {
    const served = run({ optimizer, system: 'bsp', systemOptions: { aggregate: 'parameter-server' }, fabric: 'virtual', workers: 2 })
    await expect(served).rejects.toThrow(/a parameter server holds parts of parameters/)
  })
})

describe('L-BFGS', () => {
  const rows = 60
  const features = Float32Array.from({ length: rows * 6 }, (_, i) => Math.sin(i * 12.9898) * 2)
  const target = Int32Array.from({ length: rows }, (_, i) => ((features[i * 6] as number) + (features[i * 6 + 1] as number) > 0 ? 1 : 0))
  const set = data.fromArrays({ name: 'line', features, shape: [rows, 6], target })
  const model = nn.model('logistic', { x: [6] }, ({ x }) => nn.dense(x, 2, { name: 'd' }))
  const spec = {
    model,
    data: set,
    optimizer: optim.lbfgs({ weightDecay: 1e-3 }),
    globalBatchSize: rows,
    until: { steps: 25 },
    evaluateEvery: 25,
  }

  it('finds the same minimum on one rank, on two, and in far fewer steps than gradient descent', async () => {
    const serial = await run({ ...spec, system: 'solo', microBatches: 2 })
    const reduced = await run({ ...spec, system: 'bsp', fabric: 'virtual', workers: 2 })
    expect(distance(reduced, serial)).toBeLessThan(1e-3)
    const descent = await run({ ...spec, optimizer: optim.sgd({ learningRate: 0.1 }), system: 'solo' })
    const loss = (result: typeof serial): number =>
      result.metrics.flatMap((row) => (row.kind === 'step' ? [row.loss] : [])).at(-1) as number
    expect(loss(serial)).toBeLessThan(0.5 * loss(descent))
  })

  it('is refused where losses of different rows or of a noisy function would be compared', async () => {
    await expect(run({ ...spec, globalBatchSize: 20 })).rejects.toThrow('expected all rows in every step, globalBatchSize 60, got 20')
    const noisy = nn.model('noisy', { x: [6] }, ({ x }) => nn.dense(nn.dropout(x, 0.5, { name: 'drop' }), 2))
    await expect(run({ ...spec, model: noisy })).rejects.toThrow(/expected a model without dropout and batch norm, got drop/)
    await expect(run({ ...spec, gradClipNorm: 1 })).rejects.toThrow(/expected the gradient as it is, got gradient clipping/)
    await expect(run({ ...spec, system: 'local', workers: 2 })).rejects.toThrow(/expected one model for all workers, as in bsp, got local/)
  })
})
