import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ShapeError } from '../../errors.ts'
import { bindBatch } from '../bind.ts'
import { GraphBuilder } from '../builder.ts'
import type { Value } from '../builder.ts'
import { elementCount, outputNamed } from '../graph.ts'
import type { Graph, Shape } from '../graph.ts'
import { grad } from '../grad.ts'
import { compile } from '../../runtime/compile.ts'
import { evaluate } from '../../runtime/drivers/reference.ts'
import { u } from '../../rng.ts'
import type { OpAttributes, OpName } from './attributes.ts'
import { broadcastShapes } from './broadcast.ts'
import { ops, ruleOf } from './table.ts'

/** Batch size of all cases. */
const batch = 3

interface Case {
  readonly op: OpName
  readonly attrs: object
  /** Shapes of the inputs; `int32` inputs hold class numbers below `classes`. */
  readonly inputs: readonly (Shape | { readonly classes: number; readonly shape: Shape })[]
  /** Values lie in this range (default −1 to 1); kinks and poles stay outside of it. */
  readonly range?: readonly [number, number]
}

const make = <O extends OpName>(op: O, attrs: OpAttributes[O], inputs: Case['inputs'], range?: Case['range']): Case => ({
  op,
  attrs,
  inputs,
  ...(range === undefined ? {} : { range }),
})

const unit = { stride: [1, 1], padding: [0, 0] } as const
const strided = { stride: [2, 2], padding: [1, 1] } as const
const uneven = { stride: [2, 1], padding: [0, 2] } as const
const image: Shape = ['batch', 2, 6, 7]
const same = { stride: [1, 1], padding: [2, 2] } as const

const cases: readonly Case[] = [
  make('matmul', { transposeA: false, transposeB: false }, [['batch', 4], [4, 5], [5]]),
  make('matmul', { transposeA: true, transposeB: false }, [
    ['batch', 4],
    ['batch', 5],
  ]),
  make('matmul', { transposeA: false, transposeB: true }, [
    ['batch', 4],
    [5, 4],
  ]),
  make('matmul', { transposeA: true, transposeB: true }, [
    [4, 2],
    [5, 4],
  ]),
  make('add', {}, [
    ['batch', 4, 1],
    [4, 5],
  ]),
  make('sub', {}, [
    ['batch', 4],
    ['batch', 1],
  ]),
  make('mul', {}, [['batch', 4], []]),
  make('div', {}, [['batch', 4], [4]], [0.5, 2]),
  make('scale', { factor: -1 }, [['batch', 4]]),
  make('scale', { factor: 2.5 }, [['batch', 4]]),
  make('fill', { value: 1.5, shape: ['batch', 2] }, []),
  make('relu', {}, [['batch', 8]], [0.1, 1]),
  make('relu', {}, [['batch', 8]], [-1, -0.1]),
  make('reluGradient', {}, [
    ['batch', 8],
    ['batch', 8],
  ]),
  make('tanh', {}, [['batch', 8]]),
  make('tanhGradient', {}, [
    ['batch', 8],
    ['batch', 8],
  ]),
  make('sigmoid', {}, [['batch', 8]]),
  make('sigmoidGradient', {}, [
    ['batch', 8],
    ['batch', 8],
  ]),
  make('dropout', { rate: 0.5 }, [
    ['batch', 8],
    ['batch', 8],
  ]),
  make('dropout', { rate: 0.5 }, [['batch', 8]]),
  make('reshape', { shape: ['batch', 2, 4] }, [['batch', 8]]),
  make('transpose', { permutation: [2, 0, 1] }, [['batch', 2, 4]]),
  make('reduceSum', { dims: [0] }, [['batch', 5]]),
  make('reduceSum', { dims: [0, 2] }, [['batch', 5, 2]]),
  make('reduceSum', { dims: [] }, [['batch', 5]]),
  make('broadcastTo', { shape: ['batch', 4, 5] }, [[4, 1]]),
  make('softmax', {}, [['batch', 5]]),
  make('logSoftmax', {}, [['batch', 5]]),
  make('conv2d', unit, [image, [3, 2, 3, 2], [3]]),
  make('conv2d', strided, [image, [3, 2, 3, 3], [3]]),
  make('conv2d', uneven, [image, [1, 2, 2, 3]]),
  make('conv2d', same, [['batch', 1, 8, 8], [6, 1, 5, 5], [6]]),
  make('conv2d', unit, [['batch', 6, 8, 8], [16, 6, 5, 5], [16]]),
  make('conv2dInputGradient', { ...unit, size: [6, 7] }, [
    [3, 2, 3, 2],
    ['batch', 3, 4, 6],
  ]),
  make('conv2dInputGradient', { ...strided, size: [6, 7] }, [
    [3, 2, 3, 3],
    ['batch', 3, 3, 4],
  ]),
  make('conv2dInputGradient', { ...uneven, size: [6, 7] }, [
    [1, 2, 2, 3],
    ['batch', 1, 3, 9],
  ]),
  make('conv2dFilterGradient', { ...unit, kernel: [3, 2] }, [image, ['batch', 3, 4, 6]]),
  make('conv2dFilterGradient', { ...strided, kernel: [3, 3] }, [image, ['batch', 3, 3, 4]]),
  make('conv2dFilterGradient', { ...uneven, kernel: [2, 3] }, [image, ['batch', 1, 3, 9]]),
  make('avgPool', { ...unit, kernel: [2, 3] }, [image]),
  make('avgPool', { kernel: [2, 2], stride: [2, 2], padding: [0, 0] }, [['batch', 2, 4, 6]]),
  make('avgPool', { kernel: [2, 2], stride: [2, 2], padding: [1, 1] }, [image]),
  make('avgPoolGradient', { ...unit, kernel: [2, 3], size: [6, 7] }, [['batch', 2, 5, 5]]),
  make('avgPoolGradient', { kernel: [2, 2], stride: [2, 2], padding: [0, 0], size: [4, 6] }, [['batch', 2, 2, 3]]),
  make('maxPool', { kernel: [2, 2], stride: [2, 2], padding: [0, 0] }, [image]),
  make('maxPool', { kernel: [3, 3], stride: [2, 2], padding: [1, 1] }, [image]),
  make('maxPoolGradient', { kernel: [3, 3], stride: [2, 2], padding: [1, 1] }, [image, ['batch', 2, 3, 4]]),
  make('softmaxCrossEntropy', {}, [['batch', 5], { classes: 5, shape: ['batch'] }, ['batch'], []], [0.5, 2]),
  make('softmaxCrossEntropyGradient', {}, [['batch', 5], { classes: 5, shape: ['batch'] }, ['batch'], []], [0.5, 2]),
  make('correctCount', {}, [['batch', 5], { classes: 5, shape: ['batch'] }, ['batch']]),
]

