import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { gradientPrefix } from '../graph/graph.ts'
import * as nn from './index.ts'

const read = (file: string) => nn.importOnnx(readFileSync(new URL(`../../tests/golden/onnx-${file}.onnx`, import.meta.url)))

describe('freeze', () => {
  const { model } = read('residual-20')

  test('leaves no gradient of what it fits, and everything else as it was', () => {
    const frozen = nn.freeze(model, ['stem.*', 'features.0.*'])
    const gradients = nn.trainingGraph(frozen, 'cross-entropy').outputs.map(({ name }) => name)
    for (const { name } of model.parameters) {
      const isFrozen = name.startsWith('stem.') || name.startsWith('features.0.')
      expect(gradients.includes(gradientPrefix + name)).toBe(!isFrozen)
    }
    expect(gradients.length).toBeGreaterThan(2)
    expect(frozen.parameters.map(({ name }) => name)).toEqual(model.parameters.map(({ name }) => name))
    expect(model.parameters.every(({ update }) => update !== 'nothing')).toBe(true)
  })

  test('lets a frozen batch norm use its running statistics', () => {
    const { model: own } = read('by-hand')
    const ops = (each: nn.Model) => nn.trainingGraph(each, 'mean-squared-error').nodes.map(({ op }) => op)
    expect(ops(own)).toContain('batchNormTrain')
    expect(ops(nn.freeze(own, 'bn.*'))).not.toContain('batchNormTrain')
  })

  test('freezes the running statistics of one norm together', () => {
    const { model: own } = read('by-hand')
    const frozen = nn.freeze(own, 'bn.mean').parameters.filter(({ update }) => update === 'nothing')
    expect(frozen.map(({ name }) => name)).toEqual(['bn.mean', 'bn.variance'])
  })

  test('refuses a pattern that fits nothing; a dot is a dot', () => {
    expect(() => nn.freeze(model, 'stemX*')).toThrow(/no parameter is called stemX\* — expected one of stem\.0\.weight/)
    expect(() => nn.freeze(nn.mlp([2, 2]), 'd1')).toThrow('(did you mean d1.*?)')
    expect(() => nn.freeze(nn.mlp([2, 2]), undefined as never)).toThrow('freeze: pattern cannot be used')
    expect(() => nn.freeze(nn.mlp([2, 2]), 'd1xweight')).toThrow(/no parameter/)
  })
})

describe('replaceHead', () => {
  test.each(['residual', 'residual-20', 'mlp', 'encoder', 'by-hand'])('gives %s another last layer and keeps the rest', async (file) => {
    const { model, values } = read(file)
    const renewed = nn.replaceHead({ model, values }, 7)
    expect(renewed.model.graph.outputs[0]?.shape).toEqual(['batch', 7])
    const names = renewed.model.parameters.map(({ name }) => name)
    expect(names.slice(-2)).toEqual(['head.weight', 'head.bias'])
    // Of the old layer's weight and bias neither stays.
    expect(names.length).toBeLessThanOrEqual(model.parameters.length + 1)
    for (const name of names.slice(0, -2)) expect(renewed.values[name]).toBe(values[name])
    const weight = renewed.values['head.weight'] as Float32Array
    const features = weight.length / 7
    const variance = weight.reduce((sum, x) => sum + x * x, 0) / weight.length
    expect(variance).toBeGreaterThan(0.4 / features)
    expect(variance).toBeLessThan(4.5 / features)
    expect(renewed.values['head.bias']).toEqual(new Float32Array(7))
  })

  test('gives scores of the features that the old layer read', async () => {
    const { model, values } = read('mlp')
    const { model: renewed, values: own } = nn.replaceHead({ model, values }, 3)
    const row = [0.3, -0.2, 0.9, 0.1, -0.7, 0.4]
    // With the old weights, the scores before the logarithm of the softmax.
    const old = model.parameters.filter(({ name }) => !renewed.parameters.some((spec) => spec.name === name)).map(({ name }) => name)
    const scoresOf = async (each: nn.Model, weights: Readonly<Record<string, Float32Array>>): Promise<number[]> => {
      await using predictor = await nn.Predictor.open(each, weights, { batchSize: 1 })
      return [...(await predictor.predict(row)).values]
    }
    const expected = await scoresOf(model, values)
    const [weight, bias] = old as [string, string]
    const scores = await scoresOf(renewed, { ...own, 'head.weight': values[weight]!, 'head.bias': values[bias]! })
    const logSum = Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0))
    scores.forEach((score, i) => {
      expect(score - logSum).toBeCloseTo(expected[i]!, 5)
    })
  })

  test('can be done twice, and refuses what cannot be', () => {
    const once = nn.replaceHead(read('residual'), 7)
    const twice = nn.replaceHead(once, 4, 3)
    expect(twice.model.parameters.map(({ name }) => name)).toEqual(once.model.parameters.map(({ name }) => name))
    expect(twice.model.graph.outputs[0]?.shape).toEqual(['batch', 4])
    expect(() => nn.replaceHead(once, 0)).toThrow(/expected a positive integer, got 0/)
    const bare = nn.model('bare', { x: [3] }, ({ x }) => nn.relu(x))
    expect(() => nn.replaceHead({ model: bare, values: {} }, 2)).toThrow(/has no dense layer/)
  })
})
