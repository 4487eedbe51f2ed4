import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../errors.ts'
import { type Batch, Batches } from './batches.ts'
import { epochOrder } from './order.ts'
import { partition } from './partition.ts'

const real = ({ rows, count }: Batch): number[] => [...rows.subarray(0, count)]

describe('Batches, shared order', () => {
  it('the ranks together take the global batches of the epoch order', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 12 }),
        fc.boolean(),
        (rows, worldSize, extra, pads) => {
          const globalBatchSize = worldSize + extra - 1
          const lastBatch = pads ? 'pad' : 'drop'
          if (!pads && rows < globalBatchSize) return
          const ranks = Array.from(
            { length: worldSize },
            (_, rank) => new Batches({ rows, globalBatchSize, worldSize, rank, seed: 4, lastBatch }),
          )
          const { batchesPerEpoch } = ranks[0]!
          expect(batchesPerEpoch).toBe(pads ? Math.ceil(rows / globalBatchSize) : Math.floor(rows / globalBatchSize))
          for (const epoch of [0, 1]) {
            const visited: number[] = []
            for (let batch = 0; batch < batchesPerEpoch; batch++) {
              const parts = ranks.map((rank) => rank.next())
              for (const part of parts) {
                expect(part).toMatchObject({ epoch, batch, globalCount: parts.reduce((sum, { count }) => sum + count, 0) })
                expect(part.rows.every((row) => row >= 0 && row < rows)).toBe(true)
              }
              visited.push(...parts.flatMap(real))
            }
            expect(visited).toEqual([...epochOrder(4, epoch, rows).subarray(0, pads ? rows : batchesPerEpoch * globalBatchSize)])
          }
        },
      ),
    )
  })

  it('goes on from a saved cursor', () => {
    const options = { rows: 50, globalBatchSize: 8, worldSize: 2, rank: 1, seed: 9 }
    const whole = new Batches(options)
    for (let i = 0; i < 8; i++) whole.next()
    const cursor: unknown = JSON.parse(JSON.stringify(whole.cursor))
    const resumed = new Batches(options)
    resumed.restore(cursor as typeof whole.cursor)
    for (let i = 0; i < 10; i++)
      expect({ ...resumed.next(), rows: [...resumed.at(0, 0, new Int32Array(4)).rows] }.epoch).toBe(whole.next().epoch)
    expect(resumed.cursor).toEqual(whole.cursor)
    const a = resumed.next(new Int32Array(4))
    const b = whole.next(new Int32Array(4))
    expect(a).toEqual(b)
    expect(() => resumed.restore({ epoch: 0, batch: 6 })).toThrow(/the cursor does not fit — expected a batch below 6/)
  })

  it('writes row numbers where it is told', () => {
    const into = new Int32Array(4)
    const batch = new Batches({ rows: 10, globalBatchSize: 4 }).next(into)
    expect(batch.rows).toBe(into)
    expect([...into]).toEqual([...epochOrder(1, 0, 10).subarray(0, 4)])
  })

  it('refuses what cannot be cut', () => {
    expect(() => new Batches({ rows: 10, globalBatchSize: 11 })).toThrow(
      /an epoch has no batch — expected at least globalBatchSize 11 rows, got 10/,
    )
    expect(() => new Batches({ rows: 10, globalBatchSize: 1, worldSize: 2 })).toThrow(ConfigError)
    expect(() => new Batches({ rows: 10, globalBatchSize: 4, worldSize: 2, rank: 2 })).toThrow(/no such rank/)
    expect(() => new Batches({ rows: [Int32Array.of(1)], globalBatchSize: 4, worldSize: 2 })).toThrow(/the partition does not fit/)
  })
})

