import { describe, expect, test } from 'vitest'
import { bindBatch } from '../graph/bind.ts'
import { elementCount } from '../graph/graph.ts'
import type { Graph } from '../graph/graph.ts'
import { arrayConstructor } from '../memory/dtype.ts'
import type { NumericArray } from '../memory/dtype.ts'
import { u } from '../rng.ts'
import { compile, driverNames } from '../runtime/compile.ts'
import { evaluate } from '../runtime/drivers/reference.ts'
import { usesBatchStatistics } from './batch-norm-form.ts'
import * as nn from './index.ts'
import { modelFromJSON } from './model.ts'

/** A small residual net: the normalised value is used twice, images and rows are normalised. */
const model = nn.model('normalised', { image: [2, 4, 4] }, ({ image }) => {
  const h = nn.relu(nn.batchNorm(nn.conv2d(image, 3, 3, { name: 'c1', padding: 1, bias: false }), { name: 'b1' }))
  const branch = nn.batchNorm(nn.conv2d(h, 3, 3, { name: 'c2', padding: 1, bias: false }), { name: 'b2', momentum: 0.3 })
  const features = nn.batchNorm(nn.globalAvgPool(nn.add(h, branch)), { name: 'b3', epsilon: 0.1 })
  return nn.dense(features, 3, { name: 'out' })
})

function feeds(graph: Graph, batchSize: number, overrides: Record<string, ArrayLike<number>> = {}): Record<string, Float64Array> {
  return Object.fromEntries(
    bindBatch(graph, batchSize).inputs.map(({ name, shape }, i) => {
      const length = elementCount(shape.map(Number))
      const own = Float64Array.from({ length }, (_, j) => (name === 'target' ? j % 3 : Math.fround(u(5, 3, i, j) - 0.3)))
      return [name, overrides[name] === undefined ? own : Float64Array.from(overrides[name])]
    }),
  )
}

const run = (graph: Graph, batchSize: number, inputs: Record<string, Float64Array>): Record<string, Float64Array> =>
  evaluate(bindBatch(graph, batchSize), inputs)

