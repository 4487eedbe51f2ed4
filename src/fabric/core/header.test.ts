import { describe, expect, it } from 'vitest'
import { type CollectiveOperation, describeHeader, disagreement, headerWords, minority, writeAgreeHeader, writeHeader } from './header.ts'

function headers(operations: readonly CollectiveOperation[]): Int32Array {
  const words = new Int32Array(operations.length * headerWords)
  for (const [rank, operation] of operations.entries()) writeHeader(operation, words, rank * headerWords)
  return words
}
const check = (operations: readonly CollectiveOperation[]) => disagreement(headers(operations), operations.length, headerWords, 4)
const data = (length: number) => new Float32Array(length)

describe('headers', () => {
  it('agree for the same call', () => {
    const operation = { kind: 'allReduce', data: data(8), op: 'sum' } as const
    expect(check([operation, { ...operation, data: data(8) }, operation])).toBeUndefined()
  })

  it.each([
    ['length', { kind: 'allReduce', data: data(9), op: 'sum' }],
    ['operation', { kind: 'allReduce', data: data(8), op: 'max' }],
    ['element kind', { kind: 'allReduce', data: new Int32Array(8), op: 'sum' }],
    ['algorithm', { kind: 'allReduce', data: data(8), op: 'sum', algorithm: 'tree' }],
    ['kind', { kind: 'barrier' }],
  ] as const)('name the rank with another %s', (_, odd) => {
    const usual = { kind: 'allReduce', data: data(8), op: 'sum' } as const
    const error = check([usual, odd, usual])
    expect(error?.details['ranks']).toEqual([1])
    expect(error?.message).toContain('rank 1: ')
  })

  it('compare blocks with the length that only the root knows', () => {
    const gather = (lengths: readonly number[]) =>
      lengths.map(
        (length, rank): CollectiveOperation =>
          rank === 0 ? { kind: 'gather', data: data(length), into: data(5), root: 0 } : { kind: 'gather', data: data(length), root: 0 },
      )
    expect(check(gather([2, 2, 1]))).toBeUndefined()
    expect(check(gather([2, 1, 2]))?.code).toBe('PROTOCOL')
  })

  it('compare fingerprints, in any length', () => {
    const words = new Int32Array(3 * headerWords)
    for (const [rank, text] of ['a'.repeat(1000), 'a'.repeat(1000), 'a'.repeat(999)].entries())
      writeAgreeHeader(text, words, rank * headerWords)
    expect(disagreement(words, 3, headerWords, 0)?.details['ranks']).toEqual([2])
  })

  it('say what they are', () => {
    expect(describeHeader(headers([{ kind: 'allReduce', data: data(8), op: 'sum', algorithm: 'ring' }]))).toBe(
      'allReduce sum float32[8] ring',
    )
    expect(describeHeader(headers([{ kind: 'broadcast', data: data(8), root: 2 }]))).toBe('broadcast float32[8] root 2')
  })

  it('blame the few, and among equals those after the first', () => {
    expect(minority(['a', 'b', 'b'])).toEqual([0])
    expect(minority(['a', 'b'])).toEqual([1])
    expect(minority(['a', 'a'])).toEqual([])
  })
})
