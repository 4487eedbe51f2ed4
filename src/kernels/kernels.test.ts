import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DTypeError, MemoryError, ShapeError } from '../errors.ts'
import type { ReduceOp } from '../fabric/communicator.ts'
import type { ArrayOf, DType } from '../memory/dtype.ts'
import { Segment } from '../memory/segment.ts'
import { word } from '../rng.ts'
import { kernelsFor } from './load.ts'
import { plainKernels as plain } from './plain.ts'

/** Room for one property run; every run allocates afresh, so that offsets differ. */
const arena = Segment.create(64 * 2 ** 20, 'kernel tests')
const kernels = kernelsFor(arena)

type Numeric = 'float32' | 'float64' | 'int32'

/** The same values on the segment, `offset` elements behind an aligned address, and on the heap. */
function both<D extends Numeric>(dtype: D, values: readonly number[], offset = 0): [ArrayOf[D], ArrayOf[D]] {
  const here = arena.allocate(dtype, values.length + offset + 1).subarray(offset, offset + values.length) as ArrayOf[D]
  here.set(values)
  return [here, here.slice() as ArrayOf[D]]
}

/** What a kernel must not touch: the element behind the array. */
function guarded<D extends Numeric>(array: ArrayOf[D]): number {
  return new (array.constructor as Float32ArrayConstructor)(array.buffer, array.byteOffset, array.length + 1)[array.length] as number
}

const length = fc.integer({ min: 0, max: 67 })
const offset = fc.nat(3)
const special = fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-45, 3e38)
const anyFloat = fc.oneof({ weight: 6, arbitrary: fc.float({ noNaN: true, min: -1000, max: 1000 }) }, { weight: 1, arbitrary: special })
const smallFloat = fc.float({ noNaN: true, min: -4, max: 4 })
const anyInt = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const op = fc.constantFrom<ReduceOp>('sum', 'max', 'min')
const dtype = fc.constantFrom<Numeric>('float32', 'float64', 'int32')

function columns(count: number, values: fc.Arbitrary<number>): fc.Arbitrary<number[][]> {
  return length.chain((n) => fc.tuple(...Array.from({ length: count }, () => fc.array(values, { minLength: n, maxLength: n }))))
}

test('reduce and reduceBoth give the bits of the plain loop, NaN and infinities included', () => {
  const inputs = dtype.chain((kind) => fc.tuple(fc.constant(kind), columns(2, kind === 'int32' ? anyInt : anyFloat), op, offset, offset))
  fc.assert(
    fc.property(inputs, ([kind, [first = [], second = []], of, at, otherAt]) => {
      const [a, plainA] = both(kind, first, at)
      const [b, plainB] = both(kind, second, otherAt)
      const [into, plainInto] = both(
        kind,
        first.map(() => 0),
        otherAt,
      )
      kernels.reduce(of, a, b, into)
      plain.reduce(of, plainA, plainB, plainInto)
      expect(into).toEqual(plainInto)
      expect(guarded(into)).toBe(0)
      kernels.reduceBoth(of, a, b)
      plain.reduceBoth(of, plainA, plainB)
      expect(a).toEqual(plainA)
      expect(b).toEqual(plainA)
      expect(guarded(b)).toBe(0)
      kernels.reduce(of, a, into, a)
      plain.reduce(of, plainA, plainInto, plainA)
      expect(a).toEqual(plainA)
    }),
  )
})

test('max and min of a reduction let a NaN of either side through', () => {
  for (const kind of ['float32', 'float64'] as const) {
    const [a] = both(kind, [Number.NaN, 1, -0, 5])
    const [b] = both(kind, [1, Number.NaN, 0, 7])
    const into = arena.allocate(kind, 4)
    kernels.reduce('max', a, b, into)
    expect(Array.from(into)).toEqual([Number.NaN, Number.NaN, 0, 7])
    kernels.reduce('min', a, b, into)
    expect(Array.from(into)).toEqual([Number.NaN, Number.NaN, -0, 5])
  }
})

