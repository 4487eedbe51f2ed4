import { fillNormals, fillUniforms } from './bulk.ts'
import type { Generator } from './generator.ts'

const side = 64
const pixels = side * side

/**
 * Noisy images of 64 × 64 pixels with one to three discs, squares and diamonds, and the map that says what every pixel belongs to
 * (0: nothing, 1 to 3: the kind). 1 + ⌊3·u(1, i, 0)⌋ shapes; shape q from u(1, i, 1 + 5q …): kind ⌊3u⌋ (the ball of L2, L∞, L1), centre
 * y, x = 8 + 48u, radius 4 + 8u, value 0.4 + 0.6u; later ones cover earlier ones; 0.2·z(2, i, 64y + x) of noise is added.
 */
export const shapes: Generator = {
  id: 'shapes',
  title: 'noisy 64 × 64 images of discs, squares and diamonds, labelled pixel by pixel',
  task: 'segmentation',
  defaults: { dims: pixels, classes: 4, noise: 0.2 },
  limits: { noise: { min: 0, max: 100 } },
  rows: 1000,
  testRows: 300,
  rowShape: [1, side, side],
  targetWidth: pixels,
  prepare({ seed, noise }) {
    const drawn = new Float64Array(16)
    const covered = new Float64Array(pixels)
    return (row, into, targets) => {
      fillUniforms(seed, 1, row, 16, drawn)
      const count = 1 + Math.floor(3 * drawn[0]!)
      covered.fill(0)
      targets.fill(0)
      for (let shape = 0; shape < count; shape++) cover(drawn.subarray(1 + 5 * shape, 6 + 5 * shape), covered, targets)
      fillNormals(seed, 2, row, pixels, into)
      for (let pixel = 0; pixel < pixels; pixel++) into[pixel] = noise * into[pixel]! + covered[pixel]!
      return 0
    }
  },
}

/** Draws one shape: values into `image`, its kind into `labels`. */
function cover(drawn: Float64Array, image: Float64Array, labels: Float64Array): void {
  const kind = Math.floor(3 * drawn[0]!)
  const [y, x, radius, value] = [8 + 48 * drawn[1]!, 8 + 48 * drawn[2]!, 4 + 8 * drawn[3]!, 0.4 + 0.6 * drawn[4]!]
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const dy = Math.abs(row - y)
      const dx = Math.abs(column - x)
      const isInside = kind === 0 ? dy * dy + dx * dx <= radius * radius : (kind === 1 ? Math.max(dy, dx) : dy + dx) <= radius
      if (!isInside) continue
      image[row * side + column] = value
      labels[row * side + column] = kind + 1
    }
  }
}
