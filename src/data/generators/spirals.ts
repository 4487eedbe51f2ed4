import { u, z } from '../../rng.ts'
import type { Generator } from './generator.ts'

/**
 * Two spirals of one turn, one the other's reflection in the origin: turn w = u(1, i, 1), radius r = (2w + 1)/3, angle 2πw, class
 * ⌊2·u(1, i, 0)⌋ (1 is reflected), and noise·z(2, i, 0) along the curve's normal (noise 0.05).
 * mlbench puts w on a grid of as many points as there are rows; here it is drawn, so that fewer rows are the first of more.
 * @see F. Leisch, E. Dimitriadou, mlbench: machine learning benchmark problems (R package), function mlbench.spirals
 */
export const spirals: Generator = {
  id: 'spirals',
  title: 'two interleaved spirals',
  task: 'classification',
  defaults: { dims: 2, classes: 2, noise: 0.05 },
  limits: { noise: { min: 0, max: 10 } },
  rows: 6000,
  prepare({ seed, noise }) {
    return (row, into) => {
      const label = Math.floor(2 * u(seed, 1, row, 0))
      const w = u(seed, 1, row, 1)
      const angle = 2 * Math.PI * w
      const cos = Math.cos(angle)
      const sin = Math.sin(angle)
      const r = (2 * w + 1) / 3
      // Derivative of (r cos, r sin) by w, up to a factor: the normal stands at a right angle to it.
      const tangentX = cos - Math.PI * (2 * w + 1) * sin
      const tangentY = sin + Math.PI * (2 * w + 1) * cos
      const offset = (noise * z(seed, 2, row, 0)) / Math.hypot(tangentX, tangentY)
      const sign = label === 0 ? 1 : -1
      into[0] = sign * (r * cos + offset * tangentY)
      into[1] = sign * (r * sin - offset * tangentX)
      return label
    }
  },
}
