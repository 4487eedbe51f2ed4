import { u } from '../../rng.ts'
import { fillUniforms } from './bulk.ts'
import type { Generator } from './generator.ts'

/** Lit segments of each digit: top, top left, top right, middle, bottom left, bottom right, bottom. */
const segments = ['1110111', '0010010', '1011101', '1011011', '0111010', '1101011', '1101111', '1010010', '1111111', '1111011'] as const

/**
 * A seven-segment display whose segments fail with chance 0.1, and 17 columns of fair coins: digit ⌊10·u(1, i, 0)⌋, segment j flips
 * if u(2, i, j) < 0.1 (j < 7), coin j is u(2, i, j) < ½ (7 ≤ j < 24). Bayes accuracy 0.740.
 * @see L. Breiman, J. Friedman, R. Olshen, C. Stone, Classification and regression trees, 1984, section 2.6.1
 */
export const led: Generator = {
  id: 'led-24',
  title: 'a faulty seven-segment display: ten digits, 7 noisy bits and 17 random ones',
  task: 'classification',
  defaults: { dims: 24, classes: 10, noise: 0.1 },
  limits: { noise: { min: 0, max: 0.5 } },
  rows: 6000,
  prepare({ seed, dims, noise }) {
    const lit = segments.map((digit) => Array.from(digit, Number))
    return (row, into) => {
      const digit = Math.floor(10 * u(seed, 1, row, 0))
      const bits = lit[digit]!
      fillUniforms(seed, 2, row, dims, into)
      for (let j = 0; j < 7; j++) into[j] = into[j]! < noise ? 1 - bits[j]! : bits[j]!
      for (let j = 7; j < dims; j++) into[j] = into[j]! < 0.5 ? 1 : 0
      return digit
    }
  },
}
