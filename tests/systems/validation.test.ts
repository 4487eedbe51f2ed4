/** Validation rows judge a run while it goes on; test rows are scored once, on its result; the best parameters are kept. */
import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { data, optim, readRun, train, type TrainRun, type TrainSpec } from '../../dist/index.js'
import { perceptron, run, sameBits, waveform } from './small-run.ts'

const evaluations = (of: TrainRun) => of.metrics.flatMap((row) => (row.kind === 'evaluation' ? [row] : []))

/** Accuracy of a model as a run of no moment that starts from it scores it. */
async function accuracyOf(model: TrainSpec['model'], on: TrainSpec['data']): Promise<number> {
  const still = await train({
    model,
    data: waveform,
    validation: on,
    optimizer: optim.sgd({ learningRate: 0 }),
    until: { steps: 1 },
    globalBatchSize: 48,
  })
  return still.final.validationAccuracy as number
}

/** Falls apart after a while, so that its last score is not its best. */
const tooFast = { optimizer: optim.sgd({ learningRate: 4, momentum: 0.9 }), until: { steps: 60 }, evaluateEvery: 3, keepBest: true }

describe('validation rows', () => {
  it.each(['solo', 'bsp', 'local', 'asp'])('%s: scores them during the run, and the test rows once, at its end', async (system) => {
    const result = await run({ system, workers: system === 'solo' ? 1 : 2, validation: 0.2, until: { steps: 24 }, evaluateEvery: 6 })
    const rows = evaluations(result)
    expect(rows.map(({ split }) => split)).toEqual(['validation', 'validation', 'validation', 'validation', 'test'])
    expect(result.final.validationAccuracy).toBe(rows[3]?.metric)
    expect(result.final.testAccuracy).toBe(rows[4]?.metric)
    expect(result.final.testAccuracy).toBe(await accuracyOf(result.model, waveform.test as TrainSpec['data']))
  })

  it('a data set without test rows has a validation score only', async () => {
    const [x, y] = [waveform.features.values.slice(), waveform.target?.values.slice() as Int32Array]
    const own = data.fromArrays({ features: x as Float32Array, shape: [waveform.rows, 21], target: y, name: 'own' })
    const result = await run({ data: own, validation: 0.25 })
    expect(evaluations(result).every(({ split }) => split === 'validation')).toBe(true)
    expect(result.final.testAccuracy).toBeUndefined()
    expect(result.final.validationAccuracy).toBeGreaterThan(0)
  })
})

describe('keepBest', () => {
  it.each(['solo', 'bsp', 'local', 'asp'])('%s: gives the model that scored best', async (system) => {
    const result = await run({ ...tooFast, system, workers: system === 'solo' ? 1 : 2, validation: 0.25 })
    const rows = evaluations(result).filter(({ split }) => split === 'validation')
    const highest = Math.max(...rows.map(({ metric }) => metric))
    expect(result.best?.metric).toBe(highest)
    expect(result.best?.step).toBe(rows.find(({ metric }) => metric === highest)?.step)
    const [, held] = data.split(waveform, { test: 0.25, stratify: true, seed: 3 })
    expect(await accuracyOf(result.best?.model as TrainRun['model'], held)).toBe(highest)
  })

  it('a resumed run still knows it, and early stopping goes on counting', async () => {
    const out = mkdtempSync(join(tmpdir(), 'tutti-best-'))
    const whole = await run({ ...tooFast, system: 'bsp', workers: 2, reproducible: true })
    const stop = new AbortController()
    const spec = { ...tooFast, system: 'bsp', workers: 2, reproducible: true, out }
    await train(
      { model: perceptron, data: waveform, globalBatchSize: 48, seed: 3, ...spec },
      { signal: stop.signal, onEvent: (event) => event.type === 'evaluation' && event.step >= 30 && stop.abort() },
    )
    const resumed = await run({ ...spec, resume: out })
    expect(resumed.best?.step).toBe(whole.best?.step)
    expect(sameBits({ ...resumed, model: resumed.best?.model } as TrainRun, { ...whole, model: whole.best?.model } as TrainRun)).toBe(true)
    expect(existsSync(join(out, 'best.onnx'))).toBe(true)
    expect(readRun(out).metrics.map(({ step }) => step)).toEqual(resumed.metrics.map(({ step }) => step))
  })
})
