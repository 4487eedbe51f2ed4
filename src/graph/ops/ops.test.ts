import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ShapeError } from '../../errors.ts'
import { bindBatch } from '../bind.ts'
import { GraphBuilder } from '../builder.ts'
import type { Value } from '../builder.ts'
import { elementCount, outputNamed } from '../graph.ts'
import type { Graph } from '../graph.ts'
import { grad } from '../grad.ts'
import { compile } from '../../runtime/compile.ts'
import { evaluate } from '../../runtime/drivers/reference.ts'
import { u } from '../../rng.ts'
import type { OpAttributes, OpName } from './attributes.ts'
import { broadcastShapes } from './broadcast.ts'
import type { Case } from './cases/case.ts'
import { cases } from './cases/index.ts'
import { ops, ruleOf } from './table.ts'

/** Batch size of all cases. */
const batch = 3

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

async function runBoth(graph: Graph, feeds: Record<string, Float64Array>): Promise<{ ours: ArrayLike<number>; expected: Float64Array }> {
  await using executable = await compile(graph, { batchSize: batch })
  const arrays = Object.fromEntries(
    executable.inputs.map(({ name, dtype }) => [
      name,
      dtype === 'int32' ? Int32Array.from(feeds[name] ?? []) : Float32Array.from(feeds[name] ?? []),
    ]),
  )
  const { length = 0, dtype } = executable.outputs[0] ?? {}
  const ours = dtype === 'int32' ? new Int32Array(length) : new Float32Array(length)
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
    const { differentiate } = each
    const roots = differentiate === undefined ? wanted : differentiate.map((input) => values[input] as Value)
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
