import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import * as data from '../data/index.ts'
import * as nn from '../nn/index.ts'
import { loadModel, TrainedModel } from './trained-model.ts'

const folder = mkdtempSync(join(tmpdir(), 'tutti-model-'))
afterAll(() => rmSync(folder, { recursive: true }))

const model = nn.model('sum', { x: [2] }, ({ x }) => nn.dense(x, 1, { name: 'd' }))
const trained = new TrainedModel(model, { 'd.weight': Float32Array.of(1, 10), 'd.bias': Float32Array.of(0.5) })
const count = 500
const features = Float32Array.from({ length: 2 * count }, (_, i) => i % 7)
const sums = Array.from({ length: count }, (_, row) => ((2 * row) % 7) + 10 * ((2 * row + 1) % 7) + 0.5)

describe('TrainedModel', () => {
  test('predicts more rows than a batch has', async () => {
    const { shape, values } = await trained.predict(features)
    expect(shape).toEqual([count, 1])
    expect([...values]).toEqual(sums)
  })

  test('normalises the rows of a data set', async () => {
    const halves = features.map((value) => value / 2)
    const set = data.fromArrays({ features: halves, shape: [count, 2], normalize: { scale: 2, shift: 0 } })
    expect([...(await trained.predict(set)).values]).toEqual(sums)
  })

  test.each([undefined, 'x.csv'])('refuses %j as rows', async (rows) => {
    await expect(trained.predict(rows as never)).rejects.toThrow(/^predict: the rows cannot be read — expected a data set or numbers/)
  })

  test('describes its model', () => {
    expect(trained.summary()).toBe(model.summary())
    expect(trained.picture()).toBe(model.picture())
  })
})

describe('save and loadModel', () => {
  test('a folder stands for its model.onnx', () => {
    trained.save(join(folder, 'model.onnx'))
    expect(loadModel(folder).values).toEqual(trained.values)
    expect(loadModel(join(folder, 'model.onnx')).model.toJSON()).toEqual(model.toJSON())
  })

  test.each([
    ['x.safetensors', /save: .*expected a path that ends in \.onnx, got .*\(tutti export writes safetensors\)/],
    ['x.pt', /save: .*expected a path that ends in \.onnx/],
    ['x', /expected a path that ends in \.onnx/],
  ])('nothing else is written as %s', (name, message) => {
    expect(() => trained.save(join(folder, name))).toThrow(message)
  })

  test('refuses options that nothing reads, and says what is missing', () => {
    expect(() => loadModel(folder, { dim: {} } as object)).toThrow(
      /loadModel: no option dim — expected name, dims, output \(did you mean dims\?\)/,
    )
    expect(() => loadModel(join(folder, 'none.onnx'))).toThrow(/cannot read .*none\.onnx — expected an ONNX file, or the folder/)
  })
})
