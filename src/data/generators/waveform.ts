import { u } from '../../rng.ts'
import { fillNormals } from './bulk.ts'
import type { Generator } from './generator.ts'

/**
 * Three classes, each a random mixture of two of three triangular waves at 21 points, with standard normal noise. Wave k has height
 * max(6 − |j − peak|, 0) with peaks 6, 14, 10 (j from 0). Class ⌊3·u(1, i, 0)⌋, mixture u(1, i, 1), noise z(2, i, j).
 * Bayes accuracy about 0.867.
 * @see L. Breiman, J. Friedman, R. Olshen, C. Stone, Classification and regression trees, 1984, section 2.6.2
 */
export const waveform: Generator = {
  id: 'waveform-21',
  title: "Breiman's waveform: three classes, 21 noisy points",
  task: 'classification',
  defaults: { dims: 21, classes: 3, noise: 1 },
  limits: {},
  rows: 6000,
  prepare({ seed, dims }) {
    const wave = [6, 14, 10].map((peak) => Float64Array.from({ length: dims }, (_, j) => Math.max(6 - Math.abs(j - peak), 0)))
    const [h1, h2, h3] = wave as [Float64Array, Float64Array, Float64Array]
    const pairs = [
      [h1, h2],
      [h1, h3],
      [h2, h3],
    ] as const
    return (row, into) => {
      const label = Math.floor(3 * u(seed, 1, row, 0))
      const mixture = u(seed, 1, row, 1)
      const [a, b] = pairs[label]!
      fillNormals(seed, 2, row, dims, into)
      for (let j = 0; j < dims; j++) into[j] = mixture * a[j]! + (1 - mixture) * b[j]! + into[j]!
      return label
    }
  },
}
