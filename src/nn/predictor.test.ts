import { describe, expect, test } from 'vitest'
import { ConfigError, ShapeError } from '../errors.ts'
import * as nn from './index.ts'

const model = nn.model('two', { x: [3] }, ({ x }) => nn.dense(nn.dropout(x, 0.5), 2, { name: 'd' }))
const values = { 'd.weight': Float32Array.of(1, 2, 3, -1, 0, 1), 'd.bias': Float32Array.of(0.5, -0.5) }
const rows = Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2)
const answers = [1.5, -1.5, 2.5, -0.5, 3.5, 0.5, 6.5, -0.5, 12.5, -0.5]

describe('Predictor', () => {
  test.each([1, 2, 5, 64])('gives the same answers in batches of %i', async (batchSize) => {
    await using predictor = await nn.Predictor.open(model, values, { batchSize })
    const { shape, values: got } = await predictor.predict(rows)
    expect([shape, predictor.shape]).toEqual([[5, 2], [2]])
    expect([...got]).toEqual(answers)
    expect([...(await predictor.predict({ x: rows.subarray(3, 6) })).values]).toEqual([2.5, -0.5])
    expect((await predictor.predict([])).values).toHaveLength(0)
  })

  test('says how many positions a row has', async () => {
    const positions = nn.model('positions', { x: [2, 3] }, ({ x }) =>
      nn.dense(x.builder.add('reshape', [x], { shape: ['batch*2', 3] }), 2, { name: 'd' }),
    )
    await using predictor = await nn.Predictor.open(positions, values)
    const { shape, values: got } = await predictor.predict(rows.subarray(0, 6))
    expect([shape, predictor.shape]).toEqual([
      [1, 2, 2],
      [2, 2],
    ])
    expect([...got]).toEqual(answers.slice(0, 4))
  })

  test('refuses what does not fit, by name', async () => {
    await expect(nn.Predictor.open(model, { 'd.weight': values['d.weight'] })).rejects.toThrow(
      new ConfigError('predict: the values of d.bias do not fit — expected 2 elements, got none'),
    )
    await using predictor = await nn.Predictor.open(model, values)
    await expect(predictor.predict([1, 2])).rejects.toThrow(ShapeError)
    for (const wrong of [undefined, 'x.csv', [[1, 2, 3]], Promise.resolve([])]) {
      await expect(predictor.predict(wrong as never)).rejects.toThrow(
        /^predict: the rows cannot be read — expected a data set or numbers, .* got/,
      )
    }
    await expect(nn.Predictor.open(model, values, { batchSzie: 2 } as object)).rejects.toThrow(
      'predictor: no option batchSzie — expected batchSize, intraOpThreads (did you mean batchSize?)',
    )
    await expect(predictor.predict({ y: [1, 2, 3] })).rejects.toThrow('predict: the inputs do not fit — expected x, got y')
  })
})
