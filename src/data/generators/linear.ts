import { z } from '../../rng.ts'
import { fillNormals } from './bulk.ts'
import type { Generator } from './generator.ts'

/** Linear regression: x_j = z(1, i, j), b_j = z(0, j, 0), y = x·b + noise·z(2, i, 0) (noise ½). */
export const linear: Generator = {
  id: 'linear',
  title: 'linear regression on standard normal features',
  task: 'regression',
  defaults: { dims: 50, classes: 0, noise: 0.5 },
  limits: { dims: { min: 1, max: 65_536 }, noise: { min: 0, max: 100 } },
  rows: 10_000,
  prepare({ seed, dims, noise }) {
    const b = linearCoefficients(seed, dims)
    return (row, into) => {
      fillNormals(seed, 1, row, dims, into)
      let y = 0
      for (let j = 0; j < dims; j++) y += into[j]! * b[j]!
      return y + noise * z(seed, 2, row, 0)
    }
  },
}

/** The true coefficients b of {@link linear}, `[dims]`. */
export function linearCoefficients(seed: number, dims: number): Float64Array<ArrayBuffer> {
  return Float64Array.from({ length: dims }, (_, j) => z(seed, 0, j, 0))
}
