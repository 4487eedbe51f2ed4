import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrameReader, frame } from './frames.ts'

describe('frames', () => {
  it('come out as they went in, however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.anything({ maxDepth: 1 })), fc.array(fc.integer({ min: 1, max: 20 })), (values, cuts) => {
        const bytes = Buffer.concat(values.map(frame))
        const out: unknown[] = []
        const reader = new FrameReader((value) => out.push(value))
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const length = cuts[turn % Math.max(1, cuts.length)] ?? 7
          reader.push(bytes.subarray(at, at + length))
          at += length
        }
        expect(out).toEqual(values)
      }),
    )
  })

  it('refuse more than the limit', () => {
    const reader = new FrameReader(() => {}, 10)
    expect(() => reader.push(frame('a text that is longer than that'))).toThrow(RangeError)
  })

  it('give back what follows when they are stopped', () => {
    const out: unknown[] = []
    const reader: FrameReader = new FrameReader((value) => {
      out.push(value)
      rest = reader.stop()
    })
    let rest: Buffer | undefined
    reader.push(Buffer.concat([frame(1), frame(2)]))
    expect(out).toEqual([1])
    expect(rest).toEqual(frame(2))
  })
})
