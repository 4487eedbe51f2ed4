import { readFileSync } from 'node:fs'
import * as ort from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'
import { compile } from '../../runtime/compile.ts'
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

test.each(['onnx-lstm.onnx', 'onnx-gru.onnx'])('%s: a step of training lowers the loss', async (file) => {
  const { model, values } = nn.importOnnx(bytesOf(file))
  const { input } = golden.find((each) => each.file === file) as Golden
  const graph = nn.trainingGraph(model, 'cross-entropy')
  const batchSize = 3
  await using executable = await compile(graph, { batchSize })
  const arrays: Record<string, Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>> = {
    x: file.includes('lstm') ? Int32Array.from(input) : Float32Array.from(input),
    target: Int32Array.of(0, 1, 2),
    weight: new Float32Array(batchSize).fill(1),
    divisor: Float32Array.of(batchSize),
    ...Object.fromEntries(Object.entries(values).map(([name, array]) => [`param:${name}`, array])),
  }
  for (const { name, length } of executable.outputs) arrays[name] = new Float32Array(length)
  const bound = executable.bind(arrays)
  await bound.run()
  const before = (arrays.loss as Float32Array)[0] as number
  const recurrent = model.parameters.filter(({ name }) => /\.(recurrent|candidateBias)$/.test(name))
  expect(recurrent).toHaveLength(file.includes('gru') ? 4 : 2)
  for (const { name } of model.parameters) {
    const gradient = arrays[`gradient:${name}`] as Float32Array
    expect(
      gradient.some((value) => value !== 0),
      name,
    ).toBe(true)
    values[name]?.forEach((value, i) => {
      ;(values[name] as Float32Array)[i] = value - 0.1 * (gradient[i] as number)
    })
  }
  await bound.run()
  expect((arrays.loss as Float32Array)[0]).toBeLessThan(before)
})

describe.each(golden)('importOnnx $file', ({ file, input, inputShape, output, outputShape }) => {
  const imported = nn.importOnnx(bytesOf(file))
  const { model, values } = imported

  test('computes what the program that wrote it computes', async () => {
    await using predictor = await nn.Predictor.open(model, values, { batchSize: 3 })
    const { values: scores, shape } = await predictor.predict(input)
    expect(shape).toEqual(outputShape)
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
