import { u } from '../../rng.ts'
import { fillNormals } from './bulk.ts'
import type { Generator } from './generator.ts'

/** K round clusters: x_j = z(0, c, j) + z(2, i, j), c = ⌊K·u(1, i, 0)⌋; centres and noise are standard normal. */
export const blobs: Generator = {
  id: 'blobs',
  title: 'K Gaussian clusters with standard normal centres',
  task: 'clustering',
  defaults: { dims: 20, classes: 50, noise: 1 },
  limits: { dims: { min: 1, max: 65_536 }, classes: { min: 1, max: 65_536 }, noise: { min: 0, max: 100 } },
  rows: 200_000,
  prepare({ seed, dims, classes, noise }) {
    const centers = blobCenters(seed, classes, dims)
    return (row, into) => {
      const cluster = Math.floor(classes * u(seed, 1, row, 0))
      fillNormals(seed, 2, row, dims, into)
      const offset = cluster * dims
      for (let j = 0; j < dims; j++) into[j] = centers[offset + j]! + noise * into[j]!
      return cluster
    }
  },
}

/** The true centres of {@link blobs}, `[classes, dims]`. */
export function blobCenters(seed: number, classes: number, dims: number): Float64Array<ArrayBuffer> {
  const centers = new Float64Array(classes * dims)
  for (let c = 0; c < classes; c++) fillNormals(seed, 0, c, dims, centers.subarray(c * dims, (c + 1) * dims))
  return centers
}
