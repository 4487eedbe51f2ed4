import { describe, expect, it } from 'vitest'
import { fromArrays } from './from-arrays.ts'
import { fillers, imputeMean } from './impute-mean.ts'
import { columnMoments, standardise } from './standardise.ts'

const values = Float64Array.of(1, 0.1, 2, 0.1, 6, 0.1)

describe('standardise', () => {
  it('gives mean 0 and deviation 1, and 0 in constant columns', () => {
    const scaled = standardise(fromArrays({ features: values, shape: [3, 2] }))
    const { mean, std } = columnMoments(scaled)
    expect(mean[0]).toBeCloseTo(0, 12)
    expect(std[0]).toBeCloseTo(1, 12)
    expect(Math.abs(scaled.features.values[1]!)).toBeLessThan(1e-15)
    expect(std[1]).toBe(0)
  })

  it('scales further rows by the moments of the first', () => {
    const test = fromArrays({ features: Float64Array.of(3, 5), shape: [1, 2] })
    const scaled = standardise(fromArrays({ features: values, shape: [3, 2], test }))
    expect(scaled.test!.features.values[0]).toBeCloseTo(0, 12)
    expect(scaled.test!.features.values[1]).toBeCloseTo(4.9, 12)
  })

  it('looks at values as models see them', () => {
    const image = fromArrays({ features: Uint8Array.of(0, 255), shape: [2, 1], normalize: { scale: 1 / 255, shift: 1 } })
    expect([...columnMoments(image).mean]).toEqual([1.5])
    expect([...columnMoments(image).std]).toEqual([0.5])
    expect([...standardise(image).features.values]).toEqual([-1, 1])
    expect(standardise(image).normalize).toEqual({ scale: 1, shift: 0 })
  })

  it('refuses moments of other columns', () => {
    const moments = columnMoments(fromArrays({ features: values, shape: [2, 3] }))
    expect(() => standardise(fromArrays({ features: values, shape: [3, 2] }), moments)).toThrow(/expected 2 columns, got 3/)
  })
})

describe('imputeMean', () => {
  it('fills gaps with the column means of the rows given', () => {
    const train = { ...fromArrays({ features: Float32Array.of(1, Number.NaN, 3, 4), shape: [2, 2] }), missingValues: 1 }
    const test = { ...fromArrays({ features: Float32Array.of(Number.NaN, 9), shape: [1, 2] }), missingValues: 1 }
    expect([...imputeMean(train).features.values]).toEqual([1, 4, 3, 4])
    expect([...imputeMean(test, fillers(train)).features.values]).toEqual([2, 9])
    expect(imputeMean(train).hash).not.toBe(train.hash)
  })
})