const nameOf = ({ op, attrs, inputs }: Case): string =>
  `${op} ${JSON.stringify(attrs)} of ${inputs.map((input) => ('shape' in input ? `int32[${input.shape.join()}]` : `[${input.join()}]`)).join(' ')}`

/** A graph with the case's node: its value is output `y`; inputs are `x0`, `x1`, … */
function begin({ op, attrs, inputs }: Case): { builder: GraphBuilder; values: Value[]; y: Value } {
  const builder = new GraphBuilder()
  const values = inputs.map((input, i) =>
    'shape' in input ? builder.input(`x${i}`, input.shape, 'int32') : builder.input(`x${i}`, input, 'float32'),
  )
  return { builder, values, y: builder.add(op, values, attrs as OpAttributes[OpName], 'layer') }
}

/** Reproducible inputs of a bound graph, rounded to float32 so that both drivers start from the same numbers. */
function inputsOf(graph: Graph, { inputs, range: [low, high] = [-1, 1] }: Case): Record<string, Float64Array> {
  return Object.fromEntries(
    graph.inputs.map(({ name, shape }, i) => {
      const spec = inputs[i]
      const classes = spec !== undefined && 'shape' in spec ? spec.classes : undefined
      const draw = (_: unknown, j: number): number => {
        const value = u(1, 77, i, j)
        return classes === undefined ? Math.fround(low + (high - low) * value) : Math.floor(classes * value)
      }
      return [name, Float64Array.from({ length: elementCount(shape.map(Number)) }, draw)]
    }),
  )
}

async function runBoth(graph: Graph, feeds: Record<string, Float64Array>): Promise<{ ours: Float32Array; expected: Float64Array }> {
  await using executable = await compile(graph, { batchSize: batch })
  const arrays = Object.fromEntries(
    executable.inputs.map(({ name, dtype }) => [
      name,
      dtype === 'int32' ? Int32Array.from(feeds[name] ?? []) : Float32Array.from(feeds[name] ?? []),
    ]),
  )
  const ours = new Float32Array(executable.outputs[0]?.length ?? 0)
  await executable.bind({ ...arrays, y: ours }).run()
  return { ours, expected: evaluate(bindBatch(graph, batch), feeds).y as Float64Array }
}

function expectClose(got: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(got.length).toBe(expected.length)
  const scale = Math.max(1e-3, ...Array.from(expected, Math.abs))
  for (let i = 0; i < expected.length; i++) {
    expect(Math.abs((got[i] as number) - (expected[i] as number)) / scale, `element ${i}`).toBeLessThan(tolerance)
  }
}

