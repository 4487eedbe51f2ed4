import { ConfigError } from '../../errors.ts'
import { gradientPrefix, outputNamed } from '../graph.ts'
import type { Graph } from '../graph.ts'
import { companions } from './companions.ts'
import { splitGraph } from './segments.ts'

/** One piece of a training graph whose gradients are exchanged bucket by bucket. */
export interface BucketSegment {
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
export function bucket(graph: Graph, buckets: readonly (readonly string[])[]): BucketSegment[] {
  requirePartition(graph, buckets)
  const byId = new Map(graph.nodes.map((node) => [node.id, node]))
  const rest = graph.outputs.filter((output) => !output.name.startsWith(gradientPrefix))
  const owner = new Map<string, number>()
  buckets.forEach((names, k) => {
    const gradients = names.map((name) => outputNamed(graph, gradientPrefix + name))
    const pending = [...(k === 0 ? rest : []), ...gradients].map((output) => output.value)
    for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
      const node = byId.get(id)
      if (node === undefined || owner.has(id)) continue
      owner.set(id, k)
      pending.push(...node.inputs)
    }
  })
  for (const [id, along] of companions(graph)) {
    const first = owner.get(along)
    if (owner.has(id) && first !== undefined && first < (owner.get(id) as number)) owner.set(id, first)
  }
  const needed = { ...graph, nodes: graph.nodes.filter((node) => owner.has(node.id)) }
  return splitGraph(needed, owner, buckets.length).graphs.map((segment, k) => ({ graph: segment, bucket: buckets[k] as readonly string[] }))
}

function requirePartition(graph: Graph, buckets: readonly (readonly string[])[]): void {
  const expected = backwardOrder(graph).sort()
  const got = buckets.flat().sort()
  if (expected.length !== got.length || expected.some((name, i) => name !== got[i])) {
    throw new ConfigError(
      `bucket: the buckets are not a partition of the parameters — expected each of ${expected.join(', ')} once, got ${got.join(', ') || 'none'}`,
    )
  }
  if (buckets.some((names) => names.length === 0))
    throw new ConfigError('bucket: a bucket is empty — expected at least one parameter in each')
}
