import fc from 'fast-check'
import { expect, test } from 'vitest'
import { permutation, philoxBlock, rng, u, word, z } from './rng.ts'

const mask32 = 0xffffffffn

/** Philox4x32-10 written out again with 64-bit integers, straight from the paper. */
function philoxWide(key: [bigint, bigint], counter: [bigint, bigint, bigint, bigint]): number[] {
  let [k0, k1] = key
  let [c0, c1, c2, c3] = counter
  for (let round = 0; round < 10; round++) {
    const p0 = 0xd2511f53n * c0
    const p1 = 0xcd9e8d57n * c2
    ;[c0, c1, c2, c3] = [(p1 >> 32n) ^ c1 ^ k0, p1 & mask32, (p0 >> 32n) ^ c3 ^ k1, p0 & mask32]
    k0 = (k0 + 0x9e3779b9n) & mask32
    k1 = (k1 + 0xbb67ae85n) & mask32
  }
  return [c0, c1, c2, c3].map(Number)
}

const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 })

test('check values of the authors’ known-answer file', () => {
  const out = new Uint32Array(4)
  philoxBlock(0, 0, 0, 0, 0, 0, out)
  expect([...out].map((w) => w.toString(16))).toEqual(['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8'])
  const ones = 2 ** 32 - 1
  philoxBlock(ones, ones, ones, ones, ones, ones, out)
  expect([...out].map((w) => w.toString(16))).toEqual(['408f276d', '41c83b0e', 'a20bc7c6', '6d5451fd'])
  philoxBlock(0xa4093822, 0x299f31d0, 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, out)
  expect([...out].map((w) => w.toString(16))).toEqual(['d16cfe09', '94fdcceb', '5001e420', '24126ea1'])
})

test('word equals the 64-bit form for rows up to 2^53', () => {
  fc.assert(
    fc.property(uint32, uint32, fc.maxSafeNat(), uint32, (seed, stream, row, j) => {
      const counter = [BigInt(row) & mask32, BigInt(row) >> 32n, BigInt(j) >> 2n, 0n] as [bigint, bigint, bigint, bigint]
      expect(word(seed, stream, row, j)).toBe(philoxWide([BigInt(seed), BigInt(stream)], counter)[j % 4])
    }),
  )
})

test('u and z are the stated functions of the words', () => {
  expect(u(0, 0, 0, 0)).toBe((0x6627e8d5 + 0.5) / 2 ** 32)
  for (let m = 0; m < 4; m++) {
    const radius = Math.sqrt(-2 * Math.log(u(3, 1, 7, 2 * m)))
    const angle = 2 * Math.PI * u(3, 1, 7, 2 * m + 1)
    expect(z(3, 1, 7, 2 * m)).toBeCloseTo(radius * Math.cos(angle), 14)
    expect(z(3, 1, 7, 2 * m + 1)).toBeCloseTo(radius * Math.sin(angle), 14)
  }
})

test('moments of u and z are those of their distributions', () => {
  const n = 40_000
  let [uniform, normal, square] = [0, 0, 0]
  for (let row = 0; row < n; row++) {
    uniform += u(1, 2, row, 0)
    normal += z(1, 3, row, row % 4)
    square += z(1, 3, row, row % 4) ** 2
  }
  expect(Math.abs(uniform / n - 0.5)).toBeLessThan(5 * Math.sqrt(1 / 12 / n))
  expect(Math.abs(normal / n)).toBeLessThan(5 / Math.sqrt(n))
  expect(Math.abs(square / n - 1)).toBeLessThan(5 * Math.sqrt(2 / n))
})

test('permutation visits every row once, in the order of rising u', () => {
  fc.assert(
    fc.property(fc.nat(1000), uint32, fc.nat(7), (n, seed, j) => {
      const order = permutation(seed, 6, n, j)
      expect(Array.from(order).sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, row) => row))
      for (let i = 1; i < n; i++) expect(u(seed, 6, order[i - 1] ?? 0, j)).toBeLessThanOrEqual(u(seed, 6, order[i] ?? 0, j))
    }),
    { numRuns: 20 },
  )
})

test('the sequential generator draws the words of row 0 in order, and repeats for the same seed', () => {
  const sequence = rng(5, 9)
  for (let j = 0; j < 11; j++) expect(sequence.uniform()).toBe(u(5, 9, 0, j))
  const normals = rng(5, 9)
  for (let j = 0; j < 6; j++) expect(normals.normal()).toBeCloseTo(z(5, 9, 0, j), 14)
})

test('integer is in range and even; shuffle keeps the elements', () => {
  const source = rng(11)
  const counts = new Int32Array(7)
  for (let i = 0; i < 14_000; i++) {
    const value = source.integer(7)
    counts[value] = (counts[value] ?? 0) + 1
  }
  for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(5 * Math.sqrt(2000))
  expect(rng(1).integer(1)).toBe(0)
  const shuffled = rng(2).shuffle(Int32Array.from({ length: 50 }, (_, i) => i))
  expect(Array.from(shuffled)).not.toEqual(Array.from({ length: 50 }, (_, i) => i))
  expect(Array.from(shuffled).sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i))
})
