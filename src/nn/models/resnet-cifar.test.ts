import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { arrayConstructor } from '../../memory/dtype.ts'
import type { NumericArray } from '../../memory/dtype.ts'
import { compile } from '../../runtime/compile.ts'
import * as nn from '../index.ts'

/** PyTorch's numbers for one step, see `residual_net.py`. */
interface Golden {
  readonly loss: number
  readonly gradients: readonly number[]
  readonly statistics: readonly (readonly number[])[]
  readonly evaluated: readonly number[]
}

const golden = JSON.parse(readFileSync(new URL('../../../tests/golden/residual-net.json', import.meta.url), 'utf8')) as Golden

function hashed(k: number, length: number): Float64Array {
  return Float64Array.from({ length }, (_, j) => {
    const value = Math.sin((j + 1) * 12.9898 + (k + 1) * 78.233) * 43758.5453
    return value - Math.floor(value)
  })
}

const batchSize = 5

test('loss, gradients, running statistics and evaluation of a small residual net equal those of PyTorch', async () => {
  const model = nn.resnetCifar(8, { widths: [4, 6, 8], size: 8 })
  const trained = model.parameters.filter(({ update }) => update === undefined)
  const statistics = model.parameters.filter(({ update }) => update === 'statistic')
  await using training = await compile(nn.trainingGraph(model, 'cross-entropy'), { batchSize })
  const arrays: Record<string, NumericArray> = Object.fromEntries(
    [...training.inputs, ...training.outputs].map(({ name, dtype, length }) => [name, new (arrayConstructor(dtype))(length)]),
  )
  const array = (name: string): NumericArray => arrays[name] as NumericArray
  trained.forEach(({ name, shape }, k) => {
    const values = hashed(k, nn.parameterLength({ shape } as nn.ParameterSpec))
    const fan = shape.slice(1).reduce((product, extent) => product * extent, 1)
    array(`param:${name}`).set(shape.length === 1 ? values : values.map((value) => (value - 0.5) * 2 * Math.sqrt(6 / fan)))
  })
  for (const { name } of statistics) array(`param:${name}`).fill(name.endsWith('var') ? 1 : 0)
  array('image').set(hashed(1000, array('image').length).map((value) => (value - 0.5) * 2))
  array('target').set([0, 1, 2, 3, 4])
  array('weight').fill(1)
  array('divisor').fill(batchSize)
  await training.bind(arrays).run()

  expect(array('loss')[0]).toBeCloseTo(golden.loss, 4)
  trained.forEach(({ name }, k) => {
    const norm = Math.hypot(...array(`gradient:${name}`))
    expect(norm / (golden.gradients[k] as number), name).toBeCloseTo(1, 4)
  })
  statistics.forEach(({ name }, k) => {
    // What a step does, whatever the optimiser.
    const values = array(`param:${name}`).map((value, i) => value - (array(`gradient:${name}`)[i] as number))
    for (const [i, value] of golden.statistics[k]?.entries() ?? []) expect(values[i], `${name}[${i}]`).toBeCloseTo(value, 5)
    array(`param:${name}`).set(values)
  })

  await using inference = await compile(nn.inferenceGraph(model), { batchSize })
  const output = new Float32Array(batchSize * 10)
  await inference.bind({ ...arrays, output }).run()
  for (const [i, value] of golden.evaluated.entries()) expect(output[i]).toBeCloseTo(value, 4)
})
