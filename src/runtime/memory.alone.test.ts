import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { GraphBuilder } from '../graph/builder.ts'
import { bindShape, elementCount } from '../graph/graph.ts'
import type { Graph } from '../graph/graph.ts'
import { cut } from '../graph/transforms/cut.ts'
import { arrayConstructor } from '../memory/dtype.ts'
import type { NumericArray } from '../memory/dtype.ts'
import { lenet5 } from '../nn/models/lenet5.ts'
import { trainingGraph } from '../nn/training-graph.ts'
import { u } from '../rng.ts'
import { compile } from './compile.ts'
import { hasLibrary } from './drivers/onednn/library.ts'
import type { Bound, Executable } from './executable.ts'
import type { ArenaKind } from './ort.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const drivers = hasLibrary() ? (['onnxruntime', 'onednn'] as const) : (['onnxruntime'] as const)

/** relu(x · w), or of a convolution where oneDNN is to compute it. */
function smallGraph(driver: (typeof drivers)[number]): Graph {
  const builder = new GraphBuilder()
  const isImage = driver === 'onednn'
  const x = builder.input('x', isImage ? ['batch', 16, 8, 8] : ['batch', 16], 'float32')
  const w = builder.input('w', isImage ? [16, 16, 3, 3] : [16, 16], 'float32')
  const product = isImage
    ? builder.add('conv', [x, w], { stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1 })
    : builder.add('matmul', [x, w], { transposeA: false, transposeB: false })
  builder.output('y', builder.add('relu', [product], {}))
  return builder.build()
}

function inputsOf(graph: Graph, batchSize: number): Record<string, NumericArray> {
  return Object.fromEntries(
    graph.inputs.map(({ name, shape, dtype }, i) => {
      const array = new (arrayConstructor(dtype))(elementCount(bindShape(shape, batchSize)))
      return [name, array.map((_, j) => (dtype === 'int32' ? Math.floor(10 * u(1, 1, i, j)) : u(1, 1, i, j) / 5 - 0.1)) as NumericArray]
    }),
  )
}

/** Adds arrays for what executables write that has none yet, and binds them. */
function bindAll(executables: readonly Executable[], arrays: Record<string, NumericArray>): Bound[] {
  return executables.map((executable) => {
    for (const { name, dtype, length } of executable.outputs) arrays[name] ??= new (arrayConstructor(dtype))(length)
    return executable.bind(arrays)
  })
}

describe.each(drivers)('%s', (driver) => {
  test('ten thousand executables that are made and closed do not grow the process', async () => {
    const graph = smallGraph(driver)
    const arrays = { ...inputsOf(graph, 2), y: new Float32Array(2 * 1024) }
    const residentAfter = async (count: number): Promise<number> => {
      for (let i = 0; i < count; i++) {
        await using executable = await compile(graph, { batchSize: 2, driver })
        arrays.y = arrays.y.subarray(0, executable.outputs[0]?.length)
        await executable.bind(arrays).run()
      }
      collect()
      return process.memoryUsage().rss
    }
    const before = await residentAfter(2_000)
    const after = await residentAfter(8_000)
    // 4 KiB that each left behind would be 32 MiB.
    expect((after - before) / 2 ** 20).toBeLessThan(20)
  }, 240_000)

  test('executables that share memory compute what each computes alone, also when a larger one comes later', async () => {
    const whole = trainingGraph(lenet5(), 'cross-entropy')
    const segments = cut(whole, ['c3', 'c5', 'f6']).segments.map(({ graph }) => graph)
    const resultsOf = async (arena: ArenaKind): Promise<Record<string, NumericArray>> => {
      const arrays = inputsOf(whole, 4)
      const executables: Executable[] = []
      try {
        // The last segments are small: the memory that they share must grow.
        for (const graph of segments.toReversed()) {
          const executable = await compile(graph, { batchSize: 4, driver, arena })
          executables.unshift(executable)
          for (const { name, dtype, length } of executable.inputs) arrays[name] ??= new (arrayConstructor(dtype))(length)
          for (const bound of bindAll([executable], arrays)) await bound.run()
        }
        const steps = bindAll(executables, arrays)
        for (let step = 0; step < 3; step++) for (const bound of steps) await bound.run()
        return arrays
      } finally {
        for (const executable of executables) await executable.close()
      }
    }
    const [own, shared] = [await resultsOf('own'), await resultsOf('shared')]
    for (const { name } of whole.outputs) {
      expect(
        own[name]?.some((value) => value !== 0),
        name,
      ).toBe(true)
      expect(shared[name], name).toEqual(own[name])
    }
    expect(await resultsOf('none')).toEqual(own)
  })
})
