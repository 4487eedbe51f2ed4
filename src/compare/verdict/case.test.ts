import { describe, expect, it } from 'vitest'
import { syntheticRecord, type SyntheticOptions } from '../../../tests/compare/synthetic-record.ts'
import { summarizeRun } from '../summary.ts'
import { groupCases } from './case.ts'
import { representatives } from './representatives.ts'

const cases = (...options: SyntheticOptions[]) => groupCases(options.map((given) => summarizeRun(syntheticRecord(given))))
const labels = (...options: SyntheticOptions[]) => cases(...options)[0]?.cells.map((cell) => cell.label)

describe('groupCases', () => {
  it('makes a case of each workload and size and a cell of each configuration', () => {
    const found = cases(
      { rows: 1_000_000, workload: 'ols/linear' },
      { rows: 10_000, workload: 'ols/linear' },
      { seed: 1 },
      { seed: 2 },
      { paradigm: 'parallel' },
    )
    expect(found.map((of) => of.title.replaceAll('\u00a0', ' '))).toEqual([
      'ols/linear · 10 k rows',
      'ols/linear · 1 M rows',
      'lenet-5/mnist',
    ])
    expect(found[2]?.cells.map((cell) => [cell.paradigm, cell.runs.length])).toEqual([
      ['solo', 2],
      ['parallel', 1],
    ])
    expect(found.flatMap((of) => of.cells.map((cell) => cell.index))).toEqual([0, 1, 2, 3])
  })

  it('computes speed-up and efficiency against the fastest solo run', () => {
    const of = cases(
      { stepSeconds: 0.04 },
      { system: 'other', stepSeconds: 0.02 },
      { paradigm: 'parallel', stepSeconds: 0.02, communicateSeconds: 0, noise: 0 },
    )[0]
    expect(of?.baseline?.system).toBe('other')
    const parallel = of?.cells.find((cell) => cell.paradigm === 'parallel')
    expect(parallel?.speedup).toBeGreaterThan(1.8)
    expect(parallel?.speedup).toBeLessThan(2.05)
    expect((parallel?.efficiency ?? 0) * 2).toBeCloseTo(parallel?.speedup ?? 0, 6)
  })

  it('compares time per epoch, so that a shorter run is not a faster one', () => {
    const of = cases({ epochs: 4, noise: 0 }, { paradigm: 'parallel', epochs: 2, threadsPerProcess: 1, communicateSeconds: 0, noise: 0 })[0]
    expect(of?.cells[1]?.speedup).toBeCloseTo(1, 1)
  })

  it('keeps runs with injected faults and unfinished runs out of the medians', () => {
    const of = cases(
      { paradigm: 'parallel' },
      { paradigm: 'parallel', seed: 2, status: 'failed' },
      { paradigm: 'parallel', options: { fault: 'slow' } },
    )[0]
    expect(of?.cells.map((cell) => [cell.runs.length, cell.done.length])).toEqual([
      [2, 1],
      [1, 0],
    ])
    expect(of?.cells[0]?.trainSeconds?.runs).toBe(1)
    expect(of?.cells[1]?.trainSeconds).toBeUndefined()
  })

  it('notices ranks that share cores', () => {
    const hybrid = cases({ paradigm: 'hybrid', cores: 2 })[0]?.cells[0]
    expect(hybrid?.oversubscribed).toBe(true)
    expect(cases({ paradigm: 'hybrid', cores: 4 })[0]?.cells[0]?.oversubscribed).toBe(false)
    expect(cases({ paradigm: 'virtual', cores: 2 })[0]?.cells[0]?.oversubscribed).toBe(false)
  })
})

describe('cell labels', () => {
  it('say no more than is needed to tell configurations apart', () => {
    expect(labels({}, { paradigm: 'parallel' }, { paradigm: 'hybrid' })).toEqual(['solo', 'bsp · threads × 2', 'bsp · hybrid × 2×2'])
    const staleness = (n: number): SyntheticOptions => ({ paradigm: 'parallel', system: 'ssp', systemOptions: { staleness: n, shards: 1 } })
    expect(labels(staleness(1), staleness(3))).toEqual(['ssp · threads × 2 · staleness 1', 'ssp · threads × 2 · staleness 3'])
    expect(labels({ paradigm: 'parallel', globalBatchSize: 64 }, { paradigm: 'parallel' })).toEqual([
      'bsp · threads × 2 · batch 64',
      'bsp · threads × 2 · batch 128',
    ])
  })
})

describe('representatives', () => {
  it('compare the system that most ways of running share, at its fastest', () => {
    const of = cases(
      {},
      { paradigm: 'parallel', system: 'asp', communicateSeconds: 0 },
      { paradigm: 'parallel', system: 'bsp', communicateSeconds: 0.001 },
      { paradigm: 'distributed', system: 'bsp', communicateSeconds: 0.002 },
      { paradigm: 'distributed', system: 'bsp', communicateSeconds: 0.004, systemOptions: { algorithm: 'tree' } },
    )[0]
    const chosen = representatives(of as NonNullable<typeof of>)
    expect([chosen.solo?.label, chosen.parallel?.label, chosen.distributed?.label]).toEqual(['solo', 'bsp · threads × 2', 'bsp · mpi × 2'])
  })

  it('prefer a configuration with a core for every rank, and skip what never finished', () => {
    const of = cases(
      { paradigm: 'parallel', threadsPerProcess: 8, cores: 4, stepSeconds: 0.001 },
      { paradigm: 'parallel', threadsPerProcess: 4, cores: 4 },
      { paradigm: 'distributed', status: 'failed' },
    )[0]
    const chosen = representatives(of as NonNullable<typeof of>)
    expect(chosen.parallel?.workers).toBe(4)
    expect(chosen.distributed).toBeUndefined()
  })
})
