import { parameterPrefix } from './graph.ts'
import type { Graph } from './graph.ts'

/** A graph without the nodes that no output needs, and without parameters that no node reads; other inputs stay. */
export function prune(graph: Graph): Graph {
  const needed = new Set(graph.outputs.map(({ value }) => value))
  const nodes = [...graph.nodes].reverse().filter((node) => {
    if (!needed.has(node.id)) return false
    for (const id of node.inputs) needed.add(id)
    return true
  })
  const inputs = graph.inputs.filter(({ name }) => needed.has(name) || !name.startsWith(parameterPrefix))
  return { ...graph, inputs, nodes: nodes.reverse() }
}
