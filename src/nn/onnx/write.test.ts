import * as ort from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'
import { ConfigError, DataError, ShapeError } from '../../errors.ts'
import { u } from '../../rng.ts'
import { compile } from '../../runtime/compile.ts'
import * as nn from '../index.ts'

const everything = nn.model('everything', { image: [2, 9, 8] }, ({ image }) => {
  let h = nn.conv2d(image, 4, 3, { name: 'c1', padding: 1, stride: 2 })
  h = nn.maxPool(nn.relu(h), 2, { stride: 1 })
  h = nn.avgPool(nn.sigmoid(h), [2, 1])
  h = nn.dropout(nn.flatten(h), 0.3)
  h = nn.add(nn.dense(h, 6, { name: 'd1', bias: false }), nn.tanh(nn.dense(h, 6, { name: 'd2' })))
  return nn.reshape(h, [2, 3])
})

function initialised(model: nn.Model, seed = 4): Record<string, Float32Array> {
  const values = Object.fromEntries(model.parameters.map((spec) => [spec.name, new Float32Array(nn.parameterLength(spec))]))
  nn.initialise(model.parameters, seed, values)
  return values
}

describe('exportOnnx', () => {
  test.each([nn.lenet5(), nn.mlp([7, 5, 3]), everything])(
    '$name gives our outputs in ONNX Runtime, for several batch sizes',
    async (model) => {
      const values = initialised(model)
      const file = nn.exportOnnx(model, values)
      const session = await ort.InferenceSession.create(file)
      const [input, shape] = Object.entries(model.inputs)[0] as [string, readonly number[]]
      expect(session.inputNames).toEqual([input])
      for (const batchSize of [1, 3]) {
        await using executable = await compile(nn.inferenceGraph(model), { batchSize, driver: 'reference' })
        const x = Float32Array.from({ length: batchSize * shape.reduce((a, b) => a * b, 1) }, (_, i) => u(1, 1, 0, i) - 0.5)
        const ours = new Float32Array(executable.outputs[0]?.length ?? 0)
        const parameters = Object.fromEntries(
          Object.entries(values).map(([name, array]) => [`param:${name}`, array as Float32Array<ArrayBuffer>]),
        )
        await executable.bind({ ...parameters, [input]: x, output: ours }).run()
        const { output } = await session.run({ [input]: new ort.Tensor('float32', x, [batchSize, ...shape]) })
        expect(output?.dims).toEqual(executable.outputs[0]?.shape)
        const theirs = output?.data as Float32Array
        ours.forEach((value, i) => {
          expect(Math.abs(value - (theirs[i] as number))).toBeLessThan(1e-5)
        })
      }
      await session.release()
    },
  )

  test('refuses values that are missing or too long', () => {
    const model = nn.mlp([2, 2])
    expect(() => nn.exportOnnx(model, {})).toThrow(ConfigError)
    expect(() => nn.exportOnnx(model, { ...initialised(model), 'd1.bias': new Float32Array(3) })).toThrow(ShapeError)
  })
})

describe('importOnnx', () => {
  test('gives back the model, dropout included, and the bits of its parameters', () => {
    const values = initialised(everything)
    const { model, values: read } = nn.importOnnx(nn.exportOnnx(everything, values))
    expect(model.toJSON()).toEqual(everything.toJSON())
    expect(read).toEqual(values)
    expect(nn.trainingGraph(model, 'mean-squared-error')).toEqual(nn.trainingGraph(everything, 'mean-squared-error'))
  })

  test('refuses what is no file of ours', () => {
    expect(() => nn.importOnnx(new Uint8Array([1, 2, 3]))).toThrow(DataError)
    expect(() => nn.importOnnx(new Uint8Array())).toThrow(/no model description/)
    const file = nn.exportOnnx(everything, initialised(everything))
    expect(() => nn.importOnnx(file.subarray(0, file.length / 2))).toThrow(DataError)
  })
})
