import { describe, expect, it } from 'vitest'
import { syntheticRecord } from '../../tests/compare/synthetic-record.ts'
import { summarizeRun } from './summary.ts'

describe('summarizeRun', () => {
  it('takes bytes and rounds per worker and step from the traffic of a ring', () => {
    const row = summarizeRun(syntheticRecord({ paradigm: 'distributed', processes: 4, gradientBytes: 1000, rows: 12_800, epochs: 2 }))
    expect(row.steps).toBe(200)
    const allReduce = row.phases.find((phase) => phase.phase === 'allReduce')
    expect(allReduce).toMatchObject({ bytes: 1500, rounds: 6 })
    expect(row.bytesPerStep).toBeCloseTo(4 * (1500 + 1000 / 200), 9)
    expect(row.bytesPerWorkerStep).toBeCloseTo(row.bytesPerStep / 4, 9)
    expect(row.busiestWorkerBytes).toBeCloseTo(1505, 9)
  })

  it('counts only what leaves a process as sent between processes', () => {
    const bytes = (paradigm: 'parallel' | 'distributed' | 'hybrid') =>
      summarizeRun(syntheticRecord({ paradigm, processes: paradigm === 'parallel' ? 1 : 2, cores: 4 }))
    const [parallel, distributed, hybrid] = [bytes('parallel'), bytes('distributed'), bytes('hybrid')]
    expect(parallel.bytesBetweenProcesses).toBe(0)
    expect(parallel.bytesPerStep).toBeGreaterThan(0)
    expect(distributed.bytesBetweenProcesses).toBe(distributed.bytesPerStep)
    expect(hybrid.bytesBetweenProcesses / hybrid.bytesPerStep).toBeCloseTo(0.5, 9)
  })

  it('adds the memory of processes, not of the threads in them', () => {
    const record = syntheticRecord({ paradigm: 'hybrid', processes: 2, threadsPerProcess: 2 })
    const perProcess = record.ranks[0]?.peakRssBytes as number
    expect(summarizeRun(record)).toMatchObject({ peakBytesPerProcess: perProcess, peakBytesPerHost: 2 * perProcess })
    const twoHosts = { ...record, ranks: record.ranks.map((rank) => ({ ...rank, host: rank.rank < 2 ? 'a' : 'b' })) }
    expect(summarizeRun(twoHosts)).toMatchObject({ peakBytesPerHost: perProcess, hosts: 2, ranksPerHost: 2 })
  })

  it('shares of a rank add up to its train time', () => {
    for (const rank of summarizeRun(syntheticRecord({ paradigm: 'distributed' })).ranks) {
      expect(rank.compute + rank.communicate + rank.wait + rank.rest).toBeCloseTo(1, 9)
      expect(rank.rest).toBeGreaterThanOrEqual(0)
    }
  })

  it('books what a lone rank spends on exchanges with nobody as rest', () => {
    const record = syntheticRecord()
    const [rank] = record.ranks
    const seconds = 0.1 * (rank?.trainSeconds ?? 0)
    const alone = { ...record, ranks: record.ranks.map((one) => ({ ...one, communicateSeconds: seconds, waitSeconds: 0 })) }
    const row = summarizeRun(alone)
    expect(row).toMatchObject({ communicateShare: 0, waitShare: 0 })
    expect(row.ranks[0]).toMatchObject({ communicate: 0, wait: 0 })
    expect(row.ranks[0]?.rest).toBeGreaterThan(0)
  })

  it('prefers test snapshots, and makes one of the final metric where there are none', () => {
    const record = syntheticRecord({ evaluations: 3 })
    const noise = { kind: 'evaluation', split: 'train', step: 1, epoch: 1, samples: 1, time: 1, metric: 0.1 } as const
    expect(summarizeRun({ ...record, metrics: [noise, ...record.metrics] }).curve).toHaveLength(3)
    const bare = summarizeRun({ ...record, metrics: [] })
    expect(bare.curve).toEqual([
      { time: record.summary.trainSeconds, epoch: 3, step: record.summary.steps, metric: record.summary.finalMetric },
    ])
  })

  it('survives a run that failed before it recorded anything', () => {
    const record = syntheticRecord({ paradigm: 'distributed', status: 'failed' })
    const row = summarizeRun({
      ...record,
      summary: { ...record.summary, steps: 0 },
      ranks: [],
      metrics: [],
      trace: [],
      traffic: { links: [], phases: {} },
    })
    expect(row).toMatchObject({ status: 'failed', curve: [], bytesPerStep: 0, ranksPerHost: 2, hosts: 1 })
    expect(row.stepCheck).toBeUndefined()
  })
})
