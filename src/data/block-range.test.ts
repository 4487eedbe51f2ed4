import fc from 'fast-check'
import { expect, it } from 'vitest'
import { blockRange as fabricBlockRange } from '../fabric/communicator.ts'
import { blockRange } from './block-range.ts'

it('blockRange cuts as the collectives do', () => {
  fc.assert(
    fc.property(fc.nat(10_000), fc.integer({ min: 1, max: 70 }), (length, size) => {
      for (let rank = 0; rank < size; rank++) expect(blockRange(length, size, rank)).toEqual(fabricBlockRange(length, size, rank))
    }),
  )
})
