import { describe, expect, it } from 'vitest'
import { DataError, DTypeError, ShapeError } from '../errors.ts'
import { fromArrays } from './from-arrays.ts'
import { fromAsyncIterable, type RowBatch } from './from-async-iterable.ts'
import { split } from './split.ts'
import { standardise } from './standardise.ts'

describe('fromArrays', () => {
  it('uses typed arrays in place', () => {
    const features = new Uint8Array(2 * 4)
    const target = Int32Array.of(0, 2)
    const data = fromArrays({ features, rowShape: [2, 2], target, normalize: { scale: 1 / 255, shift: 0 } })
    expect(data.features.values).toBe(features)
    expect(data.target!.values).toBe(target)
    expect(data.features).toMatchObject({ dtype: 'uint8', shape: [2, 2, 2] })
    expect(data.classes).toEqual(['0', '1', '2'])
  })

  it('finds the shape from the target', () => {
    const data = fromArrays({ features: new Float64Array(6), target: Float32Array.of(1, 2, 3) })
    expect(data.features.shape).toEqual([3, 2])
    expect(data.classes).toBeUndefined()
    expect(fromArrays({ features: new Float32Array(4), target: Float64Array.of(1, 2, 3, 4), targetWidth: 2 }).target!.shape).toEqual([2, 2])
  })

  it('numbers text labels in sorted order', () => {
    const data = fromArrays({ features: [[1], [2], [3]], target: ['b', 'a', 'b'] })
    expect(data.classes).toEqual(['a', 'b'])
    expect([...data.target!.values]).toEqual([1, 0, 1])
  })

  it('refuses what does not fit', () => {
    expect(() => fromArrays({ features: new Float32Array(5), shape: [2, 3] })).toThrow(ShapeError)
    expect(() => fromArrays({ features: new Float32Array(6), shape: [2, 3], target: Int32Array.of(1) })).toThrow(
      /expected 2 entries for 2 rows, got 1/,
    )
    expect(() => fromArrays({ features: [[1, 2], [3]], target: [1, 2] })).toThrow(/row 1 of arrays has another length — expected 2, got 1/)
    expect(() => fromArrays({ features: new Int16Array(2) as unknown as Float32Array, target: [1, 2] })).toThrow(DTypeError)
    expect(() => fromArrays({ features: [[1], [2]], target: [1, Number.NaN] })).toThrow(/target 1 of arrays is NaN/)
    expect(() => fromArrays({ features: [[1], [2]], target: ['a', 'z'], classes: ['a', 'b'] })).toThrow(DataError)
    expect(() => fromArrays({ features: [[1], [2]], target: Int32Array.of(0, 2), classes: ['a', 'b'] })).toThrow(
      /expected a whole number from 0 to 1, got 2/,
    )
    expect(() => fromArrays({ features: new Float32Array(0), target: [] })).toThrow(ShapeError)
  })

  it('keeps int32 features as ids, and several targets a row', () => {
    const ids = Int32Array.of(3, 1, 4, 1, 5, 9)
    const data = fromArrays({ features: ids, rowShape: [3], target: Int32Array.of(2, -1, 0, 1), targetWidth: 2 })
    expect(data.features).toEqual({ dtype: 'int32', shape: [2, 3], values: ids })
    expect(data.target).toEqual({ dtype: 'int32', shape: [2, 2], values: Int32Array.of(2, -1, 0, 1) })
    expect(data.classes).toEqual(['0', '1', '2'])
    expect(() => fromArrays({ features: ids, rowShape: [3], target: Int32Array.of(0, -1) })).toThrow(/label 1 of arrays is no class/)
    expect(() => standardise(data)).toThrow(/the features of arrays are ids/)
    expect(() => split(data, { test: 1, stratify: true })).toThrow(/has no classes/)
  })

  it('has one hash for one content', () => {
    const data = (): ReturnType<typeof fromArrays> => fromArrays({ features: Float32Array.of(1, 2), target: Int32Array.of(0, 1) })
    expect(data().hash).toBe(data().hash)
    expect(fromArrays({ features: Float32Array.of(1, 2), shape: [1, 2] }).hash).not.toBe(
      fromArrays({ features: Float32Array.of(1, 2), shape: [2, 1] }).hash,
    )
    expect(fromArrays({ features: Float32Array.of(1, 3), target: Int32Array.of(0, 1) }).hash).not.toBe(data().hash)
    expect(fromArrays({ features: Float32Array.of(1, 2), target: Int32Array.of(1, 1) }).hash).not.toBe(data().hash)
  })
})

describe('fromAsyncIterable', () => {
  async function* of(...batches: RowBatch[]): AsyncGenerator<RowBatch> {
    for (const batch of batches) yield await Promise.resolve(batch)
  }

  it('collects single rows', async () => {
    const data = await fromAsyncIterable(
      of({ features: [1, 2], target: 'x' }, { features: [3, 4], target: 'y' }, { features: [5, 6], target: 'x' }),
    )
    expect(data.features).toEqual({ dtype: 'float32', shape: [3, 2], values: Float32Array.of(1, 2, 3, 4, 5, 6) })
    expect([...data.target!.values]).toEqual([0, 1, 0])
  })

  it('collects batches of different sizes, and stops at a number of rows', async () => {
    let closed = false
    async function* endless(): AsyncGenerator<RowBatch> {
      try {
        for (let n = 2; ; n++) yield { features: new Uint8Array(n * 3).fill(n), target: Int32Array.from({ length: n }, () => n % 2) }
      } finally {
        closed = true
        await Promise.resolve()
      }
    }
    const data = await fromAsyncIterable(endless(), { maxRows: 8 })
    expect(data.features.shape).toEqual([8, 3])
    expect(data.features.dtype).toBe('uint8')
    expect([...data.target!.values]).toEqual([0, 0, 1, 1, 1, 0, 0, 0])
    expect(closed).toBe(true)
  })

  it('keeps regression targets as values', async () => {
    const data = await fromAsyncIterable(of({ features: Float64Array.of(1, 2), target: [0.5, 1.5] }), { rowShape: [1] })
    expect(data.target).toEqual({ dtype: 'float32', shape: [2], values: Float32Array.of(0.5, 1.5) })
    expect(data.features.dtype).toBe('float64')
  })

  it('refuses nothing, odd lengths and missing targets', async () => {
    await expect(fromAsyncIterable(of())).rejects.toThrow(/yielded no rows/)
    await expect(fromAsyncIterable(of({ features: [1, 2] }, { features: [1, 2, 3] }))).rejects.toThrow(ShapeError)
    await expect(fromAsyncIterable(of({ features: [1, 2], target: 1 }, { features: [1, 2] }))).rejects.toThrow(
      /targets in all batches or in none/,
    )
    await expect(fromAsyncIterable(of({ features: [1, 2], target: 1 }, { features: [1, 2], target: 'a' }))).rejects.toThrow(/are mixed/)
  })
})
