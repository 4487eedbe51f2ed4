import { describe, expect, test } from 'vitest'
import { ConfigError, DTypeError, ShapeError } from '../../errors.ts'
import * as nn from '../index.ts'

const build =
  (layer: (x: nn.Tensor) => nn.Tensor, shape: readonly number[] = [5, 8]) =>
  (): nn.Model =>
    nn.model('m', { x: shape }, ({ x }) => layer(x))

const parametersOf = (model: nn.Model): [string, string, boolean][] =>
  model.parameters.map(({ name, shape, decay }) => [name, shape.join('x'), decay])

describe('layers of sequences', () => {
  test('name their parameters', () => {
    const both = build((x) => {
      const { sequence, state } = nn.lstm(x, 6, { name: 'l', layers: 2 })
      expect(sequence.shape).toEqual(['batch', 5, 6])
      expect(state.shape).toEqual(['batch', 2, 2, 6])
      const upper = nn.gru(sequence, 4, { name: 'g' })
      expect(upper.state.shape).toEqual(['batch', 1, 4])
      return upper.sequence
    })()
    expect(parametersOf(both)).toEqual([
      ['l.0.weight', '24x8', true],
      ['l.0.recurrent', '24x6', true],
      ['l.0.bias', '24', false],
      ['l.1.weight', '24x6', true],
      ['l.1.recurrent', '24x6', true],
      ['l.1.bias', '24', false],
      ['g.0.weight', '12x6', true],
      ['g.0.recurrent', '12x4', true],
      ['g.0.bias', '12', false],
      ['g.0.candidateBias', '4', false],
    ])
    const block = build((x) => nn.transformerBlock(x, { name: 'b', heads: 2, context: x }))()
    const names = parametersOf(block).map(([name]) => name)
    expect(names).toEqual(expect.arrayContaining(['b.attention.query.weight', 'b.cross.out.bias', 'b.ffn1.weight', 'b.norm3.gain']))
    expect(names).toHaveLength(2 * 8 + 4 + 3 * 2)
  })

  test('dropout inside of a stack has a mask for each layer', () => {
    const model = build((x) => nn.lstm(x, 6, { name: 'l', layers: 3, dropout: 0.5 }).sequence)()
    expect(nn.maskInputs(model).map(({ name }) => name)).toEqual(['mask:l.0.dropout', 'mask:l.1.dropout'])
  })

  test('dense takes every position of a sequence as a row', () => {
    const model = build((x) => nn.dense(x, 3, { name: 'd' }))()
    expect(model.graph.outputs[0]?.shape).toEqual(['batch', 5, 3])
    expect(parametersOf(model)).toEqual([
      ['d.weight', '3x8', true],
      ['d.bias', '3', false],
    ])
    expect(build((x) => nn.rows(x))().graph.outputs[0]?.shape).toEqual(['batch*5', 8])
  })

  test('mistakes name the layer, what it expected and what it got', () => {
    expect(build((x) => nn.lstm(x, 6, { name: 'l' }).sequence, [8])).toThrow(
      new ShapeError('l: a recurrent layer takes a sequence — expected [batch, steps, features], got [batch, 8]'),
    )
    expect(build((x) => nn.lstm(x, 6, { name: 'l', state: x }).sequence)).toThrow(
      'l: the state before the first step has another shape — expected [batch, 1, 2, 6], got [batch, 5, 8]',
    )
    expect(build((x) => nn.multiHeadAttention(x, 3, { name: 'a' }))).toThrow(
      new ConfigError('a: the heads cannot share the width — expected a divisor of 8, got 3'),
    )
    const short = (x: nn.Tensor): nn.Tensor => nn.slice(x, 1, 0, 2)
    expect(build((x) => nn.multiHeadAttention(x, 2, { name: 'a', causal: true, context: short(x) }))).toThrow(
      'a: a causal mask does not apply — expected as many keys as queries, got 5 queries and 2 keys',
    )
    expect(build((x) => nn.attend(x, x, x, { name: 'a', keyMask: short(x) }))).toThrow(
      'a: the key mask does not fit — expected [batch, 5], got [batch, 2, 8]',
    )
    expect(build((x) => nn.embedding(x, 10, 4, { name: 'e' }))).toThrow(DTypeError)
    expect(build((x) => nn.slice(x, 1, 2, 9, { name: 's' }))).toThrow(
      's: the slice cannot be taken — expected 0 ≤ start < end ≤ 5, got 2 and 9',
    )
    expect(build((x) => nn.mean(x, [0], { name: 'm' }))).toThrow(ShapeError)
    expect(build((x) => nn.concat([x, short(x)], 2, { name: 'c' }))).toThrow(
      'c: the inputs cannot be joined along dim 2 — expected [batch, 5, 8] up to that extent, got [batch, 2, 8]',
    )
  })
})
