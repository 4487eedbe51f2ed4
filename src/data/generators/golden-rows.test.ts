import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import type { Dataset } from '../dataset.ts'
import { generate } from './generate.ts'

interface Golden {
  readonly ctr: { readonly ids: Record<string, number[]>; readonly targets: number[] }
  readonly shapes: Record<string, { readonly pixels: number[]; readonly labelCounts: number[]; readonly sum: number }>
  readonly density: Record<string, { readonly voxels: number[]; readonly last: number; readonly target: number }>
}

const golden = JSON.parse(await readFile(new URL('../../../tests/golden/generated-sets.json', import.meta.url), 'utf8')) as Golden
const firstTestRow = 2 ** 31

/** Features and targets of one row, by its number in the generator. */
function rowOf(dataset: Dataset, row: number): { features: Float64Array; targets: Float64Array } {
  const part = row >= firstTestRow ? dataset.test! : dataset
  const at = row % firstTestRow
  const cut = (values: ArrayLike<number>): Float64Array => {
    const width = values.length / part.rows
    return Float64Array.from(values).subarray(at * width, (at + 1) * width)
  }
  return { features: cut(part.features.values), targets: cut(part.target!.values) }
}

it('ctr gives the ids and clicks of a second implementation', async () => {
  const ctr = await generate('ctr', { rows: 500, testRows: 4 })
  expect(ctr.features).toMatchObject({ dtype: 'int32', shape: [500, 20] })
  expect(ctr.target!.dtype).toBe('float32')
  for (const [row, ids] of Object.entries(golden.ctr.ids)) expect([...rowOf(ctr, Number(row)).features]).toEqual(ids)
  expect([...ctr.target!.values]).toEqual(golden.ctr.targets)
  const wide = await generate('ctr', { rows: 2000, testRows: 0, values: 50_000 })
  expect(Math.max(...wide.features.values)).toBeLessThan(1_000_000)
  // Of 2,000 clicks by the same rule, counted elsewhere.
  expect(Array.from(wide.target!.values).filter((click) => click === 1)).toHaveLength(456)
})

it('shapes gives the pixels and labels of a second implementation', async () => {
  const shapes = await generate('shapes', { rows: 2, testRows: 2, dtype: 'float64' })
  expect(shapes.features.shape).toEqual([2, 1, 64, 64])
  expect(shapes.target).toMatchObject({ dtype: 'int32', shape: [2, 4096] })
  for (const [row, { pixels, labelCounts, sum }] of Object.entries(golden.shapes)) {
    const { features, targets } = rowOf(shapes, Number(row))
    for (const [i, pixel] of pixels.entries()) expect(features[64 * 30 + 20 + i]).toBeCloseTo(pixel, 12)
    expect(features.reduce((a, b) => a + b, 0)).toBeCloseTo(sum, 8)
    expect([0, 1, 2, 3].map((label) => targets.filter((own) => own === label).length)).toEqual(labelCounts)
  }
})

it('density gives the voxels and targets of a second implementation', async () => {
  const density = await generate('density', { rows: 1, testRows: 2, dtype: 'float64' })
  expect(density.features.shape).toEqual([1, 1, 32, 32, 32])
  for (const [row, { voxels, last, target }] of Object.entries(golden.density)) {
    const { features, targets } = rowOf(density, Number(row))
    for (const [i, voxel] of voxels.entries()) expect(features[(5 * 32 + 7) * 32 + i]).toBeCloseTo(voxel, 11)
    expect(features.at(-1)).toBeCloseTo(last, 11)
    expect(targets[0]).toBeCloseTo(target, 14)
  }
})
