import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import * as nn from '../../src/nn/index.ts'
import { compile } from '../../src/runtime/compile.ts'

/** Written by sequence_blocks.py: PyTorch in float64 on the same numbers. */
const golden = JSON.parse(readFileSync(new URL('./sequence-blocks.json', import.meta.url), 'utf8')) as Record<
  string,
  { readonly loss: number; readonly gradients: Readonly<Record<string, readonly number[]>> }
>

const [batchSize, steps, width] = [3, 5, 8]

const models = {
  lstm: nn.model('lstm', { x: [steps, width] }, ({ x }) => nn.lstm(x, width, { name: 'cell', layers: 2 }).sequence),
  gru: nn.model('gru', { x: [steps, width] }, ({ x }) => nn.gru(x, width, { name: 'cell', layers: 2 }).sequence),
  block: nn.model('block', { x: [steps, width] }, ({ x }) => nn.transformerBlock(x, { name: 'b', heads: 2, causal: true })),
}

/** The numbers of the script: a formula of the element and the length of the name. */
function valuesOf(name: string, length: number): Float32Array<ArrayBuffer> {
  const values = Float32Array.from({ length }, (_, j) => Math.sin(0.7 * j + name.length) / 2)
  return name.endsWith('gain') ? values.map((value) => value + 1) : values
}

test.each(Object.entries(models))('loss and gradients are those of PyTorch: %s', async (name, model) => {
  const { loss, gradients } = golden[name] as (typeof golden)[string]
  await using executable = await compile(nn.trainingGraph(model, 'mean-squared-error'), { batchSize })
  const given: Record<string, Float32Array<ArrayBuffer>> = {
    weight: new Float32Array(batchSize).fill(1),
    divisor: Float32Array.of(batchSize),
  }
  const arrays: Record<string, Float32Array<ArrayBuffer>> = {}
  for (const input of executable.inputs) arrays[input.name] = given[input.name] ?? valuesOf(input.name.replace(/^param:/, ''), input.length)
  for (const output of executable.outputs) arrays[output.name] = new Float32Array(output.length)
  await executable.bind(arrays).run()
  expect(Math.abs((arrays.loss?.[0] as number) - loss) / loss).toBeLessThan(2e-6)
  expect(Object.keys(gradients).sort()).toEqual(model.parameters.map((spec) => spec.name).sort())
  const largest = Math.max(...Object.values(gradients).flat().map(Math.abs))
  for (const [parameter, expected] of Object.entries(gradients)) {
    const got = arrays[`gradient:${parameter}`] as Float32Array
    const worst = Math.max(...expected.map((value, j) => Math.abs(value - (got[j] as number))))
    expect(worst / largest, parameter).toBeLessThan(2e-6)
  }
})