test('bytes are reduced too', () => {
  const a = arena.allocate('uint8', 3)
  a.set([1, 200, 3])
  const b = arena.allocate('uint8', 3)
  b.set([9, 100, 2])
  kernels.reduceBoth('max', a, b)
  expect([...a, ...b]).toEqual([9, 200, 3, 9, 200, 3])
})

test('copy and fill', () => {
  const [a] = both('float64', [1, 2, 3, 4, 5], 1)
  const into = arena.allocate('float64', 5)
  kernels.copy(a, into)
  expect(Array.from(into)).toEqual([1, 2, 3, 4, 5])
  kernels.fill(into.subarray(1, 3), 7)
  expect(Array.from(into)).toEqual([1, 7, 7, 4, 5])
})

test('axpy and scale give the bits of the plain loop', () => {
  const kinds = fc.constantFrom<'float32' | 'float64'>('float32', 'float64')
  fc.assert(
    fc.property(kinds, columns(2, anyFloat), smallFloat, offset, offset, (kind, [first = [], second = []], alpha, at, otherAt) => {
      const [x, plainX] = both(kind, first, at)
      const [y, plainY] = both(kind, second, otherAt)
      kernels.axpy(alpha / 3, x, y)
      plain.axpy(alpha / 3, plainX, plainY)
      expect(y).toEqual(plainY)
      expect(guarded(y)).toBe(0)
      kernels.scale(alpha / 7, x)
      plain.scale(alpha / 7, plainX)
      expect(x).toEqual(plainX)
      expect(guarded(x)).toBe(0)
    }),
  )
})

test('dot and sum agree with the plain loop to float64 rounding, max exactly', () => {
  const kinds = fc.constantFrom<'float32' | 'float64'>('float32', 'float64')
  fc.assert(
    fc.property(kinds, columns(2, smallFloat), offset, offset, (kind, [first = [], second = []], at, otherAt) => {
      const [x, plainX] = both(kind, first, at)
      const [y, plainY] = both(kind, second, otherAt)
      const size = first.reduce((sum, value, i) => sum + Math.abs(value * (second[i] ?? 0)) + Math.abs(value), 1)
      expect(Math.abs(kernels.dot(x, y) - plain.dot(plainX, plainY))).toBeLessThanOrEqual(1e-14 * size)
      expect(Math.abs(kernels.sum(x) - plain.sum(plainX))).toBeLessThanOrEqual(1e-14 * size)
      expect(kernels.max(x)).toBe(plain.max(plainX))
    }),
  )
  expect(kernels.sum(both('float32', [Number.NaN, 1])[0])).toBeNaN()
})

test('max lets NaN through wherever it stands, and is −∞ of nothing', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 67 }), fc.nat(66), (n, place) => {
      for (const kind of ['float32', 'float64'] as const) {
        const [x] = both(
          kind,
          Array.from({ length: n }, (_, i) => -i - 1),
        )
        expect(kernels.max(x)).toBe(-1)
        x[place % n] = Number.NaN
        expect(kernels.max(x)).toBeNaN()
      }
    }),
    { numRuns: 30 },
  )
  expect(kernels.max(arena.allocate('float32', 0))).toBe(Number.NEGATIVE_INFINITY)
})

