import { describe, expect, test } from 'vitest'
import { bindBatch } from '../../../../graph/bind.ts'
import { GraphBuilder } from '../../../../graph/builder.ts'
import { elementCount } from '../../../../graph/graph.ts'
import type { Graph } from '../../../../graph/graph.ts'
import type { OpAttributes, OpName } from '../../../../graph/ops/attributes.ts'
import { cases } from '../../../../graph/ops/cases/index.ts'
import { use } from '../../../../graph/ops/cases/case.ts'
import type { Case } from '../../../../graph/ops/cases/case.ts'
import { u } from '../../../../rng.ts'
import { assignSides } from '../../../partition/assign.ts'
import { compilePartitioned } from '../../../partition/partitioned.ts'
import { evaluate } from '../../reference.ts'
import { hasLibrary } from '../library.ts'
import { dnnRules } from './table.ts'

/** The case as a graph with the one output `y`. */
function graphOf({ op, attrs, inputs }: Case, batch: number): Graph {
  const builder = new GraphBuilder()
  const values = inputs.map((input, i) =>
    'shape' in input ? builder.input(`x${i}`, input.shape, 'int32') : builder.input(`x${i}`, input, 'float32'),
  )
  builder.output('y', builder.add(op, values, attrs as OpAttributes[OpName]))
  return bindBatch(builder.build(), batch)
}

/** Numbers for every input: rounded to float32, or class numbers and −1. */
function feedsOf(graph: Graph, { inputs, range = [-1, 1] }: Case): Record<string, Float64Array> {
  const [low, high] = range
  const draw = (i: number, j: number): number => {
    const input = inputs[i]
    if (input !== undefined && 'shape' in input) return Math.floor((input.classes + 1) * u(3, 78, i, j)) - 1
    return Math.fround(low + (high - low) * u(3, 78, i, j))
  }
  return Object.fromEntries(
    graph.inputs.map(({ name, shape }, i) => [name, Float64Array.from({ length: elementCount(shape.map(Number)) }, (_, j) => draw(i, j))]),
  )
}

const image = ['batch', 20, 3, 5] as const

/** Operators that the general cases use on matrices only. */
const onImages: readonly Case[] = [
  ...(['relu', 'tanh', 'sigmoid'] as const).flatMap((op) => [use(op, {}, [image]), use(`${op}Gradient`, {}, [image, image])]),
  ...(['add', 'sub', 'mul', 'div'] as const).flatMap((op) => [
    use(op, {}, [image, image], [0.5, 2]),
    use(op, {}, [image, [1, 20, 1, 1]], [0.5, 2]),
    use(op, {}, [image, [20, 1, 1]], [0.5, 2]),
  ]),
  use('scale', { factor: -2.5 }, [image]),
  use('dropout', { rate: 0.5 }, [image, image]),
  use('dropout', { rate: 0.5 }, [image]),
  use('reshape', { shape: ['batch', 300] }, [image]),
  use('concat', { dim: 1 }, [image, ['batch', 3, 3, 5], image]),
  use('concat', { dim: 3 }, [image, image]),
  use('slice', { dim: 1, start: 3, end: 17 }, [image]),
  use('slice', { dim: 2, start: 1, end: 2 }, [image]),
  use('pad', { before: [0, 2, 1, 0], after: [0, 0, 2, 3] }, [image]),
  use('relu', {}, [['batch', 3, 2, 3, 4]]),
]

const supported = [...cases, ...onImages].filter((each) => {
  const graph = graphOf(each, 3)
  return assignSides(graph, { eager: true }).sides.get(graph.nodes[0]?.id ?? '') === 'onednn'
})

describe.runIf(hasLibrary())('oneDNN', () => {
  test('has a case that it runs for every one of its rules', () => {
    expect(new Set(supported.map(({ op }) => op))).toEqual(new Set(Object.keys(dnnRules)))
  })

  test.each(supported.map((each) => [`${each.op} ${JSON.stringify(each.attrs)} ${JSON.stringify(each.inputs)}`, each] as const))(
    'equals the float64 reference: %s',
    async (_, each) => {
      const graph = graphOf(each, 3)
      const feeds = feedsOf(graph, each)
      await using executable = await compilePartitioned(graph, { intraOpThreads: 1, eager: true })
      const y = new Float32Array(executable.outputs[0]?.length ?? 0)
      const arrays = Object.fromEntries(
        graph.inputs.map(({ name, dtype }) => {
          const values = feeds[name] ?? []
          return [name, dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values)]
        }),
      )
      const bound = executable.bind({ ...arrays, y })
      await bound.run()
      const first = y.slice()
      // What a run leaves behind in the block is no part of the next.
      await bound.run()
      expect(y).toEqual(first)
      const expected = evaluate(graph, feeds).y as Float64Array
      const scale = Math.max(1e-3, ...expected.map(Math.abs))
      for (const [i, value] of expected.entries()) expect(Math.abs((y[i] as number) - value) / scale, `element ${i}`).toBeLessThan(1e-5)
    },
  )
})
