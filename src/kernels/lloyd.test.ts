import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Segment } from '../memory/segment.ts'
import { rng } from '../rng.ts'
import { kernelsFor } from './load.ts'
import { plainKernels } from './plain.ts'
import { gramScratchBytes, lloydScratchBytes, surveyBytes } from './scratch.ts'

interface Case {
  readonly kind: 'uint8' | 'float32'
  readonly n: number
  readonly k: number
  readonly d: number
  readonly seed: number
  /** Share of elements that are zero. */
  readonly zeros: number
  /** Added to every float: far from the origin, the expanded form of a distance cancels. */
  readonly shift?: number
  /** Values are multiples of 1: exact ties between centres. */
  readonly whole?: boolean
}

function worstDifference(a: Float64Array, b: Float64Array): number {
  let worst = 0
  for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs((a[i] ?? Number.NaN) - (b[i] ?? Number.NaN)))
  return worst
}

/** Runs kernel and plain twin on the same rows and compares labels, sums, counts and inertia. */
function compare({ kind, n, k, d, seed, zeros, shift = 0, whole = false }: Case): void {
  using segment = Segment.create(8 * (n * d + 2 * k * d + n) + 2 * lloydScratchBytes(k, d) + surveyBytes(n, d) + 16384, 'lloyd')
  const random = rng(seed)
  const rows = segment.allocate(kind, n * d)
  const scale = kind === 'uint8' ? 1 / 255 : 1
  for (let i = 0; i < rows.length; i++) {
    if (random.uniform() < zeros) continue
    if (kind === 'uint8') rows[i] = whole ? random.integer(4) : random.integer(256)
    else rows[i] = whole ? random.integer(4) : random.normal() + shift
  }
  const centers = segment.allocate('float32', k * d)
  for (let c = 0; c < k; c++) {
    const from = random.integer(n) * d
    for (let j = 0; j < d; j++) centers[c * d + j] = (rows[from + j] ?? 0) * scale + (whole ? 0 : 0.1 * random.normal())
  }
  const sums = segment.allocate('float64', k * d).fill(0.25)
  const counts = segment.allocate('float64', k).fill(2)
  const labels = segment.allocate('int32', n).fill(-1)
  const scratch = segment.allocate('uint8', lloydScratchBytes(k, d)).fill(171)
  const guard = segment.allocate('uint8', 64).fill(99)
  const [start, end] = [Math.floor(n / 7), n]
  const want = { sums: sums.slice(), counts: counts.slice(), labels: labels.slice() }
  const kernels = kernelsFor(segment)
  const records = segment.allocate('uint8', surveyBytes(end - start, d)).fill(85)
  const tail = segment.allocate('uint8', 64).fill(99)
  const survey = kernels.survey(rows, start, end, d, records)
  const inertia = kernels.lloyd(rows, scale, survey, centers, k, sums, counts, labels, scratch)
  const plain = plainKernels.survey(rows, start, end, d, records)
  expect(Math.abs(survey.squares - plain.squares)).toBeLessThanOrEqual(1e-12 * plain.squares)
  const wantInertia = plainKernels.lloyd(rows, scale, plain, centers, k, want.sums, want.counts, want.labels, scratch)
  expect(labels).toEqual(want.labels)
  expect(counts).toEqual(want.counts)
  const largest = sums.reduce((most, value) => Math.max(most, Math.abs(value)), 1)
  expect(worstDifference(sums, want.sums)).toBeLessThanOrEqual(1e-12 * largest)
  // Σ|x|² and the products of centres and sums are what the inertia is the difference of.
  let size = 0.25 * k * d
  for (const value of rows) size += (value * scale) ** 2
  expect(Math.abs(inertia - wantInertia)).toBeLessThanOrEqual(1e-9 * wantInertia + 1e-13 * size)
  expect([...guard, ...tail].every((byte) => byte === 99)).toBe(true)
}

const shapes = fc.record({
  kind: fc.constantFrom<'uint8' | 'float32'>('uint8', 'float32'),
  n: fc.integer({ min: 1, max: 40 }),
  k: fc.integer({ min: 1, max: 67 }),
  d: fc.integer({ min: 1, max: 150 }),
  seed: fc.nat(1e6),
  zeros: fc.constantFrom(0, 0.5, 0.8, 1),
  whole: fc.boolean(),
})

