import { describe, expect, it } from 'vitest'
import type { RankTask } from '../launch.ts'
import { runInProcess } from '../virtual/in-process.ts'
import { mergeTraffic, PhaseCounter, TrafficCounter } from './counting.ts'

describe('traffic', () => {
  it('is counted by link and phase, on the sending side', async () => {
    const { traffic } = await runInProcess(3, function* (comm): RankTask {
      const data = new Float32Array(6)
      yield comm.start({ kind: 'allReduce', data, op: 'sum' }, { phase: 'gradients' })
      yield comm.start({ kind: 'allReduce', data, op: 'sum', algorithm: 'ring' }, { phase: 'gradients' })
      if (comm.rank === 0) yield comm.start({ kind: 'send', data, to: 2, tag: 1 })
      if (comm.rank === 2) yield comm.start({ kind: 'recv', into: data, from: 0, tag: 1 })
    })
    // Both forms come to the ring's 2n(p−1)/p = 32 bytes in 4 messages.
    expect(traffic[0]?.links).toEqual([
      { from: 0, to: 1, phase: 'gradients', bytes: 64, messages: 8 },
      { from: 0, to: 2, phase: 'send', bytes: 24, messages: 1 },
    ])
    expect(traffic[0]?.phases['gradients']).toMatchObject({ rounds: 8, operations: 2, algorithm: 'ring' })
    expect(traffic[2]?.phases['recv']).toMatchObject({ rounds: 1, operations: 1 })
  })

  it('names world ranks in groups of some of them', async () => {
    const { traffic } = await runInProcess(4, function* (comm): RankTask {
      const request = comm.startSplit(comm.rank % 2, 0)
      yield request
      yield request.communicator.start({ kind: 'allReduce', data: new Float32Array(2), op: 'sum' })
    })
    expect(traffic[1]?.links).toEqual([{ from: 1, to: 3, phase: 'allReduce', bytes: 8, messages: 2 }])
  })

  it('counts waits in virtual seconds on virtual clocks', async () => {
    const { traffic } = await runInProcess(2, function* (comm, world): RankTask {
      if (comm.rank === 1) world.advance(5)
      yield comm.start({ kind: 'barrier' })
    })
    expect(traffic[0]?.phases['barrier']?.waitSeconds).toBeCloseTo(5, 3)
    expect(traffic[1]?.phases['barrier']?.waitSeconds).toBeCloseTo(0, 3)
  })

  it('samples small operations without bias', () => {
    const counter = new PhaseCounter()
    let timed = 0
    for (let operation = 0; operation < 1600; operation++) {
      const waited = counter.begin(1, 100)
      if (waited === undefined) continue
      timed++
      waited(0.001)
    }
    expect(timed).toBe(100)
    expect(counter.waitSeconds).toBeCloseTo(1.6, 1)
    counter.begin(1, 1e6)?.(2)
    expect(counter.waitSeconds).toBeCloseTo(3.6, 1)
  })
})

describe('two threads of one rank', () => {
  it('are added up by link and phase', () => {
    const [rank, service] = [new TrafficCounter(), new TrafficCounter()] as const
    rank.link(0, 1, 'push').bytes += 8
    rank.phase('push').begin(1, 8)
    service.link(0, 1, 'push').bytes += 4
    service.link(0, 2, 'pull').messages += 1
    service.phase('push').begin(2, 4)
    service.phase('pull').algorithm = 'ring'
    const sum = mergeTraffic(rank.toJSON(), service.toJSON())
    expect(sum.links).toEqual([
      { from: 0, to: 1, phase: 'push', bytes: 12, messages: 0 },
      { from: 0, to: 2, phase: 'pull', bytes: 0, messages: 1 },
    ])
    expect(sum.phases).toMatchObject({ push: { rounds: 3, operations: 2 }, pull: { algorithm: 'ring' } })
    expect(mergeTraffic(rank.toJSON(), undefined)).toEqual(rank.toJSON())
  })
})
