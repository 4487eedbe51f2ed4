import { GraphBuilder } from '../builder.ts'
import { edgePrefix } from '../graph.ts'
import type { Graph, Node } from '../graph.ts'
import type { Cut, Segment } from './cut.ts'

/** Which stages compute their activations again. `except-last`: the last stage's backward segment follows its forward one at once. */
export type RematPolicy = 'always' | 'except-last'

/**
 * Rematerialisation: backward segments compute the activations of their stage again instead of keeping them. What is left to stash is what the
 * stage received. Dropout masks are inputs of the graph, so both passes use the same; batch norm uses the same statistics, since they are computed
 * from the same values.
 *
 *   kept        F1 ─ every activation of the stage ─▸ B1
 *   again       F1           B1 = the needed part of F1, then B1, from the stage's inputs
 *
 * The values are those of the cut without it, to rounding: what is no longer handed out may be fused with what follows. Segments run as executables of
 * their own: within one, a runtime would merge the two computations again.
 * @see Chen et al., Training deep nets with sublinear memory cost, arXiv 1604.06174, 2016
 * @see Huang et al., GPipe, NeurIPS 2019
 */
export function remat(whole: Cut, policy: RematPolicy = 'always'): Cut {
  const stages = whole.segments.length / 2
  const again = (stage: number): boolean => policy === 'always' || stage < stages - 1
  const dropped = new Set(whole.edges.filter((edge) => edge.kind === 'stash' && again(edge.source)).map((edge) => edge.name))
  const segments = whole.segments.map((segment): Segment => {
    if (!again(segment.stage)) return segment
    if (segment.direction === 'forward') return { ...segment, graph: withoutOutputs(segment.graph, dropped) }
    const forward = whole.segments[segment.stage] as Segment
    return { ...segment, graph: computeAgain(segment.graph, forward.graph, dropped) }
  })
  // What a stage received is now read by its backward segment too.
  const edges = whole.edges
    .filter((edge) => !dropped.has(edge.name))
    .map((edge) => ({ ...edge, to: segments.flatMap(({ graph }, s) => (graph.inputs.some(({ name }) => name === edge.name) ? [s] : [])) }))
  return { segments, edges }
}

/** The graph without some outputs, and without what only they needed. */
function withoutOutputs(graph: Graph, dropped: ReadonlySet<string>): Graph {
  const { layouts } = graph
  const rest = { ...graph, outputs: graph.outputs.filter(({ name }) => !dropped.has(name)) }
  const needed = new Set(rest.outputs.map(({ value }) => value))
  const nodes = rest.nodes.toReversed().filter((node) => {
    if (!needed.has(node.id)) return false
    for (const id of node.inputs) needed.add(id)
    return true
  })
  const inputs = rest.inputs.filter(({ name }) => needed.has(name))
  return { inputs, nodes: nodes.reverse(), outputs: rest.outputs, ...(layouts === undefined ? {} : { layouts }) }
}

/** A backward segment with the forward nodes that its dropped inputs came from in front of it. */
function computeAgain(backward: Graph, forward: Graph, dropped: ReadonlySet<string>): Graph {
  const missing = backward.inputs.filter(({ name }) => dropped.has(name)).map(({ name }) => name.slice(edgePrefix.length))
  if (missing.length === 0) return backward
  const builder = GraphBuilder.from(forward)
  for (const id of missing) builder.output(id, builder.value(id))
  const again = builder.build()
  const used = new Set(again.nodes.flatMap((node) => node.inputs))
  const own = (id: string): string => (dropped.has(id) ? id.slice(edgePrefix.length) : id)
  const known = new Set(backward.inputs.map(({ name }) => name))
  const nodes = backward.nodes.map((node): Node => ({ ...node, inputs: node.inputs.map(own) }))
  return {
    ...backward,
    inputs: [
      ...again.inputs.filter(({ name }) => used.has(name) && !known.has(name)),
      ...backward.inputs.filter(({ name }) => !dropped.has(name)),
    ],
    nodes: [...again.nodes, ...nodes],
  }
}
