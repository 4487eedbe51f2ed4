import { describe, expect, test } from 'vitest'
import { arrayConstructor } from '../../memory/dtype.ts'
import type { NumericArray } from '../../memory/dtype.ts'
import * as nn from '../../nn/index.ts'
import type { Model } from '../../nn/model.ts'
import { ctrNetwork } from '../../nn/models/ctr-network.ts'
import { trainingGraph } from '../../nn/training-graph.ts'
import { u } from '../../rng.ts'
import { compile } from '../../runtime/compile.ts'
import type { DriverName } from '../../runtime/compile.ts'
import { hasLibrary } from '../../runtime/drivers/onednn/library.ts'
import { bindShape, checkGraph, elementCount } from '../graph.ts'
import type { Graph } from '../graph.ts'
import { backwardOrder, bucket } from './bucket.ts'
import { micro } from './micro.ts'
import { sparseRows } from './sparse-rows.ts'
import type { SparseRows } from './sparse-rows.ts'

type Arrays = Record<string, NumericArray>

const batchSize = 6
const ids = 50
const drivers: readonly DriverName[] = hasLibrary() ? ['onnxruntime', 'onednn'] : ['onnxruntime']

const click = ctrNetwork({ fields: 4, ids, width: 5, hidden: [8] })

/** Two uses of one table, and two readers of another, one of which is a product: tied weights. */
const twice = nn.model('twice', { ids: { shape: [2], dtype: 'int32' } }, ({ ids: given }) => {
  const column = (k: number) => nn.reshape(nn.slice(given, 1, k, k + 1), [])
  const [shared, tied] = ['shared', 'tied'].map((name) => nn.parameter(given, name, [ids, 3])) as [nn.Tensor, nn.Tensor]
  const h = nn.mul(nn.embedding(column(0), ids, 3, { weight: shared }), nn.embedding(column(1), ids, 3, { weight: shared }))
  const both = nn.add(h, nn.embedding(column(0), ids, 3, { weight: tied }))
  return nn.slice(both.builder.add('matmul', [both, tied], { transposeA: false, transposeB: true }, 'out'), 1, 0, 2)
})

/** Reproducible arrays for the inputs; few ids, so that rows repeat within a batch. */
function inputsOf({ inputs }: Graph): Arrays {
  const value = (name: string, dtype: string, draw: number): number => {
    if (name === 'divisor') return 5
    if (name === 'target') return Math.round(draw)
    return dtype === 'int32' ? Math.floor(7 * draw) : draw - 0.5
  }
  return Object.fromEntries(
    inputs.map(({ name, shape, dtype }, i) => {
      const array = new (arrayConstructor(dtype))(elementCount(bindShape(shape, batchSize)))
      return [name, array.map((_, j) => value(name, dtype, u(3, 1, i, j))) as NumericArray]
    }),
  )
}

async function run(graphs: readonly Graph[], arrays: Arrays, driver: DriverName = 'onnxruntime'): Promise<Arrays> {
  const all = { ...arrays }
  for (const graph of graphs) {
    checkGraph(graph)
    await using executable = await compile(graph, { batchSize, driver })
    for (const { name, dtype, length } of executable.outputs) all[name] ??= new (arrayConstructor(dtype))(length)
    await executable.bind(all).run()
  }
  return all
}

/** Adds the rows of every use into zeros. */
function summed({ uses }: Pick<SparseRows, 'uses'>, arrays: Arrays, dense: Arrays): Arrays {
  const sums: Arrays = {}
  for (const use of uses) {
    const [numbers, values] = [arrays[use.rows] as Int32Array, arrays[use.gradient] as Float32Array]
    const name = `gradient:${use.parameter}`
    sums[name] ??= new Float32Array((dense[name] as Float32Array).length)
    const width = values.length / numbers.length
    for (const [i, value] of values.entries()) {
      const at = (numbers[Math.floor(i / width)] as number) * width + (i % width)
      sums[name][at] = (sums[name][at] as number) + value
    }
  }
  return sums
}

const denseNames = ({ outputs }: Graph): string[] => outputs.map(({ name }) => name).filter((name) => name.startsWith('gradient:'))
const graphOf = (model: Model, loss: 'binary-cross-entropy' | 'cross-entropy'): Graph => trainingGraph(model, loss)

describe.each(drivers)('on %s', (driver) => {
  test('rows add up to the dense gradient, bit for bit, and nothing else changes', async () => {
    const whole = graphOf(click, 'binary-cross-entropy')
    const sparse = sparseRows(whole, batchSize)
    expect(sparse.uses.map(({ parameter, rows }) => [parameter, rows])).toEqual([
      ['fields.weight', 'rows:0:fields.weight'],
      ['wide.weight', 'rows:0:wide.weight'],
    ])
    expect(sparse.graph.nodes.some(({ op }) => op === 'embeddingGradient')).toBe(false)
    const arrays = inputsOf(whole)
    const expected = await run([whole], arrays, driver)
    const got = await run([sparse.graph], arrays, driver)
    const all: Arrays = { ...got, ...summed(sparse, got, expected) }
    for (const { name } of whole.outputs) expect(all[name], name).toEqual(expected[name])
    expect(expected['gradient:fields.weight']?.some((value) => value !== 0)).toBe(true)
  })
})

test('a table that is used twice has two lists of rows; one with other readers stays dense', async () => {
  const whole = graphOf(twice, 'cross-entropy')
  const sparse = sparseRows(whole, batchSize)
  expect(sparse.uses.map(({ gradient }) => gradient)).toEqual(['row-gradient:0:shared', 'row-gradient:1:shared'])
  expect(denseNames(sparse.graph)).toEqual(['gradient:tied'])
  const arrays = inputsOf(whole)
  const expected = await run([whole], arrays)
  const got = await run([sparse.graph], arrays)
  const sums = summed(sparse, got, expected)['gradient:shared'] as Float32Array
  const dense = expected['gradient:shared'] as Float32Array
  expect(dense.some((value) => value !== 0)).toBe(true)
  // Two lists are added in another order than their two sums.
  for (const [i, value] of dense.entries()) expect(sums[i]).toBeCloseTo(value, 6)
})

test('the buckets of a graph have rows too', async () => {
  const whole = graphOf(click, 'binary-cross-entropy')
  const order = backwardOrder(whole)
  const arrays = inputsOf(whole)
  const expected = await run([whole], arrays)
  const segments = bucket(whole, [order.slice(0, 3), order.slice(3)]).map(({ graph }) => sparseRows(graph, batchSize))
  const uses = segments.flatMap((segment) => segment.uses)
  expect(uses.map(({ parameter }) => parameter).sort()).toEqual(['fields.weight', 'wide.weight'])
  const got = await run(
    segments.map(({ graph }) => graph),
    arrays,
  )
  const all: Arrays = { ...got, ...summed({ uses }, got, expected) }
  for (const name of denseNames(whole)) expect(all[name], name).toEqual(expected[name])
})

test('stays dense where a batch uses as many rows as there are, and where the graph itself sums micro-batches', () => {
  const whole = graphOf(click, 'binary-cross-entropy')
  // Four fields of a sample: 12 of them use 48 rows, 13 use 52.
  expect(sparseRows(whole, 12).uses.length).toBe(2)
  expect(sparseRows(whole, 13)).toEqual({ graph: whole, uses: [] })
  const { graph } = micro(whole, 12, 2)
  expect(sparseRows(graph, 6).uses).toEqual([])
})
