import { describe, expect, test } from 'vitest'
import { DataError } from '../errors.ts'
import * as nn from './index.ts'
import { requireTokens, tokenRanges } from './token-range.ts'

const rowsOf = (model: nn.Model, input: string) => tokenRanges(model.graph, input).map((range) => range?.rows)

describe('tokenRanges', () => {
  test('are the rows of the table that an input picks from', () => {
    const model = nn.model('words', { tokens: { shape: [3], dtype: 'int32' } }, ({ tokens }) =>
      nn.dense(nn.flatten(nn.embedding(tokens, 9, 2)), 2),
    )
    expect(rowsOf(model, 'tokens')).toEqual([9, 9, 9])
  })

  test('follow slices, transposes and reshapes, and leave open what nothing picks by', () => {
    const model = nn.model('pieces', { ids: { shape: [2, 3], dtype: 'int32' } }, ({ ids }) => {
      const turned = nn.transpose(ids, [0, 2, 1]) // [batch, 3, 2]: 0 3 | 1 4 | 2 5
      const a = nn.embedding(nn.reshape(nn.slice(turned, 1, 0, 1), [2]), 5, 4, { name: 'a' }) // elements 0 and 3
      const b = nn.embedding(nn.slice(nn.slice(turned, 1, 1, 2), 2, 1, 2), 7, 4, { name: 'b' }) // element 4
      return nn.dense(nn.add(nn.flatten(nn.slice(a, 1, 0, 1)), nn.flatten(b)), 2)
    })
    expect(rowsOf(model, 'ids')).toEqual([5, undefined, undefined, 5, 7, undefined])
  })

  test('are the smaller of two tables, and know the models of the library', () => {
    const model = nn.matrixFactorisation({ users: 6, items: 4, factors: 2 })
    const [input] = Object.keys(model.inputs) as [string]
    expect(rowsOf(model, input)).toEqual([6, 4])
  })
})

describe('requireTokens', () => {
  const ranges = [{ table: 'words.weight', rows: 9 }, undefined]

  test.each([
    [[8, 99, 9, 0], 'got 9 in row 1, column 0'],
    [[-1, 0], 'got -1 in row 0, column 0'],
    [[0, 1.5], 'whole numbers, got 1.5 in row 0, column 1'],
    [[0, 0, 1.5, 0], 'whole numbers from 0 to 8 (rows of words.weight), got 1.5 in row 1, column 0'],
    [[Number.NaN, 0], 'got NaN in row 0, column 0'],
  ])('refuses %j', (values, message) => {
    const check = () => requireTokens(values, ranges, 'predict: tokens cannot be used')
    expect(check).toThrow(DataError)
    expect(check).toThrow(message)
  })

  test('takes what is in range', () => {
    expect(() => requireTokens(Float32Array.of(0, -5, 8, 1e6), ranges, 'predict')).not.toThrow()
  })
})
