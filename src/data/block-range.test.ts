import fc from 'fast-check'
import { expect, it } from 'vitest'
import { blockRange } from './block-range.ts'

it('blocks follow one another, cover everything, and the first ones are longer by one at most', () => {
  fc.assert(
    fc.property(fc.nat(10_000), fc.integer({ min: 1, max: 70 }), (length, size) => {
      const blocks = Array.from({ length: size }, (_, rank) => blockRange(length, size, rank))
      expect(blocks[0]?.start).toBe(0)
      expect(blocks.at(-1)?.end).toBe(length)
      const sizes = blocks.map(({ start, end }) => end - start)
      expect(blocks.slice(1).every(({ start }, i) => start === blocks[i]?.end)).toBe(true)
      expect(sizes).toEqual([...sizes].sort((a, b) => b - a))
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
    }),
  )
})
