import { describe, expect, it } from 'vitest'
import { syntheticRecord } from '../../tests/compare/synthetic-record.ts'
import { declaredTarget, isFaulty, rankLoss } from './run-outcome.ts'

const error = { code: 'PEER_LOST', message: 'mpi: rank 1 was lost', details: { ranks: [1] } } as const

describe('rankLoss', () => {
  it('grades how a run ended that lost a rank', () => {
    const ended = { paradigm: 'distributed', status: 'failed', error } as const
    expect(rankLoss(syntheticRecord({ ...ended, checkpoint: 'runs/a/checkpoint' }))).toMatchObject({
      level: 2,
      ranks: [1],
      injected: false,
      checkpoint: 'runs/a/checkpoint',
    })
    expect(rankLoss(syntheticRecord(ended))).toMatchObject({ level: 1, message: error.message })
    const faults = [{ rank: 3, kind: 'crash', afterOperations: 9 }]
    expect(rankLoss(syntheticRecord({ paradigm: 'distributed', options: { faults } }))).toMatchObject({
      level: 3,
      ranks: [3],
      injected: true,
    })
  })

  it('does not take other ends for a lost rank', () => {
    expect(rankLoss(syntheticRecord())).toBeUndefined()
    expect(rankLoss(syntheticRecord({ status: 'failed', error: { code: 'CONFIG', message: 'no', details: {} } }))).toBeUndefined()
    expect(rankLoss(syntheticRecord({ status: 'interrupted', checkpoint: 'c' }))).toBeUndefined()
    expect(rankLoss(syntheticRecord({ options: { faults: [{ rank: 0, kind: 'slow', afterOperations: 1 }] } }))).toBeUndefined()
  })

  it('sees injected faults in every form of the option', () => {
    expect(isFaulty(syntheticRecord({ options: { fault: 'crash:1@100' } }).config)).toBe(true)
    expect(isFaulty(syntheticRecord({ options: { faults: [{ rank: 0, kind: 'slow', afterOperations: 1 }] } }).config)).toBe(true)
    expect(isFaulty(syntheticRecord({ options: { faults: [] } }).config)).toBe(false)
    expect(isFaulty(syntheticRecord().config)).toBe(false)
  })
})

describe('declaredTarget', () => {
  it('reads the target of the deciding metric and no other', () => {
    const target = (until: unknown) => declaredTarget(syntheticRecord({ options: { until } }).config)
    expect([
      target({ accuracy: 0.98 }),
      target({ metric: 0.97 }),
      target('accuracy=0.96'),
      target('loss=0.1'),
      target({ epochs: 3 }),
      target(undefined),
    ]).toEqual([0.98, 0.97, 0.96, undefined, undefined, undefined])
  })
})
