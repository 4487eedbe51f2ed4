import { describe, expect, it } from 'vitest'
import { philoxBlock, u, z } from '../../rng.ts'
import { fillNormals, fillUniforms } from './bulk.ts'

describe('fillUniforms and fillNormals', () => {
  it('begin with the published words for zeros', () => {
    const words = new Uint32Array(4)
    philoxBlock(0, 0, 0, 0, 0, 0, words)
    expect([...words].map((value) => value.toString(16))).toEqual(['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8'])
    const into = new Float64Array(4)
    fillUniforms(0, 0, 0, 4, into)
    expect([...into]).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8].map((value) => (value + 0.5) / 2 ** 32))
  })

  it('give the numbers that rng.ts gives one by one, for any count and row', () => {
    for (const row of [0, 11, 2 ** 31 + 5, 5 * 2 ** 32 + 7]) {
      for (let count = 0; count < 14; count++) {
        const some = new Float64Array(14).fill(-9)
        fillUniforms(4_000_000_000, 2, row, count, some)
        expect([...some]).toEqual(Array.from({ length: 14 }, (_, j) => (j < count ? u(4_000_000_000, 2, row, j) : -9)))
        some.fill(-9)
        fillNormals(9, 2, row, count, some)
        expect([...some]).toEqual(Array.from({ length: 14 }, (_, j) => (j < count ? z(9, 2, row, j) : -9)))
      }
    }
  })

  it('go on over the end of a chunk', () => {
    for (const count of [50, 4096, 4099, 9001]) {
      const some = new Float64Array(count)
      fillUniforms(3, 1, 77, count, some)
      for (const j of [0, 49, 4095, 4096, 8193, count - 1]) if (j < count) expect(some[j]).toBe(u(3, 1, 77, j))
      fillNormals(3, 1, 77, count, some)
      for (const j of [0, 49, 4095, 4096, 8193, count - 1]) if (j < count) expect(some[j]).toBe(z(3, 1, 77, j))
    }
  })

  it('have the moments of their distributions', () => {
    const n = 40_000
    const uniforms = new Float64Array(n)
    const normals = new Float64Array(n)
    fillUniforms(5, 1, 0, n, uniforms)
    fillNormals(5, 1, 0, n, normals)
    const moment = (values: Float64Array, power: number): number => values.reduce((sum, value) => sum + value ** power, 0) / n
    expect(moment(uniforms, 1)).toBeCloseTo(1 / 2, 2)
    expect(moment(uniforms, 2)).toBeCloseTo(1 / 3, 2)
    expect(Math.abs(moment(normals, 1))).toBeLessThan(4 / Math.sqrt(n))
    expect(moment(normals, 2)).toBeCloseTo(1, 1)
    expect(Math.abs(moment(normals, 4) - 3)).toBeLessThan(0.2)
  })
})
