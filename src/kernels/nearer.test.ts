import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Segment } from '../memory/segment.ts'
import { kernelsFor } from './load.ts'
import { plainKernels } from './plain.ts'

const arena = Segment.create(64 * 2 ** 20, 'nearer tests')
const kernels = kernelsFor(arena)

test('nearer keeps the lesser of what is known and the distance to the centre, as the plain loop does', () => {
  const shape = fc.record({ n: fc.integer({ min: 0, max: 12 }), d: fc.integer({ min: 1, max: 35 }), bytes: fc.boolean(), start: fc.nat(3) })
  fc.assert(
    fc.property(shape, fc.infiniteStream(fc.integer({ min: 0, max: 255 })), ({ n, d, bytes, start }, numbers) => {
      const next = () => numbers.next().value as number
      const rows = bytes ? arena.allocate('uint8', (n + start) * d, 'rows') : arena.allocate('float32', (n + start) * d, 'rows')
      for (let i = 0; i < rows.length; i++) rows[i] = bytes ? next() : next() / 16
      const scale = bytes ? 1 / 255 : 1
      const center = arena.allocate('float32', d, 'center')
      for (let j = 0; j < d; j++) center[j] = next() / 255
      const distances = arena.allocate('float64', n, 'distances')
      for (let i = 0; i < n; i++) distances[i] = next() < 100 ? 0.01 : Number.POSITIVE_INFINITY
      const expected = distances.slice()
      const total = kernels.nearer(rows, scale, start, start + n, center, d, distances)
      const plainTotal = plainKernels.nearer(rows, scale, start, start + n, center, d, expected)
      for (let i = 0; i < n; i++) expect(distances[i]).toBeCloseTo(expected[i] as number, 2)
      if (n > 0) expect(total / Math.max(plainTotal, 1e-9)).toBeCloseTo(1, 4)
    }),
  )
})
