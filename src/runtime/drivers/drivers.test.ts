import koffi from 'koffi'
import { describe, expect, test } from 'vitest'
import { BackendError, ConfigError, DTypeError, ShapeError } from '../../errors.ts'
import { GraphBuilder } from '../../graph/builder.ts'
import type { Graph } from '../../graph/graph.ts'
import { compile, driverNames } from '../compile.ts'
import type { DriverName } from '../compile.ts'
import { hasLibrary } from './onednn/library.ts'

/** y = relu(x·w), total = Σ y, hits = how many rows have their largest y at the target. */
function sample(): Graph {
  const builder = new GraphBuilder()
  const x = builder.input('x', ['batch', 2], 'float32')
  const w = builder.input('w', [2, 3], 'float32')
  const target = builder.input('target', ['batch'], 'int32')
  const weight = builder.input('weight', ['batch'], 'float32')
  const y = builder.add('relu', [builder.add('matmul', [x, w], { transposeA: false, transposeB: false })], {})
  builder.output('y', y)
  builder.output('total', builder.add('reduceSum', [y], { dims: [0, 1] }))
  builder.output('hits', builder.add('correctCount', [y, target, weight], {}))
  builder.output('same-w', w)
  return builder.build()
}

function arrays(rows = 2) {
  return {
    x: Float32Array.from([1, 2, -1, 0.5, 3, 3]).slice(0, 2 * rows),
    w: Float32Array.from([1, 0, -1, 0, 1, 2]),
    target: Int32Array.from([2, 2, 1]).slice(0, rows),
    weight: Float32Array.from([1, 1, 1]).slice(0, rows),
    y: new Float32Array(3 * rows),
    total: new Float32Array(1),
    hits: new Float32Array(1),
    'same-w': new Float32Array(6),
  }
}

const relus = [1, 2, 3, 0, 0.5, 2]

describe.each(driverNames.filter((name) => name !== 'onednn' || hasLibrary()))('driver %s', (driver: DriverName) => {
  test('describes inputs and outputs with concrete shapes', async () => {
    await using executable = await compile(sample(), { batchSize: 2, driver })
    expect(executable.inputs).toEqual([
      { name: 'x', dtype: 'float32', shape: [2, 2], length: 4 },
      { name: 'w', dtype: 'float32', shape: [2, 3], length: 6 },
      { name: 'target', dtype: 'int32', shape: [2], length: 2 },
      { name: 'weight', dtype: 'float32', shape: [2], length: 2 },
    ])
    expect(executable.outputs.map(({ name, shape }) => [name, shape])).toEqual([
      ['y', [2, 3]],
      ['total', []],
      ['hits', []],
      ['same-w', [2, 3]],
    ])
  })

  test('writes outputs in place and reads inputs anew in every run', async () => {
    await using executable = await compile(sample(), { batchSize: 2, driver })
    const buffers = arrays()
    const bound = executable.bind(buffers)
    await bound.run()
    expect([...buffers.y]).toEqual(relus)
    expect([buffers.total[0], buffers.hits[0]]).toEqual([8.5, 2])
    expect(buffers['same-w']).toEqual(buffers.w)
    buffers.x.fill(0)
    buffers.target.fill(0)
    await bound.run()
    expect([buffers.total[0], buffers.hits[0]]).toEqual([0, 2])
  })

  test('keeps several bindings apart', async () => {
    await using executable = await compile(sample(), { batchSize: 2, driver })
    const [first, second] = [arrays(), arrays()]
    second.x.fill(1)
    const bindings = [executable.bind(first), executable.bind(second)]
    for (const bound of bindings) await bound.run()
    expect([...first.y]).toEqual(relus)
    expect([...second.y]).toEqual([1, 1, 1, 1, 1, 1])
  })

  test('compiles one graph for several batch sizes', async () => {
    const graph = sample()
    for (const rows of [2, 3]) {
      await using executable = await compile(graph, { batchSize: rows, driver })
      const buffers = arrays(rows)
      await executable.bind(buffers).run()
      expect([...buffers.y.subarray(0, 6)]).toEqual(relus)
    }
  })

  test('works on a slice of shared WebAssembly memory through its aliased ArrayBuffer', async () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
    const alias = koffi.view(koffi.address(new Uint8Array(memory.buffer)), 65536) as ArrayBuffer
    const buffers = { ...arrays(), x: new Float32Array(alias, 128, 4), y: new Float32Array(alias, 1024, 6) }
    buffers.x.set([1, 2, -1, 0.5])
    await using executable = await compile(sample(), { batchSize: 2, driver })
    await executable.bind(buffers).run()
    expect([...new Float32Array(memory.buffer, 1024, 6)]).toEqual(relus)
  })

  test('refuses arrays that are missing, of another kind or of another length, by name', async () => {
    await using executable = await compile(sample(), { batchSize: 2, driver })
    const { target: _, ...incomplete } = arrays()
    expect(() => executable.bind(incomplete)).toThrow(new ConfigError('bind: there is no array for target — expected int32 of length 2'))
    expect(() => executable.bind({ ...arrays(), x: new Float64Array(4) })).toThrow(DTypeError)
    expect(() => executable.bind({ ...arrays(), y: new Float32Array(7) })).toThrow(
      new ShapeError('bind: the array for y has another length — expected 6 ([2, 3]), got 7'),
    )
  })

  test('closes once and refuses to run afterwards', async () => {
    const executable = await compile(sample(), { batchSize: 2, driver })
    const bound = executable.bind(arrays())
    await executable.close()
    await executable.close()
    await expect(bound.run()).rejects.toThrow(BackendError)
  })

  test('refuses batch sizes that are no positive integer', async () => {
    for (const batchSize of [0, -1, 1.5, Number.NaN]) await expect(compile(sample(), { batchSize, driver })).rejects.toThrow(ConfigError)
  })
})
