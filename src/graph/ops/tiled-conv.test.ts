import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { NumericArray } from '../../memory/dtype.ts'
import { arrayConstructor } from '../../memory/dtype.ts'
import * as nn from '../../nn/index.ts'
import { u } from '../../rng.ts'
import { compile } from '../../runtime/compile.ts'
import { planLayouts } from '../layouts.ts'
import { chooseTile } from './tiled-conv.ts'

const unit = { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 } as const
const image = (...shape: number[]) => ({ shape: ['batch', ...shape] as const, dtype: 'float32' as const })
const filter = (...shape: number[]) => ({ shape, dtype: 'float32' as const })

describe('chooseTile', () => {
  test('takes the tiles of LeNet-5: 4 on the padded input, 2 on the pooled maps, which are their own grid', () => {
    const c1 = chooseTile(image(1, 28, 28), filter(6, 1, 5, 5), { ...unit, padding: [2, 2] })
    expect([c1?.tile, c1?.patch, c1?.grid, c1?.isAligned]).toEqual([4, [2, 2], [8, 8], false])
    const c3 = chooseTile(image(6, 14, 14), filter(16, 6, 5, 5), unit)
    expect([c3?.tile, c3?.patch, c3?.grid, c3?.isAligned]).toEqual([2, [3, 3], [7, 7], true])
  })

  test('leaves strided, odd and wide convolutions as they are', () => {
    expect(chooseTile(image(1, 28, 28), filter(6, 1, 5, 5), { ...unit, stride: [2, 2], padding: [2, 2] })).toBeUndefined()
    expect(chooseTile(image(6, 7, 7), filter(16, 6, 3, 3), unit)).toBeUndefined()
    expect(chooseTile(image(64, 16, 16), filter(64, 64, 3, 3), { ...unit, padding: [1, 1] })).toBeUndefined()
  })
})

/** Loss and gradients of a model on both drivers, from the same reproducible numbers. */
async function onBothDrivers(model: nn.Model, batchSize: number): Promise<Record<string, NumericArray>[]> {
  const graph = nn.trainingGraph(model, 'cross-entropy')
  return Promise.all(
    (['onnxruntime', 'reference'] as const).map(async (driver) => {
      await using executable = await compile(graph, { batchSize, driver })
      const arrays = Object.fromEntries(
        [...executable.inputs, ...executable.outputs].map(({ name, dtype, length }, i) => {
          const array = new (arrayConstructor(dtype))(length)
          array.set(Array.from({ length }, (_, j) => (dtype === 'int32' ? j % 3 : u(9, 4, i, j) - 0.4)))
          return [name, array]
        }),
      )
      await executable.bind(arrays).run()
      return Object.fromEntries(graph.outputs.map(({ name }) => [name, arrays[name] as NumericArray]))
    }),
  )
}

describe('layouts', () => {
  const shapes = fc.record({
    channels: fc.integer({ min: 1, max: 4 }),
    filters: fc.integer({ min: 1, max: 6 }),
    kernel: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
    results: fc.tuple(fc.constantFrom(2, 4, 6, 8), fc.constantFrom(2, 4, 8)),
    padding: fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 })),
    secondKernel: fc.constantFrom(1, 2),
    batchSize: fc.integer({ min: 1, max: 3 }),
  })

  test('change no value: convolutions, pools and dense layers of any shape equal the reference', async () => {
    let tiled = 0
    await fc.assert(
      fc.asyncProperty(shapes, async ({ channels, filters, kernel, results, padding, secondKernel, batchSize }) => {
        const size = results.map((extent, d) => extent + (kernel[d] as number) - 1 - 2 * (padding[d] as number))
        fc.pre(size.every((extent) => extent >= 1))
        const model = nn.model('sample', { image: [channels, ...size] }, (inputs) => {
          let h = nn.tanh(nn.conv2d(inputs.image, filters, kernel, { padding }))
          h = nn.conv2d(h, 4, secondKernel, { padding: secondKernel - 1 })
          h = nn.avgPool(nn.relu(h), [1, 1])
          h = nn.dropout(nn.relu(nn.dense(nn.flatten(nn.tanh(nn.avgPool(h, 2))), 40)), 0.5)
          return nn.dense(h, 3)
        })
        const layouts = Object.values(planLayouts(nn.trainingGraph(model, 'cross-entropy')))
        expect(layouts).toContain('transposed')
        if (layouts.some((layout) => typeof layout === 'number')) tiled++
        const [ours, expected] = (await onBothDrivers(model, batchSize)) as [Record<string, NumericArray>, Record<string, NumericArray>]
        // Against the largest gradient: sums of one element may cancel.
        const scale = Math.max(...Object.values(expected).map((values) => Math.max(...Array.from(values, Math.abs))))
        for (const [name, values] of Object.entries(expected)) {
          values.forEach((value, i) => {
            expect(Math.abs((ours[name]?.[i] as number) - value) / scale, `${name}[${i}]`).toBeLessThan(2e-5)
          })
        }
      }),
      { numRuns: 30 },
    )
    expect(tiled).toBeGreaterThan(5)
  })
})