describe('every operator', () => {
  test('has a case', () => {
    expect(new Set(cases.map(({ op }) => op))).toEqual(new Set(Object.keys(ops)))
  })

  test.each(cases.map((each) => [nameOf(each), each] as const))('ONNX Runtime equals the float64 reference: %s', async (_, each) => {
    const { builder, y } = begin(each)
    builder.output('y', y)
    const graph = builder.build()
    const { ours, expected } = await runBoth(graph, inputsOf(bindBatch(graph, batch), each))
    expectClose(ours, expected, 1e-4)
  })

  const differentiable = cases.filter(({ op }) => ruleOf(op).gradient !== undefined && op !== 'fill')

  test.each(differentiable.map((each) => [nameOf(each), each] as const))('gradient equals central differences: %s', (_, each) => {
    const { builder, values, y } = begin(each)
    // Different weights for all elements of the value: a plain sum would hide errors (that of a softmax is constant).
    const weights = builder.input('weights', y.shape, 'float32')
    const loss = builder.add('reduceSum', [builder.add('mul', [y, weights], {})], { dims: y.shape.map((__, d) => d) })
    const wanted = values.filter((value) => value.dtype === 'float32' && ruleOf(each.op).gradient !== undefined)
    // Targets, weights and divisors of a loss are given numbers: only scores are differentiated.
    const isLoss = each.op === 'softmaxCrossEntropy'
    const roots = isLoss || each.op === 'dropout' ? wanted.slice(0, 1) : wanted
    const gradients = grad(builder, loss, roots)
    gradients.forEach((gradient, i) => {
      builder.output(`gradient ${i}`, gradient)
    })
    const graph = bindBatch(builder.build(), batch)
    builder.output('loss', loss)
    const forward = lossOf(builder.build())
    const feeds = inputsOf(graph, each)
    const result = evaluate(graph, feeds)
    roots.forEach((root, i) => {
      const gradient = result[`gradient ${i}`] as Float64Array
      // A spread sample of the elements of large inputs: each costs two evaluations.
      const elements = Array.from({ length: Math.min(40, gradient.length) }, (__, e) =>
        Math.floor((e * gradient.length) / Math.min(40, gradient.length)),
      )
      const expected = elements.map((j) => centralDifference(forward, feeds, root.id, j))
      expectClose(
        elements.map((j) => gradient[j] as number),
        expected,
        1e-6,
      )
    })
  })
})

/** The part of a graph that its output `loss` needs. */
function lossOf(graph: Graph): Graph {
  const builder = GraphBuilder.from(graph)
  builder.output('loss', builder.value(outputNamed(graph, 'loss').value))
  return bindBatch(builder.build(), batch)
}

/** dL/dx of one element; the step is the cube root of the rounding error, which balances it against curvature. */
function centralDifference(graph: Graph, feeds: Record<string, Float64Array>, name: string, j: number): number {
  const step = 6e-6
  const x = feeds[name] as Float64Array
  const lossAt = (delta: number): number => {
    const moved = x.slice()
    moved[j] = (x[j] as number) + delta
    return evaluate(graph, { ...feeds, [name]: moved }).loss?.[0] as number
  }
  return (lossAt(step) - lossAt(-step)) / (2 * step)
}

describe('broadcasting', () => {
  /** A shape and two shapes that broadcast to it. */
  const triples = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 }).chain((shape) => {
    const reduced = fc.tuple(fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }), fc.nat({ max: shape.length }))
    const narrow = ([ones, drop]: [boolean[], number]): number[] => shape.map((dim, d) => (ones[d] ? 1 : dim)).slice(drop)
    return fc.tuple(reduced.map(narrow), reduced.map(narrow))
  })

  test('is symmetric, and values and gradients agree between drivers', async () => {
    await fc.assert(
      fc.asyncProperty(triples, fc.constantFrom('add', 'sub', 'mul', 'div'), async ([a, b], op) => {
        const shape = broadcastShapes(a, b, 'layer')
        expect(broadcastShapes(b, a, 'layer')).toEqual(shape)
        const builder = new GraphBuilder()
        const values = [builder.input('x0', a, 'float32'), builder.input('x1', b, 'float32')]
        const y = builder.add(op as 'add', values, {})
        const loss = builder.add('reduceSum', [builder.add('mul', [y, y], {})], { dims: y.shape.map((_, d) => d) })
        const [left] = grad(builder, loss, values.slice(0, 1))
        expect(left?.shape).toEqual(a)
        builder.output('y', left as Value)
        const graph = builder.build()
        const each: Case = { op: 'add', attrs: {}, inputs: [a, b], range: [0.5, 2] }
        const { ours, expected } = await runBoth(graph, inputsOf(graph, each))
        expectClose(ours, expected, 1e-4)
      }),
      { numRuns: 40 },
    )
  })

  test('refuses extents that differ', () => {
    expect(() => broadcastShapes(['batch', 3], ['batch', 4], 'merge')).toThrow(ShapeError)
    expect(() => broadcastShapes(['batch', 3], ['batch', 4], 'merge')).toThrow(
      'merge: the shapes do not broadcast — expected equal extents or 1 from the last on, got [batch, 3] and [batch, 4]',
    )
  })
})
