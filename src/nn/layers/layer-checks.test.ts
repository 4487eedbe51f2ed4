import { describe, expect, test } from 'vitest'
import * as nn from '../index.ts'

const image = { x: [4, 8, 8] } as const
const sequence = { x: [5, 8] } as const
const build = (inputs: nn.InputShapes, layer: (x: nn.Tensor) => unknown) => () => nn.model('m', inputs, ({ x }) => layer(x!) as nn.Tensor)
const given = (value: unknown): never => value as never

describe('layers refuse', () => {
  test.each<[string, () => unknown, string]>([
    [
      'unknown options',
      build(image, (x) => nn.conv2d(x, 8, 3, given({ pading: 1 }))),
      'conv2d: no option pading — expected name, init, bias, padding, stride, dilation, groups (did you mean padding?)',
    ],
    ['options of others', build(sequence, (x) => nn.dense(x, 3, given({ activation: 'relu' }))), 'dense: no option activation'],
    [
      'options of named layers',
      build(sequence, (x) => nn.relu(x, given({ name: 'r', slope: 1 }))),
      'r: no option slope — expected name (leave it out)',
    ],
    [
      'a word for options',
      build(sequence, (x) => nn.dense(x, 3, given('relu'))),
      'dense: the options cannot be read — expected { name, init, bias, biasInit, weight }, got "relu"',
    ],
    [
      'other norms',
      build(sequence, (x) => nn.transformerBlock(x, given({ heads: 2, norm: 'mid' }))),
      'norm cannot be used — expected one of "pre", "post", got "mid"',
    ],
    [
      'other activations',
      build(sequence, (x) => nn.transformerBlock(x, given({ heads: 2, activation: 'swish' }))),
      'expected one of "gelu", "relu", got "swish"',
    ],
    [
      'no options',
      build(sequence, (x) => nn.transformerBlock(x, given(undefined))),
      'block: the options cannot be read — expected { name, init, bias, heads,',
    ],
    [
      'words for sizes',
      build(image, (x) => nn.conv2d(x, 8, 3, given({ padding: 'same' }))),
      'padding cannot be used — expected a number, or 2 in an array, got "same"',
    ],
    [
      'a number for dims',
      build(sequence, (x) => nn.mean(x, given(1))),
      'mean-1: dims cannot be used — expected an array of whole numbers, got 1',
    ],
    [
      'texts for numbers',
      build(sequence, (x) => nn.dense(x, given('3'))),
      'dense-1: units cannot be used — expected a positive integer, got "3"',
    ],
    [
      'both values of a recurrence',
      build(sequence, (x) => nn.dense(given(nn.lstm(x, 3)), 2)),
      'dense: what it reads is no value of a model — expected what a layer returned, got { sequence, state }, as nn.lstm and nn.gru give it (use .sequence)',
    ],
    [
      'nothing to read',
      build(sequence, () => nn.relu(given(undefined))),
      'relu: what it reads is no value of a model — expected what a layer returned, got nothing',
    ],
    [
      'nothing to add',
      build(sequence, (x) => nn.add(x, given(undefined))),
      'add-1: an input is no value of a graph — expected what a layer returned, got nothing',
    ],
    [
      'no list of tensors',
      build(sequence, (x) => nn.concat(given(x), 1)),
      'concat: the tensors cannot be joined — expected an array of tensors',
    ],
    [
      'initialisers that were not called',
      build(sequence, (x) => nn.dense(x, 2, given({ init: nn.init.zeros }))),
      'init cannot be used — expected an object, got the function zeros',
    ],
    ['a number for sizes', () => nn.mlp(given(10)), 'mlp: the sizes cannot be used — expected an array such as [784, 128, 10], got 10'],
  ])('%s', (_, run, message) => {
    expect(run).toThrow(message)
  })
})

describe('models refuse', () => {
  const dense = ({ x }: { readonly x: nn.Tensor }): nn.Tensor => nn.dense(x, 2)
  test.each<[string, () => unknown, string]>([
    [
      'no output',
      build(sequence, () => undefined),
      'm: the function gives no output — expected that it returns what a layer returned, got nothing (is a return missing?)',
    ],
    ['a promise', build(sequence, async (x) => nn.dense(x, 2)), 'got a Promise'],
    ['several outputs', build(sequence, (x) => [nn.dense(x, 2)]), 'the function gives no output'],
    ['both values of a recurrence', build(sequence, (x) => nn.lstm(x, 3)), '(use .sequence)'],
    ['another input', () => nn.model('m', { image: [3] }, given(dense)), 'm: the model has no input x — expected image'],
    [
      'a number for a shape',
      () => nn.model('m', { x: given(10) }, dense),
      'm: the input x has no usable shape — expected that of one sample, such as [1, 28, 28], got 10 (write [10])',
    ],
    ['no inputs', () => nn.model('m', given(null), dense), 'm: inputs cannot be used — expected an object, got null'],
    ['no function', () => nn.model('m', { x: [3] }, given(undefined)), 'm: build cannot be used — expected a function'],
    ['an empty name', () => nn.model('', { x: [3] }, dense), 'model: name cannot be used — expected a text that is not empty, got ""'],
    [
      'a number for a name',
      () => nn.model(given(5), { x: [3] }, dense),
      'model: name cannot be used — expected a text that is not empty, got 5',
    ],
    ['an input without a name', () => nn.model('m', { '': [3] }, given(dense)), 'an input cannot be named ""'],
    [
      'other element kinds',
      () => nn.model('m', { x: given({ shape: [3], dtype: 'int64' }) }, dense),
      'expected dtype float32 or int32, got "int64"',
    ],
    [
      'unknown fields of inputs',
      () => nn.model('m', { x: given({ shape: [3], type: 'int32' }) }, dense),
      'no option type — expected shape, dtype',
    ],
    ['inputs that are never read', () => nn.model('m', { x: [3], y: [2] }, dense), 'm: the input y is never read'],
  ])('%s', (_, run, message) => {
    expect(run).toThrow(message)
  })

  test('but take an output that is an input, and an int32 one', () => {
    expect(nn.model('same', { x: [3] }, ({ x }) => x).graph.nodes).toEqual([])
    expect(nn.model('ids', { x: { shape: [3], dtype: 'int32' } }, ({ x }) => nn.embedding(x, 4, 2)).numParameters).toBe(8)
  })
})
