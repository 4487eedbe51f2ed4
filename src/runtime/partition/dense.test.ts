import { describe, expect, test } from 'vitest'
import { bindBatch } from '../../graph/bind.ts'
import { GraphBuilder } from '../../graph/builder.ts'
import { elementCount } from '../../graph/graph.ts'
import type { Graph } from '../../graph/graph.ts'
import { simplify } from '../../graph/transforms/simplify.ts'
import { mlp } from '../../nn/models/mlp.ts'
import { transformerLm } from '../../nn/models/transformer.ts'
import { trainingGraph } from '../../nn/training-graph.ts'
import { u } from '../../rng.ts'
import { hasLibrary } from '../drivers/onednn/library.ts'
import { evaluate } from '../drivers/reference.ts'
import { assignSides } from './assign.ts'
import { compilePartitioned } from './partitioned.ts'

/** Numbers for every input: class numbers below `classes`, ones for weights and the divisor. */
function feedsOf(graph: Graph, classes: number): Record<string, Float64Array> {
  const draw = (name: string, dtype: string, i: number, j: number): number => {
    if (name === 'weight' || name === 'divisor') return 1
    return dtype === 'int32' ? Math.floor(classes * u(5, 2, i, j)) : Math.fround(u(5, 1, i, j) - 0.5)
  }
  return Object.fromEntries(
    graph.inputs.map(({ name, shape, dtype }, i) => [
      name,
      Float64Array.from({ length: elementCount(shape.map(Number)) }, (_, j) => draw(name, dtype, i, j)),
    ]),
  )
}

async function expectReference(graph: Graph, classes: number): Promise<void> {
  const feeds = feedsOf(graph, classes)
  await using executable = await compilePartitioned(graph, { intraOpThreads: 1, eager: true })
  const arrays = Object.fromEntries([
    ...executable.inputs.map(({ name, dtype }) => {
      const values = feeds[name] ?? []
      return [name, dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values)]
    }),
    ...executable.outputs.map(({ name, length }) => [name, new Float32Array(length)]),
  ])
  await executable.bind(arrays).run()
  const expected = evaluate(graph, feeds)
  for (const { name } of executable.outputs) {
    const values = expected[name] as Float64Array
    const scale = Math.max(1e-3, ...values.map(Math.abs))
    for (const [i, value] of values.entries()) {
      expect(Math.abs((arrays[name]?.[i] as number) - value) / scale, `${name} ${i}`).toBeLessThan(2e-5)
    }
  }
}

function product(m: number, k: number, n: number, transposeA: boolean, transposeB: boolean): Graph {
  const builder = new GraphBuilder()
  const a = builder.input('a', transposeA ? [k, m] : [m, k], 'float32')
  const b = builder.input('b', transposeB ? [n, k] : [k, n], 'float32')
  builder.output('y', builder.add('matmul', [a, b, builder.input('bias', [n], 'float32')], { transposeA, transposeB }))
  return builder.build()
}

const anchors = (graph: Graph): string[] => [...assignSides(graph).sides].filter(([, side]) => side === 'onednn').map(([id]) => id)

