import { ShapeError } from '../../errors.ts'
import { formatShape } from '../../graph/graph.ts'
import { oneOf } from '../../option-checks.ts'
import type { Tensor } from '../trace.ts'
import { nameLayer } from './options.ts'
import type { LayerOptions } from './options.ts'

/** Edges of a graph: pairs of node numbers one after the other, each edge once, without direction (`data.load('cora')` has them as `edges`). */
export type Edges = ArrayLike<number>

/** Options of {@link neighbours}. */
export interface NeighbourOptions extends LayerOptions {
  /**
   * `symmetric` (default): with the node itself, weighted 1/√(dᵢ·dⱼ), where d counts neighbours and the node: D̃^(−½)·Ã·D̃^(−½)·x.
   * `mean`: of the neighbours alone; zeros where there is none. `sum`: of the neighbours alone.
   */
  readonly weights?: 'symmetric' | 'mean' | 'sum'
}

/**
 * Every node receives from its neighbours.
 * @param x - `[batch, nodes, features]`
 * @returns The same shape
 * @throws {ShapeError} SHAPE unless x is one, or an edge names a node that is not there
 * @see Kipf, Welling, Semi-supervised classification with graph convolutional networks, ICLR 2017, equation 2 (`symmetric`)
 */
export function neighbours(x: Tensor, edges: Edges, options: NeighbourOptions = {}): Tensor {
  const layer = nameLayer(x, 'neighbours', options, { weights: oneOf('symmetric', 'mean', 'sum') })
  const { weights = 'symmetric' } = options
  const nodes = x.shape[1]
  if (x.shape.length !== 3 || typeof nodes !== 'number') {
    throw new ShapeError(`${layer}: neighbours takes the nodes of a graph — expected [batch, nodes, features], got ${formatShape(x.shape)}`)
  }
  const { builder } = x
  const { from, to, degrees } = pairsOf(edges, nodes, weights === 'symmetric')
  const weighted = (value: Tensor, weightOf: (degree: number) => number): Tensor => {
    const column = builder.add('constant', [], { values: degrees.map(weightOf), shape: [nodes, 1], dtype: 'float32' }, layer)
    return builder.add('mul', [value, column], {}, layer)
  }
  const sum = (value: Tensor): Tensor => builder.add('neighbourSum', [value], { from, to }, layer)
  if (weights === 'sum') return sum(x)
  if (weights === 'mean') return weighted(sum(x), (degree) => 1 / Math.max(1, degree))
  const root = (degree: number): number => 1 / Math.sqrt(degree)
  return weighted(sum(weighted(x, root)), root)
}

/** Both directions of every edge, sorted by receiver, and how many each node receives from. */
function pairsOf(edges: Edges, nodes: number, loops: boolean): { from: number[]; to: number[]; degrees: number[] } {
  const lists: number[][] = Array.from({ length: nodes }, (_, node) => (loops ? [node] : []))
  for (let e = 0; e + 1 < edges.length; e += 2) {
    const [a, b] = [edges[e] as number, edges[e + 1] as number]
    if (lists[a] === undefined || lists[b] === undefined) {
      throw new ShapeError(`neighbours: an edge has no end — expected nodes from 0 to ${nodes - 1}, got ${a} and ${b}`)
    }
    lists[a].push(b)
    lists[b].push(a)
  }
  return { from: lists.flat(), to: lists.flatMap((list, node) => list.map(() => node)), degrees: lists.map((list) => list.length) }
}
