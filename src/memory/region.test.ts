import { describe, expect, it } from 'vitest'
import { Region } from './region.ts'
import { Segment } from './segment.ts'

describe('a region', () => {
  it.each([Number.NaN, -1, 1.5, Number.POSITIVE_INFINITY])('refuses %s elements and goes on as before', (length) => {
    const segment = Segment.create(4096, 'test')
    const region = new Region(segment, segment.allocate('uint8', 256, 'region').byteOffset, 256, 'region of rank 0')
    const first = region.allocate('float32', 4, 'first')
    expect(() => region.allocate('float32', length, 'wrong')).toThrow(/^region of rank 0: cannot allocate wrong/)
    expect(region.usedBytes).toBe(64)
    expect(region.allocate('float32', 4, 'second').byteOffset).toBe(first.byteOffset + 64)
    segment.close()
  })
})
