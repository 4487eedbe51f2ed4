import fc from 'fast-check'
import { expect, it } from 'vitest'
import { bucketParameters, exchangedPart, exchangedRange, layoutParameters, tailLength, viewsByName } from './layout.ts'

const init = { kind: 'constant', value: 0 } as const
const spec = (name: string, ...shape: number[]) => ({ name, shape, init, decay: shape.length > 1 })

it('lays buckets out one after the other, every parameter on its own cache line', () => {
  const layout = layoutParameters([spec('w', 3, 5), spec('b', 5)], [['b'], ['w']])
  expect(layout.ranges.map(({ name, offset, length }) => [name, offset, length])).toEqual([
    ['b', 0, 5],
    ['w', 16, 15],
  ])
  expect(layout.buckets).toEqual([
    { start: 0, end: 16 },
    { start: 16, end: 32 },
  ])
  const flat = new Float32Array(layout.length)
  viewsByName(layout, flat).w?.fill(1)
  expect([...flat.keys()].filter((i) => flat[i] === 1)).toEqual(Array.from({ length: 15 }, (_, i) => 16 + i))
})

it('lays frozen parameters behind what is exchanged: buffers of gradients need no room for them', () => {
  const frozen = { ...spec('old', 40), update: 'nothing' } as const
  const layout = layoutParameters([frozen, spec('w', 3, 5), spec('b', 5)], [['b'], ['w']])
  expect([layout.length, layout.wholeLength]).toEqual([32, 32 + tailLength + 48])
  expect([exchangedRange(layout), exchangedRange(layout, 0), exchangedRange(layout, 1)]).toEqual([
    { start: 0, end: 32 + tailLength },
    { start: 0, end: 16 },
    { start: 16, end: 32 + tailLength },
  ])
  const parameters = new Float32Array(layout.wholeLength)
  viewsByName(layout, parameters).old?.fill(1)
  expect([...exchangedPart(layout, parameters)].every((value) => value === 0)).toBe(true)
  expect(parameters.reduce((sum, value) => sum + value)).toBe(40)
  expect(Object.keys(viewsByName(layout, new Float32Array(layout.length + tailLength)))).toEqual(['b', 'w'])
})

it('refuses a parameter in two buckets, or in none', () => {
  expect(() => layoutParameters([spec('w', 2)], [['w'], ['w']])).toThrow(/w is in two buckets/)
  expect(() => layoutParameters([spec('w', 2), spec('v', 2)], [['w']])).toThrow(/v in no bucket/)
})

it('fills buckets in order, none above the limit unless one parameter alone is', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 64, max: 2000 }),
      (lengths, bytes) => {
        const order = lengths.map((_, i) => `p${i}`)
        const sizes = new Map(order.map((name, i) => [name, lengths[i] as number]))
        const buckets = bucketParameters(order, sizes, bytes)
        expect(buckets.flat()).toEqual(order)
        for (const bucket of buckets) {
          const size = bucket.reduce((sum, name) => sum + 4 * (sizes.get(name) as number), 0)
          expect(size <= bytes || bucket.length === 1).toBe(true)
        }
      },
    ),
  )
})
