import { describe, expect, it } from 'vitest'
import type { Stall } from '../launch.ts'
import type { RankStatus } from './messages.ts'
import { Watchdog } from './watchdog.ts'

function status(rank: number, changes: Partial<RankStatus> = {}): RankStatus {
  return {
    rank,
    lane: 0,
    service: false,
    state: 'waiting',
    operations: 12,
    waits: 3,
    step: 4,
    committing: false,
    timeoutMs: 1000,
    label: 'allReduce #12',
    text: 'forward',
    missing: [],
    waitingMs: 2000,
    ...changes,
  }
}

describe('watchdog', () => {
  it('blames the rank that does not wait', () => {
    const verdict = new Watchdog(3, undefined).look([status(1, { state: 'running', waitingMs: 0, operations: 11 }), status(0), status(2)])
    expect(verdict).toMatchObject({ code: 'COLLECTIVE_TIMEOUT', details: { ranks: [1], waitingFor: 'allReduce #12' } })
    expect(verdict?.message).toContain('rank 1: forward')
  })

  it('blames the rank that has fallen behind when all wait', () => {
    const verdict = new Watchdog(3, undefined).look([
      status(2, { operations: 9, label: 'recv from 1 tag 0', waitingMs: 10 }),
      status(0),
      status(1),
    ])
    expect(verdict?.details['ranks']).toEqual([2])
  })

  it('blames the rank whose process has fallen silent, whatever it said last', () => {
    const watchdog = new Watchdog(3, undefined)
    watchdog.look([status(1, { waitingMs: 0 })], 1000)
    const verdict = watchdog.look([status(2, { state: 'running', waitingMs: 0 }), status(0)], 9000)
    expect(verdict?.details['ranks']).toEqual([1])
  })

  it('calls a rank that has ended lost', () => {
    const verdict = new Watchdog(2, undefined).look([status(1, { state: 'ended', waitingMs: 0 }), status(0)])
    expect(verdict).toMatchObject({ code: 'PEER_LOST', details: { ranks: [1] } })
  })

  it('is patient until the time-out, and tells of long waits before', () => {
    const stalls: Stall[] = []
    const watchdog = new Watchdog(2, (stall) => stalls.push(stall))
    expect(
      watchdog.look([status(1, { state: 'running', waitingMs: 0 }), status(0, { timeoutMs: 20_000, waitingMs: 9_000 })]),
    ).toBeUndefined()
    expect(stalls).toEqual([])
    watchdog.look([status(0, { timeoutMs: 20_000, waitingMs: 11_000 })])
    watchdog.look([status(0, { timeoutMs: 20_000, waitingMs: 12_000 })])
    expect(stalls).toEqual([
      { rank: 0, waitingFor: 'allReduce #12', waitingMs: 11_000, missing: [], busy: [{ rank: 1, text: 'forward', step: 4 }] },
    ])
  })
})
