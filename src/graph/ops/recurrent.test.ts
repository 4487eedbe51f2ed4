import { describe, expect, test } from 'vitest'
import * as nn from '../../nn/index.ts'
import { u } from '../../rng.ts'
import { compile } from '../../runtime/compile.ts'
import type { Graph } from '../graph.ts'
import { bucket } from '../transforms/bucket.ts'

const model = (kind: 'lstm' | 'gru', hasState: boolean): nn.Model =>
  nn.model(kind, { tokens: { shape: [4], dtype: 'int32' } }, ({ tokens }) => {
    const h = nn.embedding(tokens, 11, 5, { name: 'words' })
    // The state comes from another layer, so that it has a gradient.
    const layer = kind === 'lstm' ? nn.lstm : nn.gru
    const first = layer(h, 6, { name: 'first' })
    const second = layer(h, 6, { name: 'second', ...(hasState ? { state: first.state } : {}) })
    return nn.dense(nn.rows(nn.add(first.sequence, second.sequence)), 7, { name: 'out' })
  })

type Values = Record<string, Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>>

async function run(graph: Graph, values: Values, batchSize: number, driver: 'onnxruntime' | 'reference' = 'onnxruntime'): Promise<void> {
  await using executable = await compile(graph, { batchSize, driver })
  for (const { name, length, dtype } of executable.inputs) {
    const draw = (_: unknown, i: number): number => u(1, 3, name.length, i)
    values[name] ??=
      dtype === 'int32'
        ? Int32Array.from({ length }, (_, i) => Math.floor(7 * draw(_, i)))
        : Float32Array.from({ length }, (_, i) => draw(_, i) - 0.5)
  }
  for (const { name, length } of executable.outputs) values[name] = new Float32Array(length)
  await executable.bind(values).run()
}

describe.each([
  ['lstm', false],
  ['lstm', true],
  ['gru', false],
  ['gru', true],
] as const)('%s, state of another layer: %s', (kind, hasState) => {
  const graph = nn.trainingGraph(model(kind, hasState), 'cross-entropy')

  test('loss and gradients on ONNX Runtime are those of the float64 reference', async () => {
    const [ours, expected]: [Values, Values] = [{}, {}]
    await run(graph, ours, 3)
    await run(graph, expected, 3, 'reference')
    for (const { name } of graph.outputs) {
      const [got, right] = [ours[name] as Float32Array, expected[name] as Float32Array]
      const largest = Math.max(...right.map(Math.abs))
      expect(largest, name).toBeGreaterThan(1e-4)
      expect(Math.max(...got.map((value, i) => Math.abs(value - (right[i] as number)))) / largest, name).toBeLessThan(1e-5)
    }
  })

  // Products of one row take another way through ONNX Runtime.
  test.each([1, 3])('a gradient in a segment of its own has the same bits: batch %i', async (batchSize) => {
    const whole: Values = {}
    await run(graph, whole, batchSize)
    const rest = model(kind, hasState)
      .parameters.map(({ name }) => name)
      .filter((name) => !name.startsWith('out.'))
    const pieces: Values = {}
    for (const segment of bucket(graph, [['out.weight', 'out.bias'], rest.slice(1), rest.slice(0, 1)]))
      await run(segment.graph, pieces, batchSize)
    for (const { name } of graph.outputs) expect(pieces[name], name).toEqual(whole[name])
  })
})
