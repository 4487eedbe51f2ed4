import { ConfigError } from '../../errors.ts'
import { didYouMean } from '../../nearest-name.ts'
import { edgePrefix, elementsPerSample, outputNamed, valueTypes } from '../graph.ts'
import type { Graph, Node } from '../graph.ts'
import { companions } from './companions.ts'
import { splitGraph } from './segments.ts'
import type { Edge } from './segments.ts'

/** Which half of a stage a segment is. */
export type Direction = 'forward' | 'backward'

/** One piece of a cut training graph. */
export interface Segment {
  readonly graph: Graph
  /** From 0, nearest the input. */
  readonly stage: number
  readonly direction: Direction
}

/** A boundary tensor of a cut graph. */
export interface Boundary extends Edge {
  /**
   * `activation`: leaves the forward segment of a stage for other stages; a stage that reads it going forward and backward receives it once and keeps
   * it. `error`: leaves a backward segment. `stash`: from the forward to the backward segment of one stage; it never leaves the rank.
   */
  readonly kind: 'activation' | 'error' | 'stash'
  /** Stage that computes it. */
  readonly source: number
  /** Other stages that read it, ascending: where it is sent. */
  readonly destinations: readonly number[]
  /** Elements of one sample. */
  readonly elementsPerSample: number
}

/** A training graph in stages. */
export interface Cut {
  /** Forward segments of stage 0 to K − 1, then backward segments of stage K − 1 to 0: they run in this order. */
  readonly segments: readonly Segment[]
  readonly edges: readonly Boundary[]
}

/**
 * Cuts a training graph into K stages of consecutive layers, each a forward and a backward segment with explicit boundary tensors. Skip
 * connections become edges that pass over stages. The loss belongs to the last stage.
 *
 *   forward    F0 ─ activation ─ F1 ─ activation ─ F2 ─ loss
 *               │ stash           │ stash           │ stash
 *   backward   B0 ─── error ──── B1 ─── error ──── B2
 *
 * @param boundaries - The layer that each stage but the first begins with, in order: `['c3', 'c5']` makes three stages
 * @throws {ConfigError} CONFIG when a layer does not exist or the boundaries are out of order
 * @see Huang et al., GPipe: efficient training of giant neural networks using pipeline parallelism, NeurIPS 2019
 */
export function cut(graph: Graph, boundaries: readonly string[]): Cut {
  const stages = boundaries.length + 1
  const forward = ancestors(graph, outputNamed(graph, 'loss').value)
  const starts = boundaries.map((layer) => firstNodeOf(graph, forward, layer))
  starts.forEach((start, k) => {
    if (k > 0 && start <= (starts[k - 1] as number)) {
      throw new ConfigError(`cut: ${boundaries[k]} does not come after ${boundaries[k - 1]} — expected layers in the order of the model`)
    }
  })
  const stageOf = new Map<string, number>()
  const stageOfLayer = new Map<string, number>()
  let stage = 0
  graph.nodes.forEach((node, n) => {
    if (!forward.has(node.id)) return
    while (stage < starts.length && n >= (starts[stage] as number)) stage++
    stageOf.set(node.id, stage)
    if (node.layer !== undefined) stageOfLayer.set(node.layer, stage)
  })
  const owner = new Map<string, number>()
  for (const node of graph.nodes) {
    const own = stageOf.get(node.id)
    if (own !== undefined) owner.set(node.id, own)
    else owner.set(node.id, backwardSegment(node, owner, stageOfLayer, stages))
  }
  for (const [id, along] of companions(graph)) owner.set(id, owner.get(along) as number)
  const { graphs, edges } = splitGraph(graph, owner, 2 * stages)
  const stageAt = (segment: number): number => (segment < stages ? segment : 2 * stages - 1 - segment)
  const types = valueTypes(graph)
  const boundary = (edge: Edge): Boundary => {
    const source = stageAt(edge.from)
    const destinations = [...new Set(edge.to.map(stageAt))].filter((other) => other !== source).sort((a, b) => a - b)
    const kind = destinations.length === 0 ? 'stash' : edge.from < stages ? 'activation' : 'error'
    const { shape = [] } = types.get(edge.name.slice(edgePrefix.length)) ?? {}
    return { ...edge, kind, source, destinations, elementsPerSample: elementsPerSample(shape) }
  }
  return {
    segments: graphs.map((each, s) => ({ graph: each, stage: stageAt(s), direction: s < stages ? 'forward' : 'backward' })),
    edges: edges.map(boundary),
  }
}

/** A backward node runs in the stage of the layer that it differentiates, and not before what it reads. */
function backwardSegment(
  node: Node,
  owner: ReadonlyMap<string, number>,
  stageOfLayer: ReadonlyMap<string, number>,
  stages: number,
): number {
  const stage = node.layer === undefined ? stages - 1 : (stageOfLayer.get(node.layer) ?? stages - 1)
  return Math.max(2 * stages - 1 - stage, ...node.inputs.map((id) => owner.get(id) ?? 0))
}

function ancestors(graph: Graph, value: string): Set<string> {
  const needed = new Set([value])
  for (const node of graph.nodes.toReversed()) if (needed.has(node.id)) for (const id of node.inputs) needed.add(id)
  return needed
}

function firstNodeOf(graph: Graph, forward: ReadonlySet<string>, layer: string): number {
  const at = graph.nodes.findIndex((node) => node.layer === layer && forward.has(node.id))
  if (at >= 0) return at
  const names = [...new Set(graph.nodes.flatMap((node) => (forward.has(node.id) && node.layer !== undefined ? [node.layer] : [])))]
  throw new ConfigError(`cut: there is no layer ${layer} — expected one of ${names.join(', ')}${didYouMean(layer, names)}`)
}