test('lloyd agrees with the plain loop for any shape, dense or sparse, with ties', () => {
  fc.assert(
    fc.property(shapes, (shape) => compare(shape)),
    { numRuns: 150 },
  )
})

test('lloyd on image-like sizes: several runs of centres, several words of blocks, more rows than a partial sum holds', () => {
  for (const kind of ['uint8', 'float32'] as const) {
    compare({ kind, n: 1400, k: 3, d: 784, seed: 1, zeros: 0.8 })
    compare({ kind, n: 60, k: 130, d: 2051, seed: 2, zeros: 0.3 })
    compare({ kind, n: 700, k: 100, d: 20, seed: 3, zeros: 0 })
  }
})

test('lloyd far from the origin decides as float64 does', () => {
  compare({ kind: 'float32', n: 400, k: 10, d: 20, seed: 4, zeros: 0, shift: 3000 })
})

test('lloyd without labels, and with values that no float32 score can hold', () => {
  using segment = Segment.create(1 << 20, 'extremes')
  const rows = segment.allocate('float32', 8)
  rows.set([1e30, 1e30, -2e30, 1e30, 1e-30, 0, 0, 2e-30])
  const centers = segment.allocate('float32', 4)
  centers.set([1e30, 1e30, 1e-30, 0])
  const [sums, counts] = [segment.allocate('float64', 4), segment.allocate('float64', 2)]
  const [labels, none] = [segment.allocate('int32', 4), segment.allocate('int32', 0)]
  const scratch = segment.allocate('uint8', lloydScratchBytes(2, 2))
  const kernels = kernelsFor(segment)
  const records = segment.allocate('uint8', surveyBytes(4, 2))
  const pass = (into: Int32Array) => kernels.lloyd(rows, 1, kernels.survey(rows, 0, 4, 2, records), centers, 2, sums, counts, into, scratch)
  pass(none)
  expect([...counts]).toEqual([1, 3])
  pass(labels)
  expect([...labels]).toEqual([0, 1, 1, 1])
  rows[0] = Number.NaN
  expect(Number.isFinite(pass(labels))).toBe(false)
  expect(labels[0]).toBe(0)
  expect(() => kernels.survey(rows, 0, 5, 2, records)).toThrow(/within 4 rows, got 0 to 5/)
})

test('gram agrees with the plain loop and leaves the lower triangle alone', () => {
  const shape = fc.record({
    kind: fc.constantFrom<'float32' | 'float64'>('float32', 'float64'),
    n: fc.integer({ min: 0, max: 90 }),
    d: fc.integer({ min: 1, max: 60 }),
    seed: fc.nat(1e6),
  })
  fc.assert(
    fc.property(shape, ({ kind, n, d, seed }) => {
      using segment = Segment.create(8 * (n * d + n + (d + 1) ** 2 + d + 1) + gramScratchBytes(d) + 16384, 'gram')
      const random = rng(seed)
      const rows = segment.allocate(kind, n * d)
      const targets = segment.allocate(kind, n)
      for (let i = 0; i < rows.length; i++) rows[i] = random.normal()
      for (let i = 0; i < n; i++) targets[i] = random.normal()
      const gram = segment.allocate('float64', (d + 1) ** 2).fill(0.5)
      const sums = segment.allocate('float64', d + 1).fill(0.5)
      const scratch = segment.allocate('uint8', gramScratchBytes(d)).fill(255)
      const guard = segment.allocate('uint8', 64).fill(99)
      const want = { gram: gram.slice(), sums: sums.slice() }
      const start = Math.floor(n / 5)
      kernelsFor(segment).gram(rows, targets, start, n, d, gram, sums, scratch)
      plainKernels.gram(rows, targets, start, n, d, want.gram, want.sums, scratch)
      expect(worstDifference(gram, want.gram)).toBeLessThan(1e-11)
      expect(worstDifference(sums, want.sums)).toBeLessThan(1e-11)
      expect(gram[d + 1]).toBe(0.5)
      expect(guard.every((byte) => byte === 99)).toBe(true)
    }),
    { numRuns: 60 },
  )
})
