import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../errors.ts'
import { dirichletShares } from './dirichlet.ts'
import { partition, partitionColumns, type PartitionOptions } from './partition.ts'

function labelled(rows: number, classes = 10): Parameters<typeof partition>[0] {
  const values = Int32Array.from({ length: rows }, (_, row) => (row * 7) % classes)
  return { name: 'x', rows, target: { dtype: 'int32', shape: [rows], values }, classes: Array.from({ length: classes }, String) }
}

const kinds: readonly PartitionOptions[] = [
  { kind: 'contiguous' },
  { kind: 'iid', seed: 3 },
  { kind: 'byLabel', shardsPerWorker: 2, seed: 3 },
  { kind: 'dirichlet', alpha: 0.3, minRows: 0, seed: 3 },
]

describe.each(kinds)('partition $kind', (options) => {
  it('deals every row exactly once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 40, max: 300 }), fc.integer({ min: 1, max: 20 }), (rows, workers) => {
        const { rows: parts } = partition(labelled(rows), workers, options)
        expect(parts).toHaveLength(workers)
        expect(parts.flatMap((part) => [...part]).sort((a, b) => a - b)).toEqual(Array.from({ length: rows }, (_, row) => row))
        for (const part of parts) expect([...part]).toEqual([...part].sort((a, b) => a - b))
      }),
    )
  })

  it('is the same for the same seed, and its hash tells', () => {
    const first = partition(labelled(200), 4, options)
    expect(partition(labelled(200), 4, options)).toEqual(first)
    const other = partition(labelled(200), 5, options)
    expect(other.hash).not.toBe(first.hash)
    if (options.kind !== 'contiguous') expect(partition(labelled(200), 4, { ...options, seed: 4 }).hash).not.toBe(first.hash)
  })

  it('refuses more workers than rows', () => {
    expect(() => partition(labelled(4), 5, options)).toThrow(/rows cannot be dealt to 5 workers — expected 1 to 4/)
    expect(() => partition(labelled(4), 0, options)).toThrow(ConfigError)
  })
})

describe('partition', () => {
  it('by label gives each worker few classes', () => {
    const data = labelled(1000)
    const { rows } = partition(data, 10, { kind: 'byLabel', shardsPerWorker: 2 })
    for (const own of rows) expect(new Set(Array.from(own, (row) => data.target!.values[row])).size).toBeLessThanOrEqual(4)
  })

  it('Dirichlet is uneven for small alpha, even for large', () => {
    const data = labelled(2000)
    const largestShare = (alpha: number): number => {
      const { rows } = partition(data, 5, { kind: 'dirichlet', alpha })
      const counts = rows.map((own) => Array.from(own).filter((row) => data.target!.values[row] === 0).length)
      return Math.max(...counts) / counts.reduce((a, b) => a + b)
    }
    expect(largestShare(1000)).toBeLessThan(0.25)
    expect(largestShare(0.05)).toBeGreaterThan(0.5)
  })

  it('Dirichlet gives every worker its least number of rows, or says that it cannot', () => {
    const { rows } = partition(labelled(500), 10, { kind: 'dirichlet', alpha: 0.3, minRows: 10 })
    for (const own of rows) expect(own.length).toBeGreaterThanOrEqual(10)
    expect(() => partition(labelled(100), 20, { kind: 'dirichlet', alpha: 0.001, minRows: 5 })).toThrow(
      /no draw gives every worker its rows/,
    )
  })

  it('needs classes where it goes by label', () => {
    expect(() => partition({ name: 'x', rows: 10 }, 2, { kind: 'byLabel' })).toThrow(
      /x has no classes — expected class labels, got no target/,
    )
  })
})

describe('partitionColumns', () => {
  it('deals every column exactly once', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 9 }),
        fc.option(fc.nat(99), { nil: undefined }),
        (dims, workers, seed) => {
          if (workers > dims) return
          const { columns } = partitionColumns(dims, workers, seed === undefined ? {} : { seed })
          expect(columns!.flatMap((own) => [...own]).sort((a, b) => a - b)).toEqual(Array.from({ length: dims }, (_, column) => column))
        },
      ),
    )
  })
})

describe('dirichletShares', () => {
  it('has the mean and the variance of the distribution', () => {
    for (const alpha of [0.1, 0.5, 1, 3]) {
      const n = 4000
      const first = Float64Array.from({ length: n }, (_, row) => dirichletShares(alpha, 4, 1, row, 0)[0]!)
      const mean = first.reduce((a, b) => a + b) / n
      const variance = first.reduce((sum, share) => sum + (share - mean) ** 2, 0) / n
      expect(mean).toBeCloseTo(1 / 4, 1)
      expect(Math.abs(variance / (((1 / 4) * (3 / 4)) / (4 * alpha + 1)) - 1)).toBeLessThan(0.12)
    }
  })

  it('sums to 1 where every variate underflows', () => {
    const shares = dirichletShares(1e-4, 6, 1, 0, 0)
    expect(shares.reduce((a, b) => a + b)).toBeCloseTo(1, 12)
  })
})