test('updates give the bits of the plain loop', () => {
  const rates = fc.record({ learningRate: fc.double({ min: 1e-5, max: 0.5, noNaN: true }), decay: fc.constantFrom(0, 1e-4, 0.1) })
  fc.assert(
    fc.property(
      columns(4, smallFloat),
      rates,
      fc.boolean(),
      fc.integer({ min: 1, max: 1000 }),
      offset,
      (values, options, flag, step, at) => {
        const { learningRate, decay } = options
        const [wValues = [], gValues = [], mValues = [], vValues = []] = values
        const [w, plainW] = both('float32', wValues, at)
        const [g, plainG] = both('float32', gValues, at)
        const [m, plainM] = both('float32', mValues, at)
        const [v, plainV] = both('float32', vValues.map(Math.abs), at)
        kernels.sgd(w, g, learningRate, decay)
        plain.sgd(plainW, plainG, learningRate, decay)
        expect(w).toEqual(plainW)
        kernels.momentum(w, g, m, learningRate, 0.9, decay, flag)
        plain.momentum(plainW, plainG, plainM, learningRate, 0.9, decay, flag)
        expect(w).toEqual(plainW)
        expect(m).toEqual(plainM)
        kernels.adam(w, g, m, v, learningRate, 0.9, 0.999, 1e-8, step, decay, flag)
        plain.adam(plainW, plainG, plainM, plainV, learningRate, 0.9, 0.999, 1e-8, step, decay, flag)
        expect(w).toEqual(plainW)
        expect(m).toEqual(plainM)
        expect(v).toEqual(plainV)
        expect([w, m, v].map(guarded)).toEqual([0, 0, 0])
      },
    ),
  )
})

test('adaptive updates give the bits of the plain loop', () => {
  const options = fc.record({
    rho: fc.constantFrom(0.9, 0.99),
    epsilonInside: fc.constantFrom(0, 0.01),
    epsilonOutside: fc.constantFrom(1e-8, 0.1),
    momentum: fc.constantFrom(0, 0.95),
    decay: fc.constantFrom(0, 0.1),
    learningRate: fc.double({ min: 1e-5, max: 0.5, noNaN: true }),
  })
  fc.assert(
    fc.property(
      columns(5, smallFloat),
      options,
      fc.boolean(),
      fc.integer({ min: 1, max: 1000 }),
      offset,
      (values, constants, flag, step, at) => {
        const [wValues = [], gValues = [], sValues = [], aValues = [], vValues = []] = values
        const [w, plainW] = both('float32', wValues, at)
        const [g, plainG] = both('float32', gValues, at)
        const [s, plainS] = both('float32', sValues.map(Math.abs), at)
        const [a, plainA] = both('float32', aValues, at)
        const [v, plainV] = both('float32', vValues, at)
        const { learningRate, decay } = constants
        kernels.adagrad(w, g, s, learningRate, 1e-10, decay)
        plain.adagrad(plainW, plainG, plainS, learningRate, 1e-10, decay)
        expect(w).toEqual(plainW)
        kernels.rmsprop(w, g, s, flag ? a : undefined, constants.momentum > 0 ? v : undefined, constants)
        plain.rmsprop(plainW, plainG, plainS, flag ? plainA : undefined, constants.momentum > 0 ? plainV : undefined, constants)
        expect([w, s, a, v]).toEqual([plainW, plainS, plainA, plainV])
        kernels.adamDirection(w, g, a, s, 0.9, 0.999, 1e-6, step, decay)
        plain.adamDirection(plainW, plainG, plainA, plainS, 0.9, 0.999, 1e-6, step, decay)
        expect([g, a, s]).toEqual([plainG, plainA, plainS])
        kernels.clamp(g, learningRate)
        plain.clamp(plainG, learningRate)
        expect(g).toEqual(plainG)
        expect([w, g, s, a, v].map(guarded)).toEqual([0, 0, 0, 0, 0])
      },
    ),
  )
})

