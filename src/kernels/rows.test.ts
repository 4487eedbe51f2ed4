import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ShapeError } from '../errors.ts'
import type { ArrayOf } from '../memory/dtype.ts'
import { Segment } from '../memory/segment.ts'
import { kernelsFor } from './load.ts'
import { plainKernels as plain } from './plain.ts'

const arena = Segment.create(64 * 2 ** 20, 'row kernel tests')
const kernels = kernelsFor(arena)
const offset = fc.nat(3)
const smallFloat = fc.float({ noNaN: true, min: -4, max: 4 })

/** The same values on the segment, `at` elements behind an aligned address, and on the heap. */
function both<D extends 'float32' | 'int32'>(dtype: D, values: readonly number[], at = 0): [ArrayOf[D], ArrayOf[D]] {
  const here = arena.allocate(dtype, values.length + at + 1).subarray(at, at + values.length) as ArrayOf[D]
  here.set(values)
  return [here, here.slice() as ArrayOf[D]]
}

/** What a kernel must not touch: the element behind the array. */
function guarded(array: Float32Array<ArrayBuffer>): number {
  return new Float32Array(array.buffer, array.byteOffset, array.length + 1)[array.length] as number
}

/** Tables of `numRows` rows of any width, and any list of their row numbers. */
const rowUses = fc
  .record({ width: fc.integer({ min: 1, max: 21 }), numRows: fc.integer({ min: 1, max: 9 }) })
  .chain(({ width, numRows }) => {
    const table = fc.array(smallFloat, { minLength: width * numRows, maxLength: width * numRows })
    const use = fc.tuple(fc.nat(numRows - 1), fc.array(smallFloat, { minLength: width, maxLength: width }))
    return fc.record({ width: fc.constant(width), w: table, a: table, uses: fc.array(use, { maxLength: 12 }) })
  })

test('rows are added and cleared as a plain loop does it, duplicates in order', () => {
  fc.assert(
    fc.property(rowUses, offset, ({ width, w, uses }, at) => {
      const [rows, plainRows] = both(
        'int32',
        uses.map(([row]) => row),
        at,
      )
      const [values, plainValues] = both(
        'float32',
        uses.flatMap(([, gradient]) => gradient),
        at,
      )
      const [into, plainInto] = both('float32', w, at)
      kernels.addRows(values, rows, width, into)
      plain.addRows(plainValues, plainRows, width, plainInto)
      const looped = Float32Array.from(w)
      for (const [row, gradient] of uses) for (const [j, value] of gradient.entries()) looped[row * width + j]! += value
      expect(into).toEqual(plainInto)
      expect(plainInto).toEqual(looped)
      kernels.clearRows(rows, width, into)
      plain.clearRows(plainRows, width, plainInto)
      expect(into).toEqual(plainInto)
      const used = new Set(uses.map(([row]) => row))
      expect(into).toEqual(looped.map((value, i) => (used.has(Math.floor(i / width)) ? 0 : value)))
      expect(guarded(into)).toBe(0)
    }),
  )
})

test('rules on rows have the bits of the whole rule, and leave the gradient at zero', () => {
  fc.assert(
    fc.property(rowUses, offset, ({ width, w: wValues, a: aValues, uses }, at) => {
      const [rows, plainRows] = both(
        'int32',
        uses.map(([row]) => row),
        at,
      )
      const [values] = both(
        'float32',
        uses.flatMap(([, gradient]) => gradient),
      )
      for (const kind of ['sgd', 'adagrad'] as const) {
        const [w, plainW] = both('float32', wValues, at)
        const [a, plainA] = both(
          'float32',
          aValues.map((value) => Math.abs(value) + 0.1),
          at,
        )
        const [g] = both(
          'float32',
          wValues.map(() => 0),
          at,
        )
        kernels.addRows(values, rows, width, g)
        const [plainG, whole] = [g.slice(), { w: plainW.slice(), a: plainA.slice() }]
        if (kind === 'sgd') {
          plain.sgd(whole.w, g.slice(), 0.3, 0)
          kernels.sgdRows(w, g, rows, width, 0.3)
          plain.sgdRows(plainW, plainG, plainRows, width, 0.3)
        } else {
          plain.adagrad(whole.w, g.slice(), whole.a, 0.3, 1e-10, 0)
          kernels.adagradRows(w, g, a, rows, width, 0.3, 1e-10)
          plain.adagradRows(plainW, plainG, plainA, plainRows, width, 0.3, 1e-10)
        }
        expect([w, a, g]).toEqual([plainW, plainA, plainG])
        expect([w, a]).toEqual([whole.w, whole.a])
        expect(g.every((value) => value === 0)).toBe(true)
        expect([w, a, g].map(guarded)).toEqual([0, 0, 0])
      }
    }),
  )
})

test('adding rows refuses a number that is no row, and values that do not fit', () => {
  const [into, heap] = both('float32', [1, 2, 3, 4, 5, 6])
  const [values, heapValues] = both('float32', [1, 1, 1, 1])
  for (const wrong of [3, -1]) {
    const [rows, heapRows] = both('int32', [2, wrong])
    const message = new RegExp(`expected row numbers from 0 to 2, got ${wrong}`)
    expect(() => kernels.addRows(values, rows, 2, into)).toThrow(message)
    expect(() => plain.addRows(heapValues, heapRows, 2, heap)).toThrow(message)
  }
  const [rows] = both('int32', [0])
  expect(() => kernels.addRows(values, rows, 2, into)).toThrow(ShapeError)
  expect(() => kernels.addRows(values.subarray(2), rows, 2, into.subarray(1))).toThrow(ShapeError)
})
