import { describe, expect, test } from 'vitest'
import { ShapeError } from '../errors.ts'
import { bindBatch } from '../graph/bind.ts'
import { elementCount } from '../graph/graph.ts'
import type { Graph } from '../graph/graph.ts'
import { u } from '../rng.ts'
import { evaluate } from '../runtime/drivers/reference.ts'
import * as nn from './index.ts'

const withOutputs = (outputs: number) =>
  nn.model('dropped', { x: [5] }, ({ x }) => {
    const h = nn.dropout(nn.tanh(nn.dense(x, 6, { name: 'a' })), 0.5, { name: 'drop' })
    return nn.dense(h, outputs, { name: 'b' })
  })
const dropped = withOutputs(3)

/** Reproducible values of every input; `overrides` by name. */
function feeds(graph: Graph, batchSize: number, overrides: Record<string, number[]>): Record<string, Float64Array> {
  return Object.fromEntries(
    bindBatch(graph, batchSize).inputs.map(({ name, shape }, i) => {
      const length = elementCount(shape.map(Number))
      return [name, Float64Array.from(overrides[name] ?? Array.from({ length }, (_, j) => u(5, 3, i, j) - 0.5))]
    }),
  )
}

function run(graph: Graph, batchSize: number, overrides: Record<string, number[]>): Record<string, Float64Array> {
  return evaluate(bindBatch(graph, batchSize), feeds(graph, batchSize, overrides))
}

const rows = { x: [0.1, 0.2, 0.3, 0.4, 0.5, -1, 0, 1, 0, -1, 1, 1, 1, 1, 1], target: [0, 2, 1] }

describe('trainingGraph', () => {
  test('has the inputs and outputs of the contract', () => {
    const graph = nn.trainingGraph(dropped, 'cross-entropy')
    expect(graph.inputs.map(({ name, shape, dtype }) => `${name} ${dtype}[${shape.join()}]`).sort()).toEqual(
      [
        'x float32[batch,5]',
        'target int32[batch]',
        'weight float32[batch]',
        'divisor float32[]',
        'mask:drop float32[batch,6]',
        'param:a.weight float32[6,5]',
        'param:a.bias float32[6]',
        'param:b.weight float32[3,6]',
        'param:b.bias float32[3]',
      ].sort(),
    )
    expect(graph.outputs.map(({ name }) => name)).toEqual(['loss', ...dropped.parameters.map(({ name }) => `gradient:${name}`)])
    expect(nn.maskInputs(dropped)).toEqual([{ name: 'mask:drop', layer: 'drop', rate: 0.5, elementsPerSample: 6 }])
    expect(JSON.parse(JSON.stringify(graph))).toEqual(graph)
  })

  test.each(nn.lossNames)('partial sums of uneven parts add up to the whole: %s', (loss) => {
    const model = loss === 'binary-cross-entropy' ? withOutputs(1) : dropped
    const graph = nn.trainingGraph(model, loss)
    const mask = (n: number) => Array.from({ length: 6 * n }, (_, i) => (i % 2) * 2)
    const target = { 'cross-entropy': rows.target, 'binary-cross-entropy': [1, 0, 1], 'mean-squared-error': [1, 2, 3, 4, 5, 6, 7, 8, 9] }[
      loss
    ]
    const perRow = target.length / 3
    const fixed = feeds(graph, 1, {})
    const parameters = Object.fromEntries(model.parameters.map(({ name }) => [`param:${name}`, [...(fixed[`param:${name}`] ?? [])]]))
    const part = (from: number, to: number, weight: number[]) =>
      run(graph, to - from, {
        ...parameters,
        x: rows.x.slice(5 * from, 5 * to),
        target: target.slice(perRow * from, perRow * to),
        weight,
        divisor: [3],
        'mask:drop': mask(to - from),
      })
    const whole = part(0, 3, [1, 0.5, 2])
    const [first, second] = [part(0, 1, [1]), part(1, 3, [0.5, 2])]
    for (const { name } of graph.outputs) {
      whole[name]?.forEach((value, i) => {
        expect((first[name]?.[i] ?? 0) + (second[name]?.[i] ?? 0), name).toBeCloseTo(value, 12)
      })
    }
    // A padded row of weight 0 changes nothing.
    const padded = part(0, 3, [1, 0.5, 0])
    const shorter = part(0, 2, [1, 0.5])
    padded['gradient:b.weight']?.forEach((value, i) => {
      expect(value).toBeCloseTo(shorter['gradient:b.weight']?.[i] ?? Number.NaN, 12)
    })
  })

  test('counts every position of a sample, and none whose target is -1', () => {
    const model = nn.model('positions', { x: [4, 5] }, ({ x }) => nn.dense(x.builder.add('reshape', [x], { shape: ['batch*4', 5] }), 3))
    const graph = nn.trainingGraph(model, 'cross-entropy')
    expect(graph.inputs.find(({ name }) => name === 'target')).toMatchObject({ shape: ['batch', 4], dtype: 'int32' })
    const at = (target: number[], divisor: number) => run(graph, 2, { target, weight: [1, 2], divisor: [divisor] }).loss?.[0] as number
    const single = [0, 1, 2, 3].map((t) => at([-1, -1, -1, -1, -1, -1, -1, -1].with(t, 1), 1))
    const second = at([-1, -1, -1, -1, -1, -1, 2, -1], 1)
    const all = at([1, 1, -1, 1, -1, -1, 2, -1], 4)
    expect(all).toBeCloseTo(((single[0] as number) + (single[1] as number) + (single[3] as number) + second) / 4, 12)
    expect(single.every((loss) => loss > 0)).toBe(true)
  })

  test('refuses a loss that does not fit the output', () => {
    expect(() => nn.trainingGraph(dropped, 'binary-cross-entropy')).toThrow(/takes one score a sample/)
    const images = nn.model('images', { x: [1, 4, 4] }, ({ x }) => nn.conv2d(x, 2, 3))
    expect(() => nn.trainingGraph(images, 'cross-entropy')).toThrow(ShapeError)
    expect(nn.trainingGraph(images, 'mean-squared-error').outputs).toHaveLength(3)
  })
})

describe('evaluationGraph and inferenceGraph', () => {
  test('count hits, sum losses without a divisor, and leave dropout out', () => {
    const evaluation = nn.evaluationGraph(dropped, 'cross-entropy')
    const inference = nn.inferenceGraph(dropped)
    expect([...evaluation.nodes, ...inference.nodes].filter(({ op }) => op === 'dropout')).toEqual([])
    expect(evaluation.inputs.map(({ name }) => name)).not.toContain('divisor')
    const parameters = Object.fromEntries(Object.entries(feeds(inference, 3, {})).map(([name, values]) => [name, [...values]]))
    const scores = run(inference, 3, { ...parameters, x: rows.x }).output as Float64Array
    const weight = [1, 1, 0.5]
    const result = run(evaluation, 3, { ...parameters, ...rows, weight })
    let loss = 0
    let correct = 0
    rows.target.forEach((k, i) => {
      const row = [...scores.subarray(3 * i, 3 * i + 3)]
      loss -= (weight[i] as number) * Math.log(Math.exp(row[k] as number) / row.reduce((sum, s) => sum + Math.exp(s), 0))
      if (row.indexOf(Math.max(...row)) === k) correct += weight[i] as number
    })
    expect(result.loss?.[0]).toBeCloseTo(loss, 12)
    expect(result.tally?.[0]).toBe(correct)
    expect(nn.evaluationGraph(dropped, 'mean-squared-error').outputs.map(({ name }) => name)).toEqual(['loss'])
  })
})
