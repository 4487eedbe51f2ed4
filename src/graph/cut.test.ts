import { describe, expect, test } from 'vitest'
import { ConfigError } from '../errors.ts'
import { arrayConstructor } from '../memory/dtype.ts'
import type { NumericArray } from '../memory/dtype.ts'
import { initialise } from '../nn/initialise.ts'
import type { Model } from '../nn/model.ts'
import { lenet5 } from '../nn/models/lenet5.ts'
import { mlp } from '../nn/models/mlp.ts'
import { trainingGraph } from '../nn/training-graph.ts'
import { u } from '../rng.ts'
import { compile } from '../runtime/compile.ts'
import { backwardOrder, cutBackward } from './cut.ts'
import { checkGraph } from './graph.ts'
import type { Graph } from './graph.ts'

const batchSize = 4

/** Runs graphs one after the other over common arrays; outputs by name. */
async function runAll(model: Model, graphs: readonly Graph[]): Promise<Record<string, NumericArray>> {
  const arrays: Record<string, NumericArray> = {}
  for (const graph of graphs) {
    await using executable = await compile(graph, { batchSize })
    const isFirst = graph === graphs[0]
    for (const { name, dtype, length } of [...executable.inputs, ...executable.outputs])
      arrays[name] ??= new (arrayConstructor(dtype))(length)
    const parameters = executable.inputs.filter(({ name }) => name.startsWith('param:'))
    const values = Object.fromEntries(model.parameters.map((spec) => [spec.name, new Float32Array(spec.shape.reduce((a, b) => a * b, 1))]))
    initialise(model.parameters, 3, values)
    for (const { name } of parameters) arrays[name]?.set(values[name.slice('param:'.length)] ?? [])
    if (isFirst) {
      for (const name of Object.keys(model.inputs))
        arrays[name]?.set(Array.from({ length: arrays[name]?.length ?? 0 }, (_, i) => u(3, 1, 0, i)))
      arrays.target?.set([1, 0, 1, 1])
      arrays.weight?.set([1, 0.5, 2, 1])
      arrays.divisor?.fill(5)
    }
    await executable.bind(arrays).run()
  }
  return arrays
}

const order = ['out.weight', 'out.bias', 'f6.weight', 'f6.bias', 'c5.weight', 'c5.bias', 'c3.weight', 'c3.bias', 'c1.weight', 'c1.bias']

describe('backwardOrder', () => {
  test('finishes the last layer first', () => {
    const names = backwardOrder(trainingGraph(lenet5(), 'cross-entropy'))
    expect(names.map((name) => name.split('.')[0])).toEqual(order.map((name) => name.split('.')[0]))
  })
})

describe('cutBackward', () => {
  const lenet = [
    ['out.weight', 'out.bias', 'f6.weight', 'f6.bias'],
    ['c5.weight', 'c5.bias'],
    ['c3.weight', 'c3.bias', 'c1.weight', 'c1.bias'],
  ]
  const single = order.map((name) => [name])
  const perceptron = mlp([5, 7, 6, 2])
  const layers = ['d3', 'd2', 'd1'].map((layer) => [`${layer}.weight`, `${layer}.bias`])
  test.each([
    ['LeNet-5 in three', lenet5(), lenet],
    ['LeNet-5 in ten', lenet5(), single],
    ['LeNet-5 in one', lenet5(), [order]],
    ['a perceptron by layer', perceptron, layers],
  ] as const)('%s has the bits of the uncut graph', async (_, model, buckets) => {
    const whole = trainingGraph(model, 'cross-entropy')
    const segments = cutBackward(whole, buckets)
    for (const { graph } of segments) checkGraph(graph)
    const expected = await runAll(model, [whole])
    const got = await runAll(
      model,
      segments.map((segment) => segment.graph),
    )
    for (const { name } of whole.outputs) {
      expect(got[name], name).toEqual(expected[name])
      expect(
        expected[name]?.some((value) => value !== 0),
        name,
      ).toBe(true)
    }
  })

  test('gives each segment the gradients of its bucket, and the loss to the first', () => {
    const segments = cutBackward(trainingGraph(lenet5(), 'cross-entropy'), lenet)
    const results = segments.map(({ graph }) => graph.outputs.map(({ name }) => name).filter((name) => !name.startsWith('edge:')))
    expect(results).toEqual([
      ['loss', ...(lenet[0] ?? []).map((name) => `gradient:${name}`)],
      ...lenet.slice(1).map((bucket) => bucket.map((name) => `gradient:${name}`)),
    ])
  })

  test('refuses buckets that miss, repeat or invent parameters', () => {
    const whole = trainingGraph(perceptron, 'cross-entropy')
    for (const buckets of [layers.slice(1), [...layers, ['d1.bias']], [...layers.slice(1), ['d3.weight', 'd3.offset']], [...layers, []]]) {
      expect(() => cutBackward(whole, buckets)).toThrow(ConfigError)
    }
  })
})
