import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Sample, compareRatio, equalBand, median, quantile, singleRunBand, spreadOf } from './statistics.ts'

const bySeed = (...values: number[]): Sample[] => values.map((value, i) => ({ seed: i + 1, value }))

describe('quantile', () => {
  it('interpolates between neighbours, in any order of the values', () => {
    expect(quantile([4, 1, 3, 2], 0.25)).toBe(1.75)
    expect(median([9, 1, 5])).toBe(5)
    expect(median([])).toBeNaN()
  })

  it('gives median and quartiles as spread and ignores what was not measured', () => {
    expect(spreadOf([10, Number.NaN, 30, 20])).toEqual({ median: 20, low: 15, high: 25, runs: 3 })
    expect(spreadOf([Number.POSITIVE_INFINITY])).toBeUndefined()
  })
})

describe('compareRatio', () => {
  it('separates runs whose paired ratios all lie off 1', () => {
    const test = compareRatio(bySeed(20, 21, 22), bySeed(10, 10.4, 11.1))
    expect(test.outcome).toBe('larger')
    expect(test.ratio).toBeCloseTo(2.0, 1)
    expect(test.low).toBeGreaterThan(1.9)
    expect(test.high).toBeLessThan(2.1)
    expect(test.runs).toBe(3)
  })

  it('pairs by seed: a seed that is slow for both does not hide the difference', () => {
    const slow = [
      { seed: 1, value: 10 },
      { seed: 2, value: 100 },
    ]
    const fast = [
      { seed: 2, value: 80 },
      { seed: 1, value: 8 },
    ]
    expect(compareRatio(slow, fast)).toMatchObject({ outcome: 'larger', low: 1.25, high: 1.25 })
    const otherSeeds = fast.map((sample) => ({ ...sample, seed: sample.seed + 10 }))
    expect(compareRatio(slow, otherSeeds).outcome).toBe('unclear')
  })

  it('calls equal runs a tie and scattered ones unclear', () => {
    expect(compareRatio(bySeed(10, 10.1, 9.9), bySeed(10.1, 9.9, 10)).outcome).toBe('tie')
    expect(compareRatio(bySeed(8, 13, 10), bySeed(10, 10, 10)).outcome).toBe('unclear')
  })

  it('takes single runs as different only beyond the single-run band', () => {
    expect(compareRatio(bySeed(11.9), bySeed(10)).outcome).toBe('unclear')
    expect(compareRatio(bySeed(10 * singleRunBand * 1.01), bySeed(10)).outcome).toBe('larger')
    expect(compareRatio(bySeed(10), bySeed(12.2, 12.3)).outcome).toBe('smaller')
    expect(compareRatio(bySeed(10.4), bySeed(10), equalBand).outcome).toBe('tie')
  })

  it('has no answer without samples', () => {
    expect(compareRatio([], bySeed(1)).outcome).toBe('unclear')
  })

  const group = fc.array(fc.double({ min: 0.01, max: 1000, noNaN: true }), { minLength: 1, maxLength: 9 })
  const few = fc.array(fc.double({ min: 0.01, max: 1000, noNaN: true }), { minLength: 1, maxLength: 3 })
  it('is its own mirror: swapping the groups inverts the ratio and the outcome', () => {
    const mirrored = { larger: 'smaller', smaller: 'larger', tie: 'tie', unclear: 'unclear' } as const
    fc.assert(
      fc.property(few, few, (a, b) => {
        const [there, back] = [compareRatio(bySeed(...a), bySeed(...b)), compareRatio(bySeed(...b), bySeed(...a))]
        expect(there.ratio * back.ratio).toBeCloseTo(1, 9)
        const marginal = [there.low, there.high, back.low, back.high].some((end) =>
          [1.05, 1 / 1.05, 0.9, 1 / 0.9].some((edge) => Math.abs(end - edge) < 1e-9),
        )
        if (!marginal) expect(back.outcome).toBe(mirrored[there.outcome])
      }),
    )
  })

  it('gives an interval that holds the ratio, the same each time', () => {
    fc.assert(
      fc.property(group, group, (a, b) => {
        const test = compareRatio(bySeed(...a), bySeed(...b))
        expect(test.low).toBeLessThanOrEqual(test.high)
        expect(compareRatio(bySeed(...a), bySeed(...b))).toEqual(test)
        if (a.length === b.length && a.length <= 5) {
          expect(test.low).toBeLessThanOrEqual(test.ratio * (1 + 1e-9))
          expect(test.high).toBeGreaterThanOrEqual(test.ratio * (1 - 1e-9))
        }
      }),
      { numRuns: 40 },
    )
  })
})
