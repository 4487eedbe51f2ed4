import { ShapeError } from '../../errors.ts'
import { formatShape, sameShape } from '../graph.ts'
import type { Shape } from '../graph.ts'

/** @throws {ShapeError} SHAPE naming the layer when the shapes differ */
export function requireSameShape(expected: Shape, got: Shape, layer: string): void {
  if (sameShape(expected, got)) return
  throw new ShapeError(`${layer}: the shapes differ — expected ${formatShape(expected)}, got ${formatShape(got)}`, { expected, got })
}

/** @throws {ShapeError} SHAPE naming the layer when the number of extents is another */
export function requireRank(rank: number, got: Shape, layer: string, meaning: string): void {
  if (got.length === rank) return
  throw new ShapeError(`${layer}: the input has another number of dims — expected ${rank} (${meaning}), got ${formatShape(got)}`, {
    rank,
    got,
  })
}

/** An extent that must be known when the graph is built. @throws {ShapeError} SHAPE */
export function requireNumber(dim: Shape[number] | undefined, layer: string, meaning: string): number {
  if (typeof dim === 'number') return dim
  throw new ShapeError(`${layer}: ${meaning} must be a number — expected a fixed extent, got ${String(dim)}`)
}
