import { describe, expect, it } from 'vitest'
import { syntheticRecord } from '../../../tests/compare/synthetic-record.ts'
import type { TraceEvent } from '../../records/record.ts'
import { timelineOf } from './timeline.ts'

const event = (ts: number, dur: number, tid = 0): TraceEvent => ({ name: `at ${ts}`, cat: 'compute', ph: 'X', ts, dur, pid: 0, tid })
const recordWith = (trace: readonly TraceEvent[]) => ({ ...syntheticRecord({ paradigm: 'parallel' }), trace })

describe('timelineOf', () => {
  it('chooses the busiest window, not the gap between sampled steps', () => {
    const trace = [event(0, 100), event(1_000_000, 300), event(1_000_300, 300, 1), event(1_000_600, 300)]
    const timeline = timelineOf(recordWith(trace), 0.001)
    expect(timeline?.events.map((entry) => entry.name)).toEqual(['at 1000000', 'at 1000300', 'at 1000600'])
    expect(timeline?.events.map((entry) => entry.start)).toEqual([0, 0.0003, 0.0006])
    expect(timeline?.events[1]).toMatchObject({ rank: 1, seconds: 0.0003 })
  })

  it('keeps what another rank was doing when the window began', () => {
    const timeline = timelineOf(recordWith([event(0, 1000), event(600, 1400, 1), event(1000, 1000)]), 0.001)
    expect(timeline?.events.every((entry) => entry.start >= 0 && entry.start + entry.seconds <= 0.001 + 1e-12)).toBe(true)
    expect(new Set(timeline?.events.map((entry) => entry.rank))).toEqual(new Set([0, 1]))
    expect(timeline?.events[0]).toMatchObject({ name: 'at 0', start: 0, seconds: 0.0004 })
  })

  it('cuts what reaches over the end of the window', () => {
    expect(timelineOf(recordWith([event(0, 5000)]), 0.002)?.events).toEqual([
      { rank: 0, category: 'compute', name: 'at 0', start: 0, seconds: 0.002 },
    ])
  })

  it('bounds what one record brings into the page, and knows records without a trace', () => {
    const many = Array.from({ length: 5000 }, (_, i) => event(i, 1))
    expect(timelineOf(recordWith(many), 1)?.events).toHaveLength(400)
    expect(timelineOf(recordWith([]), 1)).toBeUndefined()
  })
})