test('updates follow their published formulas', () => {
  const [w] = both('float32', [1])
  const [g] = both('float32', [0.5])
  const [m, v] = [arena.allocate('float32', 1), arena.allocate('float32', 1)]
  kernels.momentum(w, g, m, 0.1, 0.9, 0.01, false)
  expect(w[0]).toBeCloseTo(1 - 0.1 * (0.5 + 0.01), 6)
  const before = w[0] as number
  kernels.momentum(w, g, m, 0.1, 0.9, 0, true)
  expect(w[0]).toBeCloseTo(before - 0.1 * (0.5 + 0.9 * (0.9 * 0.51 + 0.5)), 6)
  m[0] = 0
  const start = w[0] as number
  kernels.adam(w, g, m, v, 0.01, 0.9, 0.999, 1e-8, 1, 0.1, true)
  // The first step of Adam has length learningRate, whatever the gradient; AdamW shrinks the weights beside it.
  expect(w[0]).toBeCloseTo(start * (1 - 0.01 * 0.1) - 0.01, 6)
})

test('flipShift mirrors and moves images like the plain loop', () => {
  const shape = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 7 }))
  const move = fc.tuple(fc.nat(1), fc.integer({ min: -7, max: 7 }), fc.integer({ min: -7, max: 7 }))
  fc.assert(
    fc.property(shape, fc.array(move, { maxLength: 4 }), (extents, moves) => {
      const size = moves.length * extents[0] * extents[1] * extents[2]
      const [images, plainImages] = both(
        'float32',
        Array.from({ length: size }, (_, i) => i + 1),
        1,
      )
      const [given] = both('int32', moves.flat())
      const scratch = arena.allocate('float32', extents[1] * extents[2])
      kernels.flipShift(images, extents, given, -9, scratch)
      plain.flipShift(plainImages, extents, given, -9, scratch)
      expect(images).toEqual(plainImages)
      expect(guarded(images)).toBe(0)
    }),
  )
  const [row] = both('float32', [1, 2, 3, 4])
  const [mirror] = both('int32', [1, 0, 1])
  kernels.flipShift(row, [1, 1, 4], mirror, 0, arena.allocate('float32', 4))
  expect([...row]).toEqual([0, 4, 3, 2])
})

test('gather picks, widens and normalises rows like the plain loop', () => {
  const shape = fc.record({ width: fc.integer({ min: 1, max: 67 }), rows: fc.array(fc.nat(9), { maxLength: 12 }), bytes: fc.boolean() })
  fc.assert(
    fc.property(shape, fc.infiniteStream(fc.nat(255)), ({ width, rows, bytes }, stream) => {
      const source = arena.allocate(bytes ? 'uint8' : 'float32', 10 * width)
      for (let i = 0; i < source.length; i++) source[i] = bytes ? stream.next().value : stream.next().value / 17
      const [picked] = both('int32', rows)
      const [into, plainInto] = both('float32', Array(rows.length * width).fill(0), 1)
      kernels.gather(source, picked, width, into, 1 / 255, -0.5)
      plain.gather(source, picked, width, plainInto, 1 / 255, -0.5)
      expect(into).toEqual(plainInto)
      expect(guarded(into)).toBe(0)
    }),
    { numRuns: 50 },
  )
})

test('gatherInt32 picks labels of both kinds', () => {
  const [words] = both('int32', [5, -6, 7, 8])
  const bytes = arena.allocate('uint8', 4)
  bytes.set([250, 1, 2, 3])
  const [rows] = both('int32', [3, 0, 0])
  const into = arena.allocate('int32', 3)
  kernels.gatherInt32(words, rows, into)
  expect([...into]).toEqual([8, 5, 5])
  kernels.gatherInt32(bytes, rows, into)
  expect([...into]).toEqual([3, 250, 250])
})

