import { describe, expect, it } from 'vitest'
import { AbortError, ConfigError } from '../../errors.ts'
import { u } from '../../rng.ts'
import type { Dataset } from '../dataset.ts'
import { blobCenters } from './blobs.ts'
import { fillNormals, fillUniforms } from './bulk.ts'
import { generate } from './generate.ts'
import type { Generator } from './generator.ts'
import { type GeneratorId, generators } from './index.ts'
import { linearCoefficients } from './linear.ts'

const ids = Object.keys(generators) as GeneratorId[]
const rowOf = (dataset: Dataset, row: number): number[] => {
  const width = dataset.features.values.length / dataset.features.shape[0]!
  return [...dataset.features.values.subarray(row * width, (row + 1) * width)]
}

/** The contract of every generator in the table. */
describe.each(ids)('generator %s', (id) => {
  const generator: Generator = generators[id]
  const { ids: areIds = false, targetWidth = 1, task, defaults } = generator
  // Of images and volumes a few.
  const isLarge = defaults.dims > 1000
  const options = isLarge ? ({ rows: 6, testRows: 4, dtype: 'float64' } as const) : ({ rows: 300, testRows: 50, dtype: 'float64' } as const)
  const fewer = isLarge ? { rows: 3, testRows: 2 } : { rows: 40, testRows: 10 }

  it('gives the same bits for the same seed, others for another', async () => {
    const first = await generate(id, { ...options, seed: 7 })
    const again = await generate(id, { ...options, seed: 7 })
    const other = await generate(id, { ...options, seed: 8 })
    expect(again.features.values).toEqual(first.features.values)
    expect(again.target!.values).toEqual(first.target!.values)
    expect(again.hash).toBe(first.hash)
    expect(other.hash).not.toBe(first.hash)
    expect(other.features.values).not.toEqual(first.features.values)
  })

  it('gives the first rows of a larger set', async () => {
    const small = await generate(id, { ...options, ...fewer })
    const large = await generate(id, options)
    expect(small.features.values).toEqual(large.features.values.subarray(0, small.features.values.length))
    expect(small.target!.values).toEqual(large.target!.values.subarray(0, small.target!.values.length))
    expect(small.test!.features.values).toEqual(large.test!.features.values.subarray(0, small.test!.features.values.length))
  })

  it('takes evaluation rows from row 2^31 on, none of them a training row', async () => {
    const { test, features, target } = await generate(id, options)
    const into = new Float64Array(defaults.dims)
    const targets = new Float64Array(targetWidth)
    const label = generator.prepare({ values: 0, ...defaults, seed: 1 })(2 ** 31 + 3, into, targets)
    expect(rowOf(test!, 3)).toEqual([...into])
    if (targetWidth === 1) expect(test!.target!.values[3]).toBe(label)
    else expect([...test!.target!.values.subarray(3 * targetWidth, 4 * targetWidth)]).toEqual([...targets])
    // Displays of bits repeat by nature.
    if (id === 'led-24') return
    const seen = new Set(Array.from({ length: features.shape[0]! }, (_, row) => rowOf({ features } as Dataset, row).join()))
    for (let row = 0; row < test!.rows; row++) expect(seen.has(rowOf(test!, row).join())).toBe(false)
    expect(target!.shape).toEqual(targetWidth === 1 ? [options.rows] : [options.rows, targetWidth])
  })

  it('rounds to float32 at the end', async () => {
    const double = await generate(id, options)
    const single = await generate(id, { ...options, dtype: 'float32' })
    expect(single.features.dtype).toBe(areIds ? 'int32' : 'float32')
    expect(single.features.values).toEqual(areIds ? double.features.values : Float32Array.from(double.features.values))
    expect([...single.target!.values]).toEqual(double.classes ? [...double.target!.values] : [...Float32Array.from(double.target!.values)])
  })

  it('names its classes and has rows of all of them', async () => {
    const { classes, target } = await generate(id, { ...options, rows: isLarge ? 30 : 3000 })
    expect(classes?.length).toBe(task === 'regression' || task === 'click prediction' ? undefined : defaults.classes)
    if (classes) expect(new Set(target!.values).size).toBe(defaults.classes)
  })

  it('refuses parameters that are fixed or out of range', async () => {
    await expect(generate(id, { rows: 0 })).rejects.toThrow(ConfigError)
    await expect(generate(id, { seed: -1 })).rejects.toThrow(/seed cannot be -1 — expected a whole number from 0/)
    await expect(generate(id, { noise: -1 })).rejects.toThrow(/noise (is fixed|cannot be)/)
    await expect(generate(id, { dims: 1.5 })).rejects.toThrow(/dims (is fixed|cannot be)/)
  })

  it('stops when asked to', async () => {
    await expect(generate(id, options, { signal: AbortSignal.abort() })).rejects.toBeInstanceOf(AbortError)
  })
})

