import { readFileSync } from 'node:fs'
import * as ort from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'
import * as nn from '../index.ts'

interface Golden {
  readonly file: string
  readonly input: readonly number[]
  readonly inputShape: readonly number[]
  readonly output: readonly number[]
  readonly outputShape: readonly number[]
}

const folder = new URL('../../../tests/golden/', import.meta.url)
const golden = JSON.parse(readFileSync(new URL('onnx-models.json', folder), 'utf8')) as readonly Golden[]
const bytesOf = (file: string): Uint8Array => readFileSync(new URL(file, folder))

/** Largest difference, relative to numbers above 1. */
function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length)
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] as number)) / Math.max(1, Math.abs(value))), 0)
}

describe.each(golden)('importOnnx $file', ({ file, input, inputShape, output, outputShape }) => {
  const imported = nn.importOnnx(bytesOf(file))
  const { model, values } = imported

  test('computes what the program that wrote it computes', async () => {
    await using predictor = await nn.Predictor.open(model, values, { batchSize: 3 })
    const { values: scores, shape } = await predictor.predict(input)
    expect([input.length / inputShape.slice(1).reduce((a, b) => a * b, 1), ...shape]).toEqual(outputShape)
    expect(distance(output, scores)).toBeLessThan(1e-5)
  })

  test('computes it once more when it is exported again', async () => {
    const session = await ort.InferenceSession.create(nn.exportOnnx(model, values))
    const [name, spec] = Object.entries(model.inputs)[0] as [string, nn.InputShapes[string]]
    const tensor =
      'dtype' in spec
        ? new ort.Tensor('int32', Int32Array.from(input), inputShape)
        : new ort.Tensor('float32', Float32Array.from(input), inputShape)
    const { output: scores } = await session.run({ [name]: tensor })
    await session.release()
    expect(scores?.dims).toEqual(outputShape)
    expect(distance(output, scores?.data as Float32Array)).toBeLessThan(1e-5)
  })

  test('can be trained', () => {
    const graph = nn.trainingGraph(model, 'mean-squared-error')
    const names = graph.outputs.map(({ name }) => name)
    for (const spec of model.parameters) {
      if (spec.update !== 'nothing') expect(names).toContain(`gradient:${spec.name}`)
    }
  })
})
