import { describe, expect, test } from 'vitest'
import { ShapeError } from '../../errors.ts'
import { u } from '../../rng.ts'
import { evaluate } from '../../runtime/drivers/reference.ts'
import { lowerGraph } from '../../runtime/lower.ts'
import { OrtSession } from '../../runtime/ort.ts'
import { bindBatch } from '../bind.ts'
import { GraphBuilder } from '../builder.ts'
import { elementCount } from '../graph.ts'
import type { Shape } from '../graph.ts'
import type { ConvAttributes, OpAttributes, OpName } from './attributes.ts'
import type { Case } from './cases/case.ts'
import { spatialCases } from './cases/spatial.ts'

const convolutions = spatialCases.filter(({ op }) => op.startsWith('conv'))
const nameOf = ({ op, attrs, inputs }: Case): string => `${op} ${JSON.stringify(attrs)} of ${JSON.stringify(inputs)}`

describe('in files', () => {
  test.each(convolutions.map((each) => [nameOf(each), each] as const))('the standard operators equal the reference: %s', (_, each) => {
    const builder = new GraphBuilder()
    const values = each.inputs.map((shape, i) => builder.input(`x${i}`, shape as Shape, 'float32'))
    builder.output('y', builder.add(each.op, values, each.attrs as OpAttributes[OpName]))
    const graph = bindBatch(builder.build(), 2)
    const feeds = Object.fromEntries(
      graph.inputs.map(({ name, shape }, i) => [
        name,
        Float64Array.from({ length: elementCount(shape.map(Number)) }, (__, j) => u(4, 1, i, j) - 0.5),
      ]),
    )
    const expected = evaluate(graph, feeds).y as Float64Array
    const session = OrtSession.create(lowerGraph(graph, { target: 'portable' }).finish('graph'), { intraOpThreads: 1, arena: 'own' })
    const data = new Float32Array(expected.length)
    const tensor = (shape: Shape, values: Float32Array<ArrayBuffer>) => ({
      shape: shape.map(Number),
      type: 'float32' as const,
      data: values,
    })
    session.bind(
      new Map(graph.inputs.map(({ name, shape }) => [name, tensor(shape, Float32Array.from(feeds[name] ?? []))])),
      new Map(graph.outputs.map(({ name, shape }) => [name, tensor(shape, data)])),
    )()
    session.close()
    const scale = Math.max(...expected.map(Math.abs))
    for (const [i, value] of expected.entries()) expect(Math.abs((data[i] as number) - value) / scale, `element ${i}`).toBeLessThan(1e-5)
  })
})

describe('shapes', () => {
  const attrs: ConvAttributes = { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 }
  const add = (op: 'conv' | 'convInputGradient', own: object, ...shapes: Shape[]) => {
    const builder = new GraphBuilder()
    const values = shapes.map((shape, i) => builder.input(`x${i}`, shape, 'float32'))
    return () => builder.add(op, values, { ...attrs, ...own } as OpAttributes['conv'], 'c1')
  }

  test('that do not fit are refused, with the layer, expected and got', () => {
    expect(add('conv', {}, ['batch', 2, 5, 5], [3, 4, 3, 3])).toThrow('c1: the filter has another number of channels — expected 2, got 4')
    expect(add('conv', { groups: 2 }, ['batch', 4, 5, 5], [6, 4, 3, 3])).toThrow('expected 4 in 2 groups, got 8')
    expect(add('conv', { groups: 2 }, ['batch', 4, 5, 5], [3, 2, 3, 3])).toThrow(
      'the groups do not divide the filters — expected a divisor of 3, got 2',
    )
    expect(add('conv', { dilation: [3, 1] }, ['batch', 2, 5, 5], [3, 2, 3, 3])).toThrow('expected at most 5 (5 and padding), got 7')
    expect(add('conv', {}, ['batch', 2, 5, 5, 5], [3, 2, 3, 3])).toThrow(
      'expected 4 (batch, channels, height, width), got [batch, 2, 5, 5, 5]',
    )
    expect(add('convInputGradient', { size: [6, 5] }, [3, 2, 3, 3], ['batch', 3, 3, 3])).toThrow(
      'c1: the size fits another input — expected [4, 3] positions, got [3, 3]',
    )
    expect(add('convInputGradient', { size: [5, 5] }, [4, 2, 3, 3], ['batch', 3, 3, 3])).toThrow(ShapeError)
  })
})
