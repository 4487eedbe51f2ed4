import { describe, expect, it } from 'vitest'
import type { Channel } from '../core/channel.ts'
import { ShapedChannel } from './shaping.ts'

describe('a shaped channel', () => {
  it('lets messages leave in the order in which they were posted, whichever is looked at first', () => {
    const left: number[] = []
    const inner = {
      rank: 0,
      *send(data: Int32Array) {
        left.push(data[0] as number)
      },
    } as unknown as Channel
    const channel = new ShapedChannel(inner, { latencyMs: 1 })
    const sends = [0, 1, 2].map((index) => channel.send(Int32Array.of(index), 1, 7))
    for (const send of sends) send.next()
    const due = performance.now() + 5
    while (performance.now() < due);
    // All are due now; the later ones are asked before the first.
    for (const index of [2, 1, 0]) sends[index]?.next()
    while (left.length < 3) for (const send of sends) send.next()
    expect(left).toEqual([0, 1, 2])
  })
})