test('gatherInt32 picks whole rows, of both kinds, like the plain loop', () => {
  const shape = fc.record({
    width: fc.integer({ min: 1, max: 41 }),
    rows: fc.array(fc.nat(9), { minLength: 1, maxLength: 9 }),
    bytes: fc.boolean(),
  })
  fc.assert(
    fc.property(shape, ({ width, rows, bytes }) => {
      const source = arena.allocate(bytes ? 'uint8' : 'int32', 10 * width)
      for (let i = 0; i < source.length; i++) source[i] = bytes ? (i * 7) % 256 : (i * 104_729) ^ -i
      const [picked] = both('int32', rows)
      const [into, plainInto] = both('int32', Array(rows.length * width).fill(0), 1)
      kernels.gatherInt32(source, picked, into)
      plain.gatherInt32(source, picked, plainInto)
      expect(into).toEqual(plainInto)
      expect(into[width * (rows.length - 1)]).toBe(source[rows.at(-1)! * width])
      expect(guarded(into)).toBe(0)
    }),
    { numRuns: 50 },
  )
  const uneven = arena.allocate('int32', 5)
  expect(() => kernels.gatherInt32(arena.allocate('int32', 4), both('int32', [0, 1])[0], uneven)).toThrow(
    /expected into of 2 rows, got 5 elements/,
  )
})

test('philox gives the words of rng.ts', () => {
  const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 })
  fc.assert(
    fc.property(uint32, uint32, fc.maxSafeNat(), fc.nat(1000), length, (seed, stream, row, first, n) => {
      const [into, plainInto] = both('int32', Array(n).fill(0), 1)
      kernels.philox(seed, stream, row, first, into)
      plain.philox(seed, stream, row, first, plainInto)
      expect(into).toEqual(plainInto)
      expect(guarded(into)).toBe(0)
      for (let i = 0; i < n; i++) expect((into[i] as number) >>> 0).toBe(word(seed, stream, row, first + i))
    }),
  )
})

test('dropout masks equal the plain loop, depend on the sample alone, and keep the stated share', () => {
  fc.assert(
    fc.property(
      fc.nat(2 ** 31),
      fc.nat(50),
      fc.array(fc.nat(1e6), { maxLength: 5 }),
      length,
      fc.double({ min: 0.05, max: 1, noNaN: true }),
      (seed, step, samples, width, keep) => {
        const [rows] = both('int32', samples)
        const [into, plainInto] = both('float32', Array(samples.length * width).fill(0), 1)
        kernels.dropoutMask(seed, 3, step, rows, width, keep, into)
        plain.dropoutMask(seed, 3, step, rows, width, keep, plainInto)
        expect(into).toEqual(plainInto)
        expect(guarded(into)).toBe(0)
      },
    ),
    { numRuns: 50 },
  )
  const [rows] = both('int32', [7, 8, 7])
  const mask = arena.allocate('float32', 30_000)
  kernels.dropoutMask(1, 2, 3, rows, 10_000, 0.8, mask)
  expect(mask.subarray(0, 10_000)).toEqual(mask.subarray(20_000))
  expect(mask.subarray(0, 10_000)).not.toEqual(mask.subarray(10_000, 20_000))
  expect(Math.abs(kernels.sum(mask) / 30_000 - 1)).toBeLessThan(0.02)
})

test('what does not fit is refused once a call, in one line', () => {
  const [a] = both('float32', [1, 2, 3])
  const [b] = both('float32', [1, 2])
  const [c] = both('float64', [1, 2, 3])
  expect(() => kernels.reduceBoth('sum', a, b)).toThrow(ShapeError)
  expect(() => kernels.reduceBoth('sum', a, b)).toThrow('expected arrays of equal length, got 3, 2')
  expect(() => kernels.axpy(1, a, c)).toThrow(DTypeError)
  expect(() => kernels.axpy(1, a, new Float32Array(3))).toThrow(MemoryError)
  expect(() => kernels.gather(a, arena.allocate('int32', 2), 2, b, 1, 0)).toThrow(/expected into of at least 4 elements, got 2/)
})

test('one instance per segment', () => {
  using other = Segment.create(1024, 'other')
  expect(kernelsFor(arena)).toBe(kernels)
  expect(kernelsFor(other)).not.toBe(kernels)
  const x = other.allocate('float32' satisfies DType, 3)
  x.fill(2)
  expect(kernelsFor(other).sum(x)).toBe(6)
})
