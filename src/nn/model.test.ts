import { describe, expect, expectTypeOf, test } from 'vitest'
import { ConfigError, ShapeError } from '../errors.ts'
import * as nn from './index.ts'

describe('nn.model', () => {
  test('LeNet-5 has 61,706 parameters in ten tensors, in the order of its layers', () => {
    const lenet = nn.lenet5()
    expect(lenet.numParameters).toBe(61_706)
    expect(lenet.parameters.map(({ name, shape, decay }) => [name, shape.join('x'), decay])).toEqual([
      ['c1.weight', '6x1x5x5', true],
      ['c1.bias', '6', false],
      ['c3.weight', '16x6x5x5', true],
      ['c3.bias', '16', false],
      ['c5.weight', '120x400', true],
      ['c5.bias', '120', false],
      ['f6.weight', '84x120', true],
      ['f6.bias', '84', false],
      ['out.weight', '10x84', true],
      ['out.bias', '10', false],
    ])
  })

  test('the summary lists layers, shapes, parameters and operations', () => {
    const lines = nn
      .lenet5()
      .summary()
      .split('\n')
      .map((line) => line.replaceAll(/ {2,}/g, ' | ').trim())
    // 28·28·6 results of 25 products and a bias: 4704·(2·25 + 1).
    expect(lines).toContain('c1 | conv | [batch, 6, 28, 28] | 156 | 239,904 | 18,816')
    expect(lines).toContain('c5 | dense | [batch, 120] | 48,120 | 96,120 | 480')
    expect(lines.slice(-3)).toEqual(['total | 61,706 | 839,558 | 58,408', 'trained | 61,706', 'frozen | 0'])
  })

  test('the summary tells what is trained from what is frozen, and running statistics from both', () => {
    const net = nn.model('normed', { image: [1, 6, 6] }, ({ image }) =>
      nn.dense(nn.flatten(nn.batchNorm(nn.conv2d(image, 4, 3, { name: 'c' }), { name: 'b' })), 3, { name: 'd' }),
    )
    const totals = (of: nn.Model): string[] => of.summary().replaceAll(/ {2,}/g, ' ').split('\n').slice(-3)
    const all = 4 * 9 + 4 + 2 * 4 + 4 * 16 * 3 + 3
    expect(totals(net)).toEqual([`trained ${all}`, 'frozen 0', 'running statistics 8'])
    expect(totals(nn.freeze(net, ['c.*', 'b.*']))).toEqual([
      `trained ${4 * 16 * 3 + 3}`,
      `frozen ${all - (4 * 16 * 3 + 3)}`,
      'running statistics 8',
    ])
    expect(net.numParameters).toBe(all)
    expect(nn.freeze(net, ['c.*', 'b.*']).numParameters).toBe(net.numParameters)
  })

  test('the picture has a box for each layer and a line for each value that a layer reads', () => {
    const branches = nn.model('branches & joins', { x: [4] }, ({ x }) => {
      const left = nn.dense(x, 4, { name: 'left' })
      return nn.add(left, nn.relu(left, { name: 'right' }), { name: 'join' })
    })
    const svg = branches.picture()
    expect(svg.match(/<rect /g)).toHaveLength(4)
    expect(svg.match(/<path /g)).toHaveLength(4)
    expect(svg).toContain('branches &amp; joins: 20 parameters')
    expect(svg).not.toMatch(/NaN|undefined/)
  })

  test('survives JSON', () => {
    const lenet = nn.lenet5()
    const copy = nn.modelFromJSON(JSON.parse(JSON.stringify(lenet)))
    expect(copy.toJSON()).toEqual(lenet.toJSON())
    expect(copy.summary()).toBe(lenet.summary())
    expect(() => nn.modelFromJSON({ ...lenet.toJSON(), version: 2 as 1 })).toThrow(ConfigError)
    const { nodes, ...rest } = lenet.graph
    expect(() => nn.modelFromJSON({ ...lenet.toJSON(), graph: { ...rest, nodes: nodes.toReversed() } })).toThrow(/defined before/)
  })

  test('is typed from the input shapes', () => {
    const both = nn.model('sum', { left: [3], right: [3] }, ({ left, right }) => {
      expectTypeOf(left).toEqualTypeOf<nn.Tensor>()
      return nn.add(left, right)
    })
    expectTypeOf(both.inputs).toEqualTypeOf<{ readonly left: readonly [3]; readonly right: readonly [3] }>()
    // @ts-expect-error: there is no such input
    expect(() => nn.model('sum', { left: [3] }, ({ middle }) => nn.relu(middle))).toThrow()
  })

  test('names the layer whose input does not fit', () => {
    const build = (f: (x: nn.Tensor) => nn.Tensor) => () => nn.model('m', { image: [1, 6, 6] }, ({ image }) => f(image))
    expect(build((x) => nn.conv2d(x, 4, 7, { name: 'c1' }))).toThrow(
      new ShapeError('c1: the window does not fit — expected at most 6 (6 and padding), got 7'),
    )
    expect(build((x) => nn.dense(x, 4, { name: 'head' }))).toThrow(
      new ShapeError('head: dense takes rows of features — expected [batch, features], got [batch, 1, 6, 6] (use nn.flatten)'),
    )
    expect(build((x) => nn.reshape(x, [5, 7], { name: 'r' }))).toThrow(/^r: the elements do not fit/)
    expect(build((x) => nn.conv2d(nn.flatten(x), 4, 3))).toThrow(/^conv2d-1: conv2d takes images/)
  })

  test('refuses names that are taken or cannot be used, and options out of range', () => {
    const build = (f: (x: nn.Tensor) => nn.Tensor) => () => nn.model('m', { x: [4] }, ({ x }) => f(x))
    expect(build((x) => nn.dense(nn.dense(x, 4, { name: 'a' }), 4, { name: 'a' }))).toThrow(/the layer name a is taken/)
    expect(build((x) => nn.dense(x, 4, { name: 'a b' }))).toThrow(ConfigError)
    expect(build((x) => nn.dense(x, 0))).toThrow(ConfigError)
    expect(build((x) => nn.dropout(x, 1))).toThrow(ConfigError)
    expect(() => nn.model('m', { target: [4] }, ({ target }) => target)).toThrow(ConfigError)
    expect(() => nn.model('m', {}, () => undefined as unknown as nn.Tensor)).toThrow(ConfigError)
    expect(() => nn.mlp([4])).toThrow(ConfigError)
    const stray = nn.model('m', { x: [4] }, ({ x }) => x)
    expect(stray.numParameters).toBe(0)
  })

  test('refuses tensors of another model', () => {
    let leaked: nn.Tensor | undefined
    nn.model('first', { x: [4] }, ({ x }) => {
      leaked = x
      return x
    })
    expect(() => nn.model('second', { x: [4] }, ({ x }) => nn.add(x, leaked as nn.Tensor))).toThrow(/belongs to another graph/)
  })
})
