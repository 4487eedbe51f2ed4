import { u } from '../../rng.ts'
import { fillNormals } from './bulk.ts'
import type { Generator } from './generator.ts'

/**
 * Two normal classes with unit covariance and means +a and −a in every coordinate, a = 2/√d: x_j = ±a + z(2, i, j), class
 * ⌊2·u(1, i, 0)⌋ (0 has +a). Bayes error Φ(−2) = 2.28 % for every d.
 * @see L. Breiman, Bias, variance, and arcing classifiers, 1996
 */
export const twonorm: Generator = {
  id: 'twonorm',
  title: 'two overlapping normal classes',
  task: 'classification',
  defaults: { dims: 20, classes: 2, noise: 1 },
  limits: { dims: { min: 1, max: 65_536 } },
  rows: 6000,
  prepare({ seed, dims }) {
    const a = 2 / Math.sqrt(dims)
    return (row, into) => {
      const label = Math.floor(2 * u(seed, 1, row, 0))
      fillNormals(seed, 2, row, dims, into)
      const mean = label === 0 ? a : -a
      for (let j = 0; j < dims; j++) into[j]! += mean
      return label
    }
  },
}