describe('batch norm in training', () => {
  const graph = nn.trainingGraph(model, 'cross-entropy')

  test('gives every running statistic an output, and declares which parameters the optimiser changes', () => {
    expect(graph.outputs.map(({ name }) => name).sort()).toEqual(['loss', ...model.parameters.map(({ name }) => `gradient:${name}`)].sort())
    expect(model.parameters.filter(({ update }) => update === 'statistic').map(({ name }) => name)).toEqual(
      ['b1', 'b2', 'b3'].flatMap((layer) => [`${layer}.running_mean`, `${layer}.running_var`]),
    )
    expect(model.numParameters).toBe(2 * 3 * 9 + 3 * 3 * 9 + 3 * 6 + 3 * 3 + 3)
  })

  test('gradients go through the statistics: they equal central differences', () => {
    const inputs = feeds(graph, 4, { weight: [1, 0.5, 2, 1], divisor: [4] })
    const result = run(graph, 4, inputs)
    const lossAt = (name: string, j: number, delta: number): number => {
      const moved = Float64Array.from(inputs[name] ?? [])
      moved[j] = (moved[j] as number) + delta
      return run(graph, 4, { ...inputs, [name]: moved }).loss?.[0] as number
    }
    for (const { name } of model.parameters.filter(({ update }) => update === undefined)) {
      const gradient = result[`gradient:${name}`] as Float64Array
      for (let j = 0; j < gradient.length; j += 5) {
        const expected = (lossAt(`param:${name}`, j, 1e-5) - lossAt(`param:${name}`, j, -1e-5)) / 2e-5
        expect(Math.abs((gradient[j] as number) - expected), `${name}[${j}]`).toBeLessThan(1e-8)
      }
    }
  })

  test('ONNX Runtime equals the reference, with long and short rows', async () => {
    const wide = nn.model('wide', { image: [2, 18, 18] }, ({ image }) => {
      const h = nn.relu(nn.batchNorm(nn.conv2d(image, 4, 3, { padding: 1 })))
      return nn.dense(nn.globalAvgPool(nn.batchNorm(nn.conv2d(nn.maxPool(h, 2), 4, 3))), 3)
    })
    for (const each of [model, wide]) {
      const both = await Promise.all(
        (['onnxruntime', 'reference'] as const).map(async (driver) => {
          expect(driverNames).toContain(driver)
          const training = nn.trainingGraph(each, 'cross-entropy')
          await using executable = await compile(training, { batchSize: 3, driver })
          const values = feeds(training, 3)
          const arrays = Object.fromEntries(
            [...executable.inputs, ...executable.outputs].map(({ name, dtype, length }) => {
              const array = new (arrayConstructor(dtype))(length)
              if (values[name] !== undefined) array.set(values[name])
              return [name, array as NumericArray]
            }),
          )
          await executable.bind(arrays).run()
          return arrays
        }),
      )
      for (const { name } of nn.trainingGraph(each, 'cross-entropy').outputs) {
        const [ours, expected] = both.map((arrays) => Array.from(arrays[name] as NumericArray)) as [number[], number[]]
        for (const [i, value] of expected.entries()) expect(ours[i], `${each.name} ${name}[${i}]`).toBeCloseTo(value, 4)
      }
    }
  })

  test('running statistics move by momentum towards the mean of the parts, the variance divided by n − 1', () => {
    const image = Array.from({ length: 6 * 32 }, (_, j) => u(8, 1, 0, j) * (1 + (j % 7)))
    const part = (from: number, to: number): Record<string, Float64Array> => {
      const inputs = feeds(graph, to - from, {
        image: image.slice(32 * from, 32 * to),
        weight: new Array<number>(to - from).fill(1),
        divisor: [6],
      })
      for (const { name } of model.parameters) inputs[`param:${name}`] = feeds(graph, 1)[`param:${name}`] as Float64Array
      return run(graph, to - from, inputs)
    }
    const parts = [part(0, 2), part(2, 6)]
    const rawStatistics = (from: number, to: number): { mean: number; variance: number } => {
      // The value that b1 normalises, its channel 1, from the definition.
      const weight = feeds(graph, 1)['param:c1.weight'] as Float64Array
      const values: number[] = []
      for (let n = from; n < to; n++) {
        for (let y = 0; y < 4; y++) {
          for (let x = 0; x < 4; x++) {
            let sum = 0
            for (let c = 0; c < 2; c++) {
              for (let tap = 0; tap < 9; tap++) {
                const [py, px] = [y + Math.floor(tap / 3) - 1, x + (tap % 3) - 1]
                if (py < 0 || px < 0 || py > 3 || px > 3) continue
                sum += (image[32 * n + 16 * c + 4 * py + px] as number) * (weight[18 + 9 * c + tap] as number)
              }
            }
            values.push(sum)
          }
        }
      }
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length
      return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1) }
    }
    const [first, second] = [rawStatistics(0, 2), rawStatistics(2, 6)]
    for (const [name, key] of [
      ['b1.running_mean', 'mean'],
      ['b1.running_var', 'variance'],
    ] as const) {
      const old = (feeds(graph, 1)[`param:${name}`] as Float64Array)[1] as number
      const taken = parts.reduce((sum, result) => sum + ((result[`gradient:${name}`] as Float64Array)[1] as number), 0)
      expect(old - taken).toBeCloseTo(0.9 * old + 0.1 * ((2 / 6) * first[key] + (4 / 6) * second[key]), 10)
    }
  })

  test('positions without a target do not count in the share of a batch', () => {
    const pixels = nn.model('pixels', { image: [1, 2, 2] }, ({ image }) => {
      const h = nn.batchNorm(nn.conv2d(image, 2, 1, { name: 'c' }), { name: 'b' })
      return h.builder.add('reshape', [h.builder.add('transpose', [h], { permutation: [0, 2, 3, 1] })], { shape: ['batch*4', 2] })
    })
    const training = nn.trainingGraph(pixels, 'cross-entropy')
    const inputs = feeds(training, 2, { weight: [1, 1], target: [0, -1, 1, -1, -1, -1, 1, 0], divisor: [8] })
    const some = run(training, 2, inputs)['gradient:b.running_mean'] as Float64Array
    const all = run(training, 2, { ...inputs, target: new Float64Array(8) })['gradient:b.running_mean'] as Float64Array
    expect(some[0]).toBeCloseTo((all[0] as number) / 2, 12)
    expect(all[0]).not.toBe(0)
  })
})

describe('batch norm in evaluation', () => {
  test('uses the running statistics, and rows do not see each other', () => {
    const graph = nn.inferenceGraph(model)
    const both = run(graph, 2, feeds(graph, 2, Object.fromEntries(['b1', 'b2', 'b3'].map((b) => [`param:${b}.running_var`, [1, 2, 0.5]]))))
    const inputs = feeds(graph, 2, Object.fromEntries(['b1', 'b2', 'b3'].map((b) => [`param:${b}.running_var`, [1, 2, 0.5]])))
    const alone = run(graph, 1, { ...inputs, image: (inputs.image as Float64Array).slice(32) })
    expect(Array.from(alone.output as Float64Array)).toEqual(Array.from((both.output as Float64Array).slice(3)))
  })

  test('stays in training where the running statistics are frozen', () => {
    const json = JSON.parse(JSON.stringify(model)) as nn.ModelJSON
    const frozen = modelFromJSON({
      ...json,
      parameters: json.parameters.map((spec) => (spec.update === 'statistic' ? { ...spec, update: 'nothing' } : spec)),
    })
    expect(usesBatchStatistics(model)).toBe(true)
    expect(usesBatchStatistics(frozen)).toBe(false)
    const graph = nn.trainingGraph(frozen, 'cross-entropy')
    expect(graph.nodes.map(({ op }) => op)).toContain('batchNorm')
    expect(graph.outputs.map(({ name }) => name)).not.toContain('gradient:b1.running_mean')
  })
})