describe('Batches, own rows', () => {
  const target = { dtype: 'int32', shape: [41], values: Int32Array.from({ length: 41 }, (_, row) => row % 5) } as const
  const data = { name: 'x', rows: 41, target, classes: ['0', '1', '2', '3', '4'] }

  it('every rank stays within its rows and all take the same number of steps', () => {
    const { rows } = partition(data, 3, { kind: 'dirichlet', alpha: 0.5, minRows: 3, seed: 2 })
    for (const lastBatch of ['drop', 'pad'] as const) {
      const ranks = rows.map((_, rank) => new Batches({ rows, globalBatchSize: 7, worldSize: 3, rank, lastBatch }))
      expect(new Set(ranks.map(({ batchesPerEpoch }) => batchesPerEpoch)).size).toBe(1)
      const seen = rows.map(() => [] as number[])
      for (let batch = 0; batch < ranks[0]!.batchesPerEpoch; batch++) {
        const parts = ranks.map((rank) => rank.next())
        expect(parts[0]!.globalCount).toBe(parts.reduce((sum, { count }) => sum + count, 0))
        for (const [rank, part] of parts.entries()) seen[rank]!.push(...real(part))
      }
      seen.forEach((own, rank) => {
        expect(new Set(own).size).toBe(own.length)
        expect(own.every((row) => rows[rank]!.includes(row))).toBe(true)
        if (lastBatch === 'pad') expect(own.sort((a, b) => a - b)).toEqual([...rows[rank]!])
      })
    }
  })
})

describe('Batches, an order of the data', () => {
  it('sequential rows come as they stand, in every epoch, each stream always to the same rank', () => {
    const order = { kind: 'sequential', streams: 4 } as const
    const ranks = [0, 1].map((rank) => new Batches({ rows: 14, globalBatchSize: 4, worldSize: 2, rank, order }))
    for (let batch = 0; batch < 6; batch++) {
      const parts = ranks.map((rank) => real(rank.next()))
      const first = (batch % 3) * 4
      expect(parts).toEqual([
        [first, first + 1],
        [first + 2, first + 3],
      ])
    }
    expect(() => new Batches({ rows: 14, globalBatchSize: 7, order })).toThrow(/streams that continue — expected globalBatchSize 4, got 7/)
    expect(() => new Batches({ rows: [Int32Array.of(0, 1), Int32Array.of(2, 3)], globalBatchSize: 4, worldSize: 2, order })).toThrow(
      /got a partition/,
    )
  })

  it('bucketed rows: every row once, batches of like length, in an order that is not sorted', () => {
    const units = Int32Array.from({ length: 103 }, (_, row) => 1 + ((row * 37) % 50))
    const batches = new Batches({ rows: 103, globalBatchSize: 4, order: { kind: 'bucketed', block: 50 }, units, lastBatch: 'pad' })
    for (const epoch of [0, 1]) {
      const seen: number[] = []
      const spans: number[] = []
      const firsts: number[] = []
      for (let batch = 0; batch < batches.batchesPerEpoch; batch++) {
        const rows = real(batches.at(epoch, batch))
        const lengths = rows.map((row) => units[row]!)
        seen.push(...rows)
        spans.push(Math.max(...lengths) - Math.min(...lengths))
        firsts.push(lengths[0]!)
      }
      expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 103 }, (_, row) => row))
      // Blocks of 48 rows over 50 lengths: neighbours differ by a few, where batches by chance would span some 30.
      expect(spans.reduce((a, b) => a + b, 0) / spans.length).toBeLessThan(7)
      expect(firsts).not.toEqual([...firsts].sort((a, b) => a - b))
    }
    expect(real(batches.at(0, 0))).not.toEqual(real(batches.at(1, 0)))
  })

  it('counts the targets of the global batch, whoever holds the rows', () => {
    const units = Int32Array.from({ length: 23 }, (_, row) => row % 5)
    const dealt = [Int32Array.from({ length: 12 }, (_, i) => i), Int32Array.from({ length: 11 }, (_, i) => 12 + i)]
    for (const rows of [23, dealt]) {
      const ranks = [0, 1].map((rank) => new Batches({ rows, globalBatchSize: 6, worldSize: 2, rank, units, lastBatch: 'pad' }))
      for (let batch = 0; batch < ranks[0]!.batchesPerEpoch; batch++) {
        const parts = ranks.map((own) => own.next())
        const expected = parts.flatMap(real).reduce((sum, row) => sum + units[row]!, 0)
        expect(parts.map((part) => part.globalUnits)).toEqual([expected, expected])
      }
    }
    expect(new Batches({ rows: 23, globalBatchSize: 6, units: 35 }).next().globalUnits).toBe(210)
  })
})
