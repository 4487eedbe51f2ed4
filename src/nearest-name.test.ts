import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { didYouMean, editDistance, nearestName } from './nearest-name.ts'

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['bsp', 'bsp', 0],
    ['bps', 'bsp', 1],
    ['ssp', 'asp', 1],
    ['kitten', 'sitting', 3],
    ['', 'abc', 3],
    ['ca', 'abc', 3],
  ])('%s → %s takes %i', (a, b, expected) => {
    expect(editDistance(a, b)).toBe(expected)
  })

  it('is symmetric, zero only for equal strings, and at most the longer length', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 })
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b)
        expect(distance).toBe(editDistance(b, a))
        expect(distance === 0).toBe(a === b)
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length))
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length))
      }),
    )
  })
})

describe('nearestName', () => {
  const systems = ['solo', 'bsp', 'ssp', 'asp', 'local', 'avg1', 'hvd', 'km-lloyd', 'lin-ols']

  it.each([
    ['bps', 'bsp'],
    ['BSP', 'bsp'],
    ['km-loyd', 'km-lloyd'],
    ['kmlloyd', 'km-lloyd'],
    ['loca', 'local'],
    ['horovod', undefined],
    ['xyz', undefined],
  ])('%s → %s', (typed, expected) => {
    expect(nearestName(typed, systems)).toBe(expected)
  })

  it('makes the tail of a message', () => {
    expect(didYouMean('sollo', systems)).toBe(' — did you mean solo?')
    expect(didYouMean('transformer', systems)).toBe('')
  })
})
