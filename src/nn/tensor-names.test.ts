import { describe, expect, test } from 'vitest'
import * as nn from './index.ts'
import { namedTensors } from './tensor-names.ts'

const model = nn.model('all', { tokens: { shape: [4], dtype: 'int32' } }, ({ tokens }) => {
  let h = nn.embedding(tokens, 9, 6, { name: 'words' })
  h = nn.lstm(h, 3, { name: 'rnn', layers: 2 }).sequence
  h = nn.gru(h, 3, { name: 'gru' }).sequence
  h = nn.layerNorm(h, { name: 'norm' })
  return nn.dense(nn.batchNorm(nn.flatten(h), { name: 'bn' }), 2, { name: 'blocks.0.fc' })
})
const values = Object.fromEntries(
  model.parameters.map((spec, n) => [spec.name, Float32Array.from({ length: nn.parameterLength(spec) }, (_, i) => n + i / 64)]),
)

describe('namedTensors', () => {
  test('keeps our names', () => {
    const tensors = namedTensors(model, values, 'tutti')
    expect(Object.keys(tensors)).toEqual(model.parameters.map(({ name }) => name))
  })

  test('gives the names and shapes of PyTorch’s modules', () => {
    const tensors = namedTensors(model, values, 'hugging-face')
    expect(Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, shape]))).toEqual({
      'words.weight': [9, 6],
      'rnn.weight_ih_l0': [12, 6],
      'rnn.weight_hh_l0': [12, 3],
      'rnn.bias_ih_l0': [12],
      'rnn.bias_hh_l0': [12],
      'rnn.weight_ih_l1': [12, 3],
      'rnn.weight_hh_l1': [12, 3],
      'rnn.bias_ih_l1': [12],
      'rnn.bias_hh_l1': [12],
      'gru.weight_ih_l0': [9, 3],
      'gru.weight_hh_l0': [9, 3],
      'gru.bias_ih_l0': [9],
      'gru.bias_hh_l0': [9],
      'norm.weight': [3],
      'norm.bias': [3],
      'bn.weight': [12],
      'bn.bias': [12],
      'bn.running_mean': [12],
      'bn.running_var': [12],
      'blocks.0.fc.weight': [2, 12],
      'blocks.0.fc.bias': [2],
    })
    expect(tensors['norm.weight']?.values).toBe(values['norm.gain'])
    expect([...tensors['rnn.bias_hh_l0']!.values]).toEqual(new Array(12).fill(0))
    const candidate = [...values['gru.0.candidateBias']!]
    expect([...tensors['gru.bias_hh_l0']!.values]).toEqual([0, 0, 0, 0, 0, 0, ...candidate])
  })

  test('knows a recurrent layer that stands alone, as in files of other programs', () => {
    const parameter = (name: string, shape: number[]) => ({ name, shape, init: nn.init.zeros(), decay: true })
    const parameters = [
      parameter('lstm.weight', [8, 3]),
      parameter('lstm.recurrent', [8, 2]),
      parameter('lstm.bias', [8]),
      parameter('fc.1.weight', [2, 2]),
    ]
    const zeros = Object.fromEntries(parameters.map((spec) => [spec.name, new Float32Array(nn.parameterLength(spec))]))
    expect(Object.keys(namedTensors({ parameters }, zeros, 'hugging-face'))).toEqual([
      'lstm.weight_ih_l0',
      'lstm.weight_hh_l0',
      'lstm.bias_ih_l0',
      'lstm.bias_hh_l0',
      'fc.1.weight',
    ])
  })
})
