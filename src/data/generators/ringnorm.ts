import { u } from '../../rng.ts'
import { fillNormals } from './bulk.ts'
import type { Generator } from './generator.ts'

/**
 * A narrow normal class inside a wide one: class 0 is N(0, 4I), class 1 is N(a·1, I), a = 2/√d; class ⌊2·u(1, i, 0)⌋, values from
 * z(2, i, j). Of the two versions in circulation this is that of the DELVE and UCI files (Bayes error 1.27 % for d = 20); the R
 * package mlbench has a = 1/√d (1.53 %).
 * @see L. Breiman, Bias, variance, and arcing classifiers, 1996
 */
export const ringnorm: Generator = {
  id: 'ringnorm',
  title: 'a normal class inside a wider one, a = 2/√d',
  task: 'classification',
  defaults: { dims: 20, classes: 2, noise: 1 },
  limits: { dims: { min: 1, max: 65_536 } },
  rows: 6000,
  prepare({ seed, dims }) {
    const a = 2 / Math.sqrt(dims)
    return (row, into) => {
      const label = Math.floor(2 * u(seed, 1, row, 0))
      fillNormals(seed, 2, row, dims, into)
      for (let j = 0; j < dims; j++) into[j] = label === 0 ? 2 * into[j]! : a + into[j]!
      return label
    }
  },
}
