import { z } from '../../rng.ts'
import { fillUniforms } from './bulk.ts'
import type { Generator } from './generator.ts'

/**
 * Friedman's first problem: x_j = u(1, i, j), y = 10 sin(π x₀ x₁) + 20 (x₂ − ½)² + 10 x₃ + 5 x₄ + noise·z(2, i, 0); the columns from
 * 5 on mean nothing.
 * @see J. H. Friedman, Multivariate adaptive regression splines, Annals of Statistics 19, 1991
 */
export const friedman: Generator = {
  id: 'friedman',
  title: "Friedman's regression problem: five features that matter, the rest noise",
  task: 'regression',
  defaults: { dims: 50, classes: 0, noise: 1 },
  limits: { dims: { min: 5, max: 65_536 }, noise: { min: 0, max: 100 } },
  rows: 100_000,
  prepare({ seed, dims, noise }) {
    return (row, into) => {
      fillUniforms(seed, 1, row, dims, into)
      const wave = 10 * Math.sin(Math.PI * into[0]! * into[1]!)
      return wave + 20 * (into[2]! - 0.5) ** 2 + 10 * into[3]! + 5 * into[4]! + noise * z(seed, 2, row, 0)
    }
  },
}
