import { describe, expect, it } from 'vitest'
import { fromArrays } from '../data/from-arrays.ts'
import { ConfigError } from '../errors.ts'
import * as nn from '../nn/index.ts'
import type { TrainSpec } from './spec.ts'
import { planTraining } from './train-plan.ts'

const clicks = nn.model('clicks', { x: [2] }, ({ x }) => nn.dense(x, 1))
const words = nn.model('words', { tokens: { shape: [2], dtype: 'int32' } }, ({ tokens }) =>
  nn.dense(nn.flatten(nn.embedding(tokens, 5, 3, { name: 'words' })), 2),
)

const texts = (tokens: number[]) =>
  fromArrays({
    features: Int32Array.from(tokens),
    shape: [tokens.length / 2, 2],
    target: Int32Array.from(tokens, (_, i) => i % 2).subarray(0, tokens.length / 2),
    name: 'texts',
  })

const spec = (tokens: number[], changes: Partial<TrainSpec> = {}): TrainSpec => ({
  model: words,
  data: texts(tokens),
  optimizer: nn.optim.sgd({ learningRate: 0.1 }),
  globalBatchSize: 2,
  until: { steps: 1 },
  ...changes,
})

describe('the plan of a training', () => {
  it('refuses numbers that are no rows of the table, of the training rows and of those that are scored', () => {
    const good = [0, 1, 2, 3, 4, 0]
    expect(planTraining(spec(good)).job.steps).toBe(1)
    const bad = [0, 1, 2, 5, 4, 0]
    const message =
      'data: texts cannot be read by words — expected whole numbers from 0 to 4 (rows of words.weight), got 5 in row 1, column 1'
    expect(() => planTraining(spec(bad))).toThrow(expect.objectContaining({ code: 'DATA', message }))
    expect(() => planTraining(spec(good, { validation: texts(bad) }))).toThrow(expect.objectContaining({ code: 'DATA', message }))
  })

  it.each([
    ['cross-entropy', words, Int32Array.of(0, 1, 2), 'expected 0 to 1, or −1 for what does not count, got 2 in row 2'],
    ['cross-entropy', words, Int32Array.of(0, -2, -1), 'got -2 in row 1'],
    ['binary-cross-entropy', clicks, Float32Array.of(0, 0.5, 3), 'expected 0 to 1, got 3 in row 2'],
  ] as const)('refuses targets of %s that the model cannot give, of all rows that it sees', (loss, model, values, message) => {
    const features = loss === 'cross-entropy' ? new Int32Array(6) : new Float32Array(6)
    const fine = fromArrays({ features, shape: [3, 2], target: values.slice().fill(0) })
    const wrong = { ...fine, target: { ...(fine.target as NonNullable<typeof fine.target>), values } }
    const plan = (data: typeof fine, validation: typeof fine) => planTraining({ ...spec([0, 1, 2, 3]), model, loss, data, validation })
    expect(plan(fine, fine).job.steps).toBe(1)
    const error = expect.objectContaining({ code: 'DATA', message: expect.stringContaining(message) })
    expect(() => plan(wrong, fine)).toThrow(error)
    expect(() => plan(fine, wrong)).toThrow(error)
  })

  it('refuses rows to score on that are of another width', () => {
    const narrow = fromArrays({ features: Int32Array.of(1, 2, 3), shape: [3, 1], target: Int32Array.of(0, 1, 0), name: 'narrow' })
    expect(() => planTraining(spec([0, 1, 2, 3], { validation: narrow }))).toThrow('narrow has [1] = 1')
  })

  it('refuses an end that the metric never reaches', () => {
    const tokens = [0, 1, 2, 3]
    const until = { epochs: 1, metric: 90 }
    expect(() => planTraining(spec(tokens, { validation: texts(tokens), until }))).toThrow(
      new ConfigError('until: accuracy never gets there — expected a value from 0 to 1, got 90 (90 % is 0.9)'),
    )
  })
})