describe.runIf(hasLibrary())('dense graphs on oneDNN', () => {
  test('a transformer: values and gradients equal the float64 reference', async () => {
    const net = transformerLm({ vocabulary: 11, steps: 5, width: 16, layers: 2, heads: 2 })
    await expectReference(bindBatch(trainingGraph(net, 'cross-entropy'), 3), 11)
  })

  test('a perceptron: values and gradients equal the float64 reference', async () => {
    await expectReference(bindBatch(trainingGraph(mlp([7, 20, 9, 4]), 'cross-entropy'), 6), 4)
  })

  test('wide products in all four orientations equal the float64 reference', async () => {
    for (const transposeA of [false, true]) {
      for (const transposeB of [false, true]) {
        for (const [m, k, n] of [
          [3, 5, 2600],
          [3, 2600, 5],
          [2600, 3, 5],
        ] as const) {
          await expectReference(product(m, k, n, transposeA, transposeB), 2)
        }
      }
    }
  })

  test('one primitive computes all gradients of a layer norm, and a product applies its activation', () => {
    const norm = simplify(bindBatch(trainingGraph(transformerLm({ vocabulary: 11, steps: 5, width: 16, layers: 1 }), 'cross-entropy'), 3))
    const { fusions } = assignSides(norm, { eager: true })
    const opOf = (id: string): string | undefined => norm.nodes.find((node) => node.id === id)?.op
    const companions = norm.nodes
      .filter((node) => node.op === 'layerNormGradient')
      .map((node) => (fusions.companionsOf.get(node.id) ?? []).map(opOf).sort())
    expect(companions).toEqual(new Array(3).fill(['layerNormGainGradient', 'reduceSum']))
    const dense = simplify(bindBatch(trainingGraph(mlp([7, 20, 9, 4]), 'cross-entropy'), 6))
    expect([...assignSides(dense, { eager: true }).fusions.activationOf.values()].map(({ op }) => op)).toEqual(['relu', 'relu'])
  })

  test('a loss and its gradient share one softmax, exact for scores far apart and for rows that do not count', async () => {
    const builder = new GraphBuilder()
    const scores = builder.input('scores', [5, 4], 'float32')
    const loss = [
      scores,
      builder.input('target', [5], 'int32'),
      builder.input('weight', [5], 'float32'),
      builder.input('divisor', [], 'float32'),
    ]
    builder.output('loss', builder.add('softmaxCrossEntropy', loss, {}))
    builder.output('gradient', builder.add('softmaxCrossEntropyGradient', loss, {}))
    const graph = builder.build()
    expect(assignSides(graph, { eager: true }).fusions.absorbed.size).toBe(1)
    const arrays = {
      // The probability of the first row's target is no float32: its logarithm is −180 all the same.
      scores: Float32Array.of(-90, 90, 0, 0, 1, 2, 3, 4, 80, 0, 0, -80, 5, 6, 7, 8, 0.5, 0.25, 0, -0.25),
      target: Int32Array.of(0, 3, 3, -1, 1),
      weight: Float32Array.of(1, 2, 1, 1, 0.5),
      divisor: Float32Array.of(2),
    }
    const expected = evaluate(graph, Object.fromEntries(Object.entries(arrays).map(([name, values]) => [name, Float64Array.from(values)])))
    const made = { loss: new Float32Array(1), gradient: new Float32Array(20) }
    await using executable = await compilePartitioned(graph, { intraOpThreads: 1, eager: true })
    const bound = executable.bind({ ...arrays, ...made })
    for (let run = 0; run < 2; run++) {
      await bound.run()
      expect(made.loss[0]).toBeCloseTo((expected['loss'] as Float64Array)[0] as number, 4)
      for (const [i, value] of (expected['gradient'] as Float64Array).entries()) expect(made.gradient[i]).toBeCloseTo(value, 6)
    }
    expect([...made.gradient.subarray(12, 16)]).toEqual([0, 0, 0, 0])
  })

  test.each([4, -2])('a target that is no class is refused: %i', async (target) => {
    const builder = new GraphBuilder()
    const loss = [builder.input('scores', [2, 4], 'float32'), builder.input('target', [2], 'int32')]
    loss.push(builder.input('weight', [2], 'float32'), builder.input('divisor', [], 'float32'))
    builder.output('gradient', builder.add('softmaxCrossEntropyGradient', loss, {}))
    await using executable = await compilePartitioned(builder.build(), { intraOpThreads: 1, eager: true })
    const arrays = {
      scores: new Float32Array(8),
      weight: Float32Array.of(1, 1),
      divisor: Float32Array.of(1),
      gradient: new Float32Array(8),
    }
    await expect(executable.bind({ ...arrays, target: Int32Array.of(1, target) }).run()).rejects.toThrow(
      `target ${target} of row 1 is no class — expected 0 to 3`,
    )
  })

  test.each(['copied', 'packed', 'onnxruntime'] as const)(
    'a product that was measured is computed as its plan says: %s',
    async (formulation) => {
      const graph = product(256, 256, 256, false, true)
      const key = 'matmul 256×256 · 256×256ᵀ + bias'
      const products = { [key]: formulation }
      expect(assignSides(graph, { products }).sides.get(graph.nodes[0]?.id ?? '')).toBe(
        formulation === 'onnxruntime' ? 'onnxruntime' : 'onednn',
      )
      await using executable = await compilePartitioned(graph, { intraOpThreads: 1, products })
      const feeds = feedsOf(graph, 2)
      const arrays = Object.fromEntries(Object.entries(feeds).map(([name, values]) => [name, Float32Array.from(values)]))
      const y = new Float32Array(256 * 256)
      await executable.bind({ ...arrays, y }).run()
      const expected = evaluate(graph, feeds)['y'] as Float64Array
      expect(Math.max(...expected.map((value, i) => Math.abs(value - (y[i] as number))))).toBeLessThan(1e-4)
      expect(executable.plan).toEqual({ driver: 'onednn', products })
    },
  )

  test('only large products are worth leaving ONNX Runtime for', () => {
    expect(anchors(product(32, 64, 64, false, true))).toEqual([])
    expect(anchors(product(256, 256, 256, false, true))).toHaveLength(1)
    expect(anchors(bindBatch(trainingGraph(mlp([4, 64, 64, 2]), 'cross-entropy'), 32))).toEqual([])
  })
})
