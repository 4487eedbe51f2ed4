import { ConfigError } from '../../errors.ts'
import { edgePrefix, valueTypes } from '../graph.ts'
import type { Graph, GraphOutput, Node, TensorType } from '../graph.ts'
import { planLayouts } from '../layouts.ts'

/** A value that one segment of a graph hands to later ones: an output of the first and an input of the others, both called `name`. */
export interface Edge {
  /** `edge:` and the value's name. */
  readonly name: string
  /** Segment that computes it. */
  readonly from: number
  /** Segments that read it, ascending. */
  readonly to: readonly number[]
}

/** A graph in pieces that run one after the other. */
export interface Segments {
  readonly graphs: readonly Graph[]
  readonly edges: readonly Edge[]
}

/**
 * Splits a graph into `count` segments. Running them in order gives the values of the whole, bit for bit: all exchange values as the uncut
 * graph would store them.
 *
 * @param owner - Segment of every node, by id; a node may only read nodes of its own segment and of earlier ones
 * @throws {ConfigError} CONFIG when a node has no segment, or reads a later one
 */
export function splitGraph(graph: Graph, owner: ReadonlyMap<string, number>, count: number): Segments {
  const segmentOf = (node: Node): number => {
    const segment = owner.get(node.id)
    if (segment === undefined) throw new ConfigError(`cut: node ${node.id} (${node.op}) is in no segment — expected one for every node`)
    return segment
  }
  const readers = new Map<string, Set<number>>()
  const read = (id: string, segment: number, user: string): void => {
    const from = owner.get(id)
    if (from === undefined || from === segment) return
    if (from > segment) {
      throw new ConfigError(
        `cut: ${user} in segment ${segment} reads ${id} of segment ${from} — expected segments that only read earlier ones`,
      )
    }
    readers.set(id, (readers.get(id) ?? new Set()).add(segment))
  }
  for (const node of graph.nodes) for (const id of node.inputs) read(id, segmentOf(node), `node ${node.id} (${node.op})`)
  const edges = [...readers].map(([id, to]) => ({
    name: edgePrefix + id,
    from: owner.get(id) as number,
    to: [...to].sort((a, b) => a - b),
  }))
  // One choice of layouts for all segments: they compute what the uncut graph computes.
  const layouts = { ...planLayouts(graph) }
  for (const id of readers.keys()) if (layouts[id] !== undefined) layouts[edgePrefix + id] = layouts[id]
  const types = valueTypes(graph)
  const graphs = Array.from({ length: count }, (_, k) => {
    const nodes = graph.nodes.filter((node) => owner.get(node.id) === k)
    const outputs = graph.outputs.filter((output) => (owner.get(output.value) ?? 0) === k)
    return { ...segmentGraph(graph, k, nodes, outputs, edges, types), layouts }
  })
  return { graphs, edges }
}

function segmentGraph(
  whole: Graph,
  k: number,
  nodes: readonly Node[],
  outputs: readonly GraphOutput[],
  edges: readonly Edge[],
  types: ReadonlyMap<string, TensorType>,
): Graph {
  const incoming = new Map(edges.filter((edge) => edge.to.includes(k)).map((edge) => [edge.name.slice(edgePrefix.length), edge.name]))
  const outgoing = edges.filter((edge) => edge.from === k)
  const used = new Set([...nodes.flatMap((node) => node.inputs), ...outputs.map((output) => output.value)])
  const typed = (id: string): TensorType => {
    const { shape, dtype } = types.get(id) as TensorType
    return { shape, dtype }
  }
  return {
    inputs: [...whole.inputs.filter((input) => used.has(input.name)), ...[...incoming].map(([id, name]) => ({ name, ...typed(id) }))],
    nodes: nodes.map((node) => ({ ...node, inputs: node.inputs.map((id) => incoming.get(id) ?? id) })),
    outputs: [
      ...outputs,
      ...outgoing.map(({ name }) => ({ name, value: name.slice(edgePrefix.length), ...typed(name.slice(edgePrefix.length)) })),
    ],
  }
}
