/**
 * Tiled images. Convolutions with few channels are slow as they stand: each product is too thin to fill the vector units, and the copy
 * of every window costs more than the arithmetic. Stored in tiles, they become wide matrix products over few, large windows:
 *
 *   tile t of an image `[batch, c, h, w]`: a matrix `[batch · h/t · w/t, t·t·c]`, one row per tile of t × t pixels, channels last.
 *   A convolution that computes a whole t × t tile of results at once reads (t + k − 1)² pixels instead of t²·k².
 *
 * Element-wise operators and their gradients work on tiles as they are, and pools become one constant matrix product, so a value stays
 * tiled from convolution to convolution. This file chooses, before a graph is lowered, which values are tiled; it depends on shapes
 * alone, not on the batch size. The reference interpreter and exported files know nothing of it.
 * @packageDocumentation
 */
import type { Graph, Node, TensorType } from './graph.ts'
import { valueTypes } from './graph.ts'
import { ruleOf } from './ops/table.ts'

/** Side of the tiles of every tiled value, by the value's name. Values that are not named are stored as they are. */
export type Tiles = Readonly<Record<string, number>>

/**
 * Chooses the tiles of a graph. Forwards, every operator says how its value comes out of its inputs; backwards, what its inputs are
 * read best as; gradients of a value then follow the value.
 */
export function planTiles(graph: Graph): Tiles {
  const types = valueTypes(graph)
  const tiles = new Map<string, number>()
  const wanted = new Map<string, number>()
  const visit = (node: Node): void => {
    const rule = ruleOf(node.op)
    const context = {
      type: node,
      attrs: node.attrs,
      inputTypes: node.inputs.map((id) => types.get(id) as TensorType),
      inputTiles: node.inputs.map((id) => tiles.get(id)),
      wanted: wanted.get(node.id),
    }
    const tile = tiles.get(node.id) ?? rule.tiling?.(context)
    if (tile !== undefined) tiles.set(node.id, tile)
    const wishes = rule.wants?.({ ...context, tile }) ?? []
    node.inputs.forEach((id, i) => {
      const wish = wishes[i]
      if (wish !== undefined && !wanted.has(id)) wanted.set(id, wish)
    })
  }
  // The second sweep sees what later nodes want of earlier ones: the gradients of a pool before those of an activation.
  for (let sweep = 0; sweep < 2; sweep++) for (const node of graph.nodes) visit(node)
  return Object.fromEntries(tiles)
}

/** Shape in memory of a value: tiles are a matrix. Concrete shapes only. */
export function storedShape(shape: readonly number[], tile: number | undefined): readonly number[] {
  if (tile === undefined) return shape
  const [batch, channels, height, width] = shape as [number, number, number, number]
  return [(batch * height * width) / tile ** 2, tile ** 2 * channels]
}
