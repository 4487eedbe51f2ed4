import { ConfigError } from '../errors.ts'
import { edgePrefix, gradientPrefix, outputNamed, valueTypes } from './graph.ts'
import type { Graph, GraphInput, GraphOutput, Node } from './graph.ts'
import { planLayouts } from './layouts.ts'

/** One piece of a cut training graph. */
export interface Segment {
  readonly graph: Graph
  /** Parameters whose gradients are complete when this segment has run. */
  readonly bucket: readonly string[]
}

/**
 * The order in which the reverse walk finishes the gradients of a training graph: parameter names, the last layer's first.
 * Buckets of consecutive names of this order can be exchanged while the rest of the walk still runs.
 */
export function backwardOrder(graph: Graph): string[] {
  const position = new Map(graph.nodes.map((node, n) => [node.id, n]))
  return graph.outputs
    .filter((output) => output.name.startsWith(gradientPrefix))
    .sort((a, b) => (position.get(a.value) ?? 0) - (position.get(b.value) ?? 0))
    .map((output) => output.name.slice(gradientPrefix.length))
}

/**
 * Cuts a training graph into consecutive segments, one per bucket of parameters. The first holds all outputs that are not gradients
 * (the loss) and the gradients of the first bucket; segment k adds what bucket k needs. A value that a later segment reads is an output
 * of the segment that computes it and an input of those that read it, both named `edge:` and the value's name.
 *
 *   uncut      forward ─ loss ─ ∂f6 ─ ∂c5 ─ ∂c3 ─ ∂c1
 *   buckets    [f6, c5] [c3, c1]
 *   segment 0  forward ─ loss ─ ∂f6 ─ ∂c5 ─┐ edges: activations and the upstream gradient
 *   segment 1                              └─ ∂c3 ─ ∂c1
 *
 * Running the segments in order gives the values of the uncut graph, bit for bit.
 *
 * @param buckets - Parameter names, each exactly once, in an order in which backward can finish them (see {@link backwardOrder})
 * @throws {ConfigError} CONFIG when the buckets are not a partition of the graph's parameters
 */
export function cutBackward(graph: Graph, buckets: readonly (readonly string[])[]): Segment[] {
  requirePartition(graph, buckets)
  const types = valueTypes(graph)
  const byId = new Map(graph.nodes.map((node) => [node.id, node]))
  const rest = graph.outputs.filter((output) => !output.name.startsWith(gradientPrefix))
  const owner = new Map<string, number>()
  const ownOutputs = buckets.map((bucket, k) => {
    const gradients = bucket.map((name) => outputNamed(graph, gradientPrefix + name))
    return k === 0 ? [...rest, ...gradients] : gradients
  })
  ownOutputs.forEach((outputs, k) => {
    const pending = outputs.map((output) => output.value)
    for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
      const node = byId.get(id)
      if (node === undefined || owner.has(id)) continue
      owner.set(id, k)
      pending.push(...node.inputs)
    }
  })
  const nodesOf = buckets.map((_, k) => graph.nodes.filter((node) => owner.get(node.id) === k))
  const isForeign = (id: string, k: number): boolean => byId.has(id) && owner.get(id) !== k
  const edges = new Set<string>()
  nodesOf.forEach((nodes, k) => {
    for (const id of [...nodes.flatMap((node) => node.inputs), ...(ownOutputs[k] ?? []).map((output) => output.value)]) {
      if (isForeign(id, k)) edges.add(id)
    }
  })
  // One choice for all segments: they exchange values as they are stored, and compute what the uncut graph computes.
  const layouts = { ...planLayouts(graph) }
  for (const id of edges) if (layouts[id] !== undefined) layouts[edgePrefix + id] = layouts[id]
  return buckets.map((bucket, k) => ({
    bucket,
    graph: { ...segmentGraph(graph, k, nodesOf[k] ?? [], ownOutputs[k] ?? [], edges, owner, types), layouts },
  }))
}

function segmentGraph(
  whole: Graph,
  k: number,
  nodes: readonly Node[],
  outputs: readonly GraphOutput[],
  edges: ReadonlySet<string>,
  owner: ReadonlyMap<string, number>,
  types: ReturnType<typeof valueTypes>,
): Graph {
  const rename = (id: string): string => (edges.has(id) && owner.get(id) !== k ? edgePrefix + id : id)
  const used = new Set([...nodes.flatMap((node) => node.inputs), ...outputs.map((output) => output.value)])
  const typed = (id: string): Pick<GraphInput, 'shape' | 'dtype'> => {
    const type = types.get(id)
    if (type === undefined) throw new ConfigError(`cut: there is no value ${id} — expected a complete graph`)
    return { shape: type.shape, dtype: type.dtype }
  }
  const incoming = [...edges].filter((id) => used.has(id) && owner.get(id) !== k)
  const outgoing = [...edges].filter((id) => owner.get(id) === k)
  return {
    inputs: [...whole.inputs.filter((input) => used.has(input.name)), ...incoming.map((id) => ({ name: edgePrefix + id, ...typed(id) }))],
    nodes: nodes.map((node) => ({ ...node, inputs: node.inputs.map(rename) })),
    outputs: [
      ...outputs.map((output) => ({ ...output, value: rename(output.value) })),
      ...outgoing.map((id) => ({ name: edgePrefix + id, value: id, ...typed(id) })),
    ],
  }
}

function requirePartition(graph: Graph, buckets: readonly (readonly string[])[]): void {
  const expected = backwardOrder(graph).sort()
  const got = buckets.flat().sort()
  if (expected.length !== got.length || expected.some((name, i) => name !== got[i])) {
    throw new ConfigError(
      `cut: the buckets are not a partition of the parameters — expected each of ${expected.join(', ')} once, got ${got.join(', ') || 'none'}`,
    )
  }
  if (buckets.some((bucket) => bucket.length === 0))
    throw new ConfigError('cut: a bucket is empty — expected at least one parameter in each')
}