describe('formulas', () => {
  const seed = 11

  it('linear: y − x·b is the noise of stream 2', async () => {
    const { features, target } = await generate('linear', { rows: 20, testRows: 0, dims: 6, seed, dtype: 'float64' })
    const b = linearCoefficients(seed, 6)
    const z = new Float64Array(6)
    for (let j = 0; j < 6; j++) {
      fillNormals(seed, 0, j, 1, z)
      expect(b[j]).toBe(z[0])
    }
    for (let i = 0; i < 20; i++) {
      fillNormals(seed, 1, i, 6, z)
      const x = [...features.values.subarray(6 * i, 6 * i + 6)]
      expect(x).toEqual([...z])
      fillNormals(seed, 2, i, 1, z)
      expect(target!.values[i]! - x.reduce((sum, value, j) => sum + value * b[j]!, 0)).toBeCloseTo(z[0]! / 2, 12)
    }
  })

  it('blobs: rows scatter around their centre by stream 2', async () => {
    const { features, target } = await generate('blobs', { rows: 50, testRows: 0, dims: 3, classes: 4, seed, dtype: 'float64' })
    const centers = blobCenters(seed, 4, 3)
    const z = new Float64Array(3)
    for (let i = 0; i < 50; i++) {
      const c = Math.floor(4 * u(seed, 1, i, 0))
      fillNormals(seed, 2, i, 3, z)
      expect(target!.values[i]).toBe(c)
      for (let j = 0; j < 3; j++) expect(features.values[3 * i + j]).toBe(centers[3 * c + j]! + z[j]!)
    }
  })

  it('friedman', async () => {
    const { features, target } = await generate('friedman', { rows: 10, testRows: 0, dims: 7, seed, dtype: 'float64' })
    const x = new Float64Array(7)
    const z = new Float64Array(1)
    for (let i = 0; i < 10; i++) {
      fillUniforms(seed, 1, i, 7, x)
      fillNormals(seed, 2, i, 1, z)
      expect([...features.values.subarray(7 * i, 7 * i + 7)]).toEqual([...x])
      const y = 10 * Math.sin(Math.PI * x[0]! * x[1]!) + 20 * (x[2]! - 0.5) ** 2 + 10 * x[3]! + 5 * x[4]! + z[0]!
      expect(target!.values[i]).toBeCloseTo(y, 12)
    }
  })

  it('waveform: classes have the means of their waves', async () => {
    const { features, target } = await generate('waveform-21', { rows: 12_000, testRows: 0, seed })
    const wave = (peak: number, j: number): number => Math.max(6 - Math.abs(j - peak), 0)
    const pairs = [
      [6, 14],
      [6, 10],
      [14, 10],
    ] as const
    for (const label of [0, 1, 2]) {
      for (const j of [0, 5, 10, 15, 20]) {
        let sum = 0
        let count = 0
        target!.values.forEach((own, i) => {
          if (own !== label) return
          sum += features.values[21 * i + j]!
          count++
        })
        const [a, b] = pairs[label]!
        expect(Math.abs(sum / count - (wave(a, j) + wave(b, j)) / 2)).toBeLessThan(0.15)
      }
    }
  })

  it('twonorm: the best rule errs as often as Φ(−2)', async () => {
    const { features, target } = await generate('twonorm', { rows: 40_000, testRows: 0, seed })
    let errors = 0
    for (let i = 0; i < 40_000; i++) {
      const sum = Float64Array.from(features.values.subarray(20 * i, 20 * i + 20)).reduce((a, b) => a + b, 0)
      if ((sum > 0 ? 0 : 1) !== target!.values[i]) errors++
    }
    expect(Math.abs(errors / 40_000 - 0.02275)).toBeLessThan(0.003)
  })

  it('ringnorm: the best rule errs as often as that of a = 2/√d', async () => {
    const { features, target } = await generate('ringnorm', { rows: 40_000, testRows: 0, seed })
    const a = 2 / Math.sqrt(20)
    let errors = 0
    for (let i = 0; i < 40_000; i++) {
      const x = Float64Array.from(features.values.subarray(20 * i, 20 * i + 20))
      // Logarithms of the two densities, up to a common constant.
      const wide = -20 * Math.log(2) - x.reduce((sum, value) => sum + value * value, 0) / 8
      const narrow = -x.reduce((sum, value) => sum + (value - a) ** 2, 0) / 2
      if ((wide > narrow ? 0 : 1) !== target!.values[i]) errors++
    }
    expect(Math.abs(errors / 40_000 - 0.0127)).toBeLessThan(0.0025)
  })

  it('led-24: a tenth of the segments flips, the best rule is right in 74 %', async () => {
    const { features, target } = await generate('led-24', { rows: 40_000, testRows: 0, seed, dtype: 'float64' })
    const digits = ['1110111', '0010010', '1011101', '1011011', '0111010', '1101011', '1101111', '1010010', '1111111', '1111011']
    let flips = 0
    let right = 0
    let coins = 0
    for (let i = 0; i < 40_000; i++) {
      const bits = Float64Array.from(features.values.subarray(24 * i, 24 * i + 24))
      const distance = digits.map((digit) => Array.from(digit).filter((bit, j) => Number(bit) !== bits[j]).length)
      flips += distance[target!.values[i]!]!
      if (distance.indexOf(Math.min(...distance)) === target!.values[i]) right++
      coins += bits.subarray(7).reduce((a, b) => a + b, 0)
    }
    expect(Math.abs(flips / (7 * 40_000) - 0.1)).toBeLessThan(0.003)
    expect(Math.abs(coins / (17 * 40_000) - 0.5)).toBeLessThan(0.003)
    expect(Math.abs(right / 40_000 - 0.74)).toBeLessThan(0.01)
  })

  it('spirals: points lie on the curve, the classes are reflections', async () => {
    const { features, target } = await generate('spirals', { rows: 500, testRows: 0, seed, noise: 0, dtype: 'float64' })
    for (let i = 0; i < 500; i++) {
      const sign = target!.values[i] === 0 ? 1 : -1
      const [x, y] = [sign * features.values[2 * i]!, sign * features.values[2 * i + 1]!]
      const w = (3 * Math.hypot(x, y) - 1) / 2
      expect(x).toBeCloseTo(((2 * w + 1) / 3) * Math.cos(2 * Math.PI * w), 10)
      expect(y).toBeCloseTo(((2 * w + 1) / 3) * Math.sin(2 * Math.PI * w), 10)
    }
  })
})
