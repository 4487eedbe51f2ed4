import { describe, expect, it } from 'vitest'
import { syntheticRecord } from '../../tests/compare/synthetic-record.ts'
import type { RankRecord, RunRecord } from '../records/record.ts'
import { stepCheck } from './step-check.ts'

/** Two ranks, steps as [compute, communicate, wait] in seconds. */
function recordOf(
  a: readonly (readonly [number, number, number])[],
  b: readonly (readonly [number, number, number])[],
  trainSeconds: number,
): RunRecord {
  const base = syntheticRecord({ paradigm: 'parallel' })
  const rank = (index: number, times: typeof a): RankRecord => ({
    ...(base.ranks[index] as RankRecord),
    steps: times.length,
    stepTimes: times.map(([compute, communicate, wait], step) => [step, compute, communicate, wait]),
  })
  return { ...base, ranks: [rank(0, a), rank(1, b)], summary: { ...base.summary, trainSeconds, steps: a.length } }
}

describe('T_step = max(T_rank)', () => {
  it('takes the slowest rank of every step, not the slowest on average', () => {
    const check = stepCheck(
      recordOf(
        [
          [1, 0, 2],
          [3, 0, 0],
        ],
        [
          [3, 0, 0],
          [1, 0, 2],
        ],
        6,
      ),
    )
    expect(check).toMatchObject({
      sampledSteps: 2,
      stepSeconds: 3,
      slowestSeconds: 3,
      waitSeconds: 0,
      outsideSeconds: 0,
      residual: 0,
      slowestShare: 0.5,
    })
  })

  it('splits the residual into waiting and time between instructions', () => {
    const check = stepCheck(
      recordOf(
        [
          [1, 0.5, 0.5],
          [1, 0.5, 0.5],
        ],
        [
          [0.5, 0.5, 1],
          [0.5, 0.5, 1],
        ],
        5,
      ),
    )
    expect(check).toMatchObject({
      stepSeconds: 2.5,
      slowestSeconds: 1.5,
      waitSeconds: 0.5,
      outsideSeconds: 0.5,
      slowestRank: 0,
      slowestShare: 1,
    })
    expect(check?.residual).toBeCloseTo(0.4, 12)
  })

  it('never books more waiting than the train clock holds, even where steps of ranks overlap', () => {
    const check = stepCheck(
      recordOf(
        [
          [1, 0, 3],
          [1, 0, 0],
        ],
        [
          [1, 0, 0],
          [1, 0, 3],
        ],
        5.2,
      ),
    )
    expect(check).toMatchObject({ stepSeconds: 2.6, slowestSeconds: 1, waitSeconds: 1.5 })
    expect(check?.outsideSeconds).toBeCloseTo(0.1, 12)
  })

  it('looks only at steps that every rank sampled', () => {
    const record = recordOf(
      [
        [1, 0, 0],
        [1, 0, 0],
      ],
      [[1, 0, 0]],
      2,
    )
    expect(stepCheck(record)?.sampledSteps).toBe(1)
  })

  it('falls back to totals, and says so by zero sampled steps', () => {
    const record = syntheticRecord({ paradigm: 'distributed' })
    const check = stepCheck({ ...record, ranks: record.ranks.map((rank) => ({ ...rank, stepTimes: [] })) })
    expect(check?.sampledSteps).toBe(0)
    expect(check?.residual).toBeGreaterThan(0)
    expect(check?.residual).toBeLessThan(0.1)
  })

  it('knows asynchronous runs by their staleness, and runs without steps', () => {
    expect(stepCheck(syntheticRecord({ paradigm: 'parallel', asynchronous: true }))?.synchronous).toBe(false)
    expect(stepCheck(syntheticRecord({ paradigm: 'parallel' }))?.synchronous).toBe(true)
    expect(stepCheck({ ...syntheticRecord(), ranks: [] })).toBeUndefined()
  })
})
