import * as ort from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'
import { ConfigError, ShapeError } from '../../errors.ts'
import { elementCount } from '../../graph/graph.ts'
import { u } from '../../rng.ts'
import { compile } from '../../runtime/compile.ts'
import * as nn from '../index.ts'
import type { Tensor } from '../index.ts'

type Values = Readonly<Record<string, ArrayLike<number>>>

/** Output of a model with one input, in float64 but for the arrays that are handed over. */
async function outputOf(model: nn.Model, batchSize: number, x: ArrayLike<number>, values: Values = {}): Promise<Float32Array> {
  await using executable = await compile(nn.inferenceGraph(model), { batchSize, driver: 'reference' })
  const [input] = Object.keys(model.inputs) as [string]
  const given = { ...Object.fromEntries(Object.entries(values).map(([name, array]) => [`param:${name}`, array])), [input]: x }
  const arrays = Object.fromEntries(Object.entries(given).map(([name, array]) => [name, Float32Array.from(array)]))
  const output = new Float32Array(executable.outputs[0]?.length ?? 0)
  await executable.bind({ ...arrays, output }).run()
  return output
}

const sines = Float32Array.from({ length: 48 }, (_, i) => Math.sin(1.7 * i))

function expectStart(got: Float32Array, expected: readonly number[], from = 0): void {
  for (const [i, value] of expected.entries()) expect(got[from + i]).toBeCloseTo(value, 5)
}

describe('equal to PyTorch', () => {
  test('group norm', async () => {
    const model = nn.model('grouped', { x: [4, 3, 2] }, ({ x }) => nn.groupNorm(x, 2, { name: 'norm' }))
    const got = await outputOf(model, 2, sines, { 'norm.weight': [1, 2, 3, 4], 'norm.bias': [0.5, 0, -0.5, 1] })
    expectStart(got, [0.5085658, 1.9731858, 0.1311493, -0.8587984, 1.2383369, 1.6878759])
    expectStart(got, [6.3009372, 3.2443407, -3.929236], 45)
  })

  test('instance norm', async () => {
    const model = nn.model('single', { x: [4, 3, 2] }, ({ x }) => nn.instanceNorm(x))
    expect(model.numParameters).toBe(0)
    expectStart(await outputOf(model, 2, sines), [-0.280055, 1.2307891, -0.6693829, -1.6905737])
  })

  test('transposed convolution with padding before and behind', async () => {
    const model = nn.model('raised', { x: [2, 3, 2] }, ({ x }) =>
      nn.convTranspose2d(x, 3, 3, { name: 'up', stride: 2, padding: 1, outputPadding: 1 }),
    )
    const weight = Float64Array.from({ length: 54 }, (_, i) => Math.cos(i))
    const got = await outputOf(model, 2, [...sines.slice(0, 12), ...sines.slice(24, 36)], {
      'up.weight': weight,
      'up.bias': Float64Array.of(0.1, 0.2, 0.3),
    })
    expect(model.graph.outputs[0]?.shape).toEqual(['batch', 3, 6, 4])
    expectStart(got, [-0.540205, -1.5609411, -1.1136316, -0.1343666, -0.2712108])
    expect(got.reduce((sum, value) => sum + value, 0)).toBeCloseTo(28.77616, 3)
  })
})

