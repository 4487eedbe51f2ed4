import { describe, expect, it } from 'vitest'
import type { Dataset } from './dataset.ts'
import { fromArrays } from './from-arrays.ts'
import { split } from './split.ts'
import { take } from './take.ts'

function numbered(rows: number, classes: number): Dataset {
  const features = Float32Array.from({ length: 2 * rows }, (_, i) => i)
  return fromArrays({
    features,
    target: Int32Array.from({ length: rows }, (_, row) => (row < rows * 0.8 ? 0 : 1 + (row % (classes - 1)))),
    name: 'numbered',
  })
}
const rowsOf = (dataset: Dataset): number[] => Array.from({ length: dataset.rows }, (_, row) => dataset.features.values[2 * row]! / 2)

describe('split', () => {
  it('puts every row on one side, with its target', () => {
    const data = numbered(101, 3)
    const [train, test] = split(data, { test: 0.2, seed: 5 })
    expect(test.rows).toBe(20)
    expect([...rowsOf(train), ...rowsOf(test)].sort((a, b) => a - b)).toEqual(rowsOf(data))
    for (const part of [train, test]) {
      expect([...part.target!.values]).toEqual(rowsOf(part).map((row) => data.target!.values[row]))
    }
    expect(train.test).toBe(test)
    expect(train.classes).toEqual(data.classes)
  })

  it('is drawn anew by another seed only', () => {
    const data = numbered(60, 3)
    expect(split(data, { seed: 1 })[1].hash).toBe(split(data, { seed: 1 })[1].hash)
    expect(split(data, { seed: 1 })[1].hash).not.toBe(split(data, { seed: 2 })[1].hash)
  })

  it('keeps the shares of the classes where asked to', () => {
    const [train, test] = split(numbered(1000, 3), { test: 0.1, stratify: true })
    const count = (part: Dataset, label: number): number => Array.from(part.target!.values).filter((own) => own === label).length
    expect([0, 1, 2].map((label) => count(test, label))).toEqual([80, 10, 10])
    expect([0, 1, 2].map((label) => count(train, label))).toEqual([720, 90, 90])
  })

  it('takes a number of rows, and keeps evaluation rows that were there', () => {
    const whole = { ...numbered(50, 2), test: numbered(5, 2) }
    const [train, validation] = split(whole, { test: 10 })
    expect(validation.rows).toBe(10)
    expect(train.test).toBe(whole.test)
  })

  it('refuses what leaves a side empty', () => {
    expect(() => split(numbered(10, 2), { test: 10 })).toThrow(/leaves rows on both sides of 10, got test 10/)
    expect(() => split(numbered(10, 2), { test: 0.01 })).toThrow(/numbered cannot be cut so/)
    expect(() => split(fromArrays({ features: [[1], [2]], target: [1, 2] }), { test: 1, stratify: true })).toThrow(/has no classes/)
  })
})

describe('take', () => {
  it('takes the first rows or those named', () => {
    const data = numbered(10, 2)
    expect(rowsOf(take(data, 3))).toEqual([0, 1, 2])
    const some = take(data, [9, 0, 9])
    expect(rowsOf(some)).toEqual([9, 0, 9])
    expect(some.target!.shape).toEqual([3])
    expect(() => take(data, 11)).toThrow(/expected 1 to 10 rows, got 11/)
    expect(() => take(data, [10])).toThrow(/expected row numbers from 0 to 9, got 10/)
  })
})
