import { expect, test } from 'vitest'
import { readFileSync } from 'node:fs'
import { initialise, lenet5, parameterLength, trainingGraph } from '../../src/nn/index.ts'
import { u } from '../../src/rng.ts'
import { compile } from '../../src/runtime/compile.ts'

/** Written by lenet5_curve.py: PyTorch in float64 from the same first parameters on the same batches. */
const golden = JSON.parse(readFileSync(new URL('./lenet5-curve.json', import.meta.url), 'utf8')) as {
  readonly steps: number
  readonly batchSize: number
  readonly learningRate: number
  readonly momentum: number
  readonly firstWeights: readonly number[]
  readonly losses: readonly number[]
  readonly finalWeightNorms: readonly number[]
}

function fillBatch(step: number, image: Float32Array, target: Int32Array): void {
  for (let row = 0; row < golden.batchSize; row++) {
    const n = golden.batchSize * step + row
    const k = Math.floor(10 * u(7, 2, n, 0))
    target[row] = k
    for (let pixel = 0; pixel < 784; pixel++) {
      const y = Math.floor(pixel / 28)
      image[784 * row + pixel] = u(7, 1, n, pixel) / 2 + (y >= 2 * k + 4 && y < 2 * k + 7 ? 0.5 : 0)
    }
  }
}

test("LeNet-5's loss curve and final weights are PyTorch's", async () => {
  const { batchSize } = golden
  const model = lenet5()
  await using executable = await compile(trainingGraph(model, 'cross-entropy'), { batchSize })
  const image = new Float32Array(batchSize * 784)
  const target = new Int32Array(batchSize)
  const loss = new Float32Array(1)
  const arrays = (): Record<string, Float32Array<ArrayBuffer>> =>
    Object.fromEntries(model.parameters.map((spec) => [spec.name, new Float32Array(parameterLength(spec))]))
  const [weights, gradients, velocities] = [arrays(), arrays(), arrays()]
  initialise(model.parameters, 1, weights)
  expect([...(weights['c1.weight'] as Float32Array).subarray(0, 4)]).toEqual(golden.firstWeights)
  const named = (prefix: string, values: typeof weights) =>
    Object.fromEntries(Object.entries(values).map(([name, array]) => [prefix + name, array]))
  const bound = executable.bind({
    image,
    target,
    weight: new Float32Array(batchSize).fill(1),
    divisor: Float32Array.of(batchSize),
    loss,
    ...named('param:', weights),
    ...named('gradient:', gradients),
  })
  const losses: number[] = []
  for (let step = 0; step < golden.steps; step++) {
    fillBatch(step, image, target)
    await bound.run()
    losses.push(loss[0] as number)
    for (const { name } of model.parameters) {
      const [w, g, v] = [weights, gradients, velocities].map((values) => values[name]) as [Float32Array, Float32Array, Float32Array]
      w.forEach((value, i) => {
        v[i] = golden.momentum * (v[i] as number) + (g[i] as number)
        w[i] = value - golden.learningRate * (v[i] as number)
      })
    }
  }
  expect(losses).toHaveLength(golden.losses.length)
  // float32 against float64: rounding, amplified by twenty steps.
  golden.losses.forEach((expected, step) => {
    expect(Math.abs((losses[step] as number) - expected) / expected, `step ${step}`).toBeLessThan(2e-5)
  })
  model.parameters.forEach(({ name }, i) => {
    const norm = Math.sqrt((weights[name] as Float32Array).reduce((sum, w) => sum + w * w, 0))
    expect(norm / (golden.finalWeightNorms[i] as number), name).toBeCloseTo(1, 4)
  })
})