describe('shapes and parameters', () => {
  const shapeOf = (input: readonly number[], build: (x: Tensor) => Tensor) => nn.model('m', { x: input }, ({ x }) => build(x))

  test('convolutions over two and three dims, with strides, dilation and groups', () => {
    const wide = shapeOf([4, 9, 9], (x) => nn.conv2d(x, 6, 3, { name: 'c', dilation: 2, stride: [1, 2], groups: 2 }))
    expect(wide.graph.outputs[0]?.shape).toEqual(['batch', 6, 5, 3])
    expect(wide.parameters.map(({ name, shape }) => `${name} ${shape.join('×')}`)).toEqual(['c.weight 6×2×3×3', 'c.bias 6'])
    const deep = shapeOf([2, 8, 6, 4], (x) => nn.maxPool(nn.conv3d(x, 5, [3, 3, 1], { padding: [1, 1, 0] }), [2, 2, 1]))
    expect(deep.graph.outputs[0]?.shape).toEqual(['batch', 5, 4, 3, 4])
    expect(shapeOf([2, 3, 4], (x) => nn.globalAvgPool(nn.upsample(x, [2, 3]))).graph.outputs[0]?.shape).toEqual(['batch', 2])
  })

  test('what does not fit is refused in one line', () => {
    expect(() => shapeOf([4, 9, 9], (x) => nn.conv2d(x, 6, 3, { name: 'c', groups: 3 }))).toThrow(
      'c: the groups do not divide the channels — expected a divisor of 4 in and 6 out, got 3',
    )
    expect(() => shapeOf([4, 9, 9], (x) => nn.conv3d(x, 6, 3))).toThrow(
      /^conv3d-1: conv3d takes volumes — expected \[batch, channels, depth/,
    )
    expect(() => shapeOf([4, 9, 9], (x) => nn.maxPool(x, [2, 2, 2]))).toThrow('kernel cannot be used — expected 2 integers from 1 on')
    expect(() => shapeOf([4, 9, 9], (x) => nn.convTranspose2d(x, 2, 2, { stride: 2, outputPadding: 2 }))).toThrow(ConfigError)
    expect(() => shapeOf([4, 9, 9], (x) => nn.groupNorm(x, 3))).toThrow(ShapeError)
    expect(() => shapeOf([4], (x) => nn.upsample(x))).toThrow(/^upsample-1: upsample takes images or volumes/)
    expect(() => shapeOf([4], (x) => nn.batchNorm(x, { momentum: 2 }))).toThrow('expected epsilon > 0 and 0 ≤ momentum ≤ 1')
  })
})

describe('in files', () => {
  const norms = nn.model('norms', { image: [4, 6, 6] }, ({ image }) =>
    nn.dense(nn.globalAvgPool(nn.instanceNorm(nn.groupNorm(nn.conv2d(image, 4, 3, { groups: 4, dilation: 2 }), 2), { affine: true })), 3),
  )

  test.each([
    norms,
    nn.resnetCifar(8, { widths: [4, 6, 8], size: 8 }),
    nn.unet({ size: 8, widths: [2, 3, 4] }),
    nn.mobileNetV2({ classes: 3, size: 16, width: 0.1, skippedStrides: 4 }),
    nn.resAttNet3d({ size: 8, widths: [2, 3] }),
  ])('$name gives our outputs in ONNX Runtime, for several batch sizes', async (model) => {
    const values = Object.fromEntries(model.parameters.map((spec) => [spec.name, new Float32Array(nn.parameterLength(spec))]))
    nn.initialise(model.parameters, 4, values)
    for (const { name, update } of model.parameters) {
      // Statistics as they would be after some training.
      const array = values[name]
      if (update === 'statistic' && array !== undefined) array.set(array.map((_, i) => 0.5 + u(2, 2, 0, i)))
    }
    const session = await ort.InferenceSession.create(nn.exportOnnx(model, values))
    const [input, shape] = Object.entries(model.inputs)[0] as [string, readonly number[]]
    for (const batchSize of [1, 3]) {
      const x = Float32Array.from({ length: batchSize * elementCount(shape) }, (_, i) => u(1, 1, 0, i) - 0.5)
      const ours = await outputOf(model, batchSize, x, values)
      const { output } = await session.run({ [input]: new ort.Tensor('float32', x, [batchSize, ...shape]) })
      const theirs = output?.data as Float32Array
      expect(theirs.length).toBe(ours.length)
      const scale = Math.max(1, ...ours.map(Math.abs))
      for (const [i, value] of ours.entries()) expect(Math.abs(value - (theirs[i] as number)) / scale).toBeLessThan(1e-5)
    }
    await session.release()
  })
})
