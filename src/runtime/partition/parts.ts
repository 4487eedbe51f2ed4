import { ConfigError } from '../../errors.ts'
import type { Graph, Node } from '../../graph/graph.ts'
import type { Assignment, Side } from './assign.ts'

/** Nodes that run one after the other on one side. */
export interface Part {
  readonly side: Side
  readonly nodes: readonly Node[]
}

/**
 * Orders the nodes so that sides change as rarely as a greedy choice allows: all that can run on one side runs before the other gets its turn.
 * Each way from one side to the other costs reorders and the start of a session. Of the two ways to begin, the one with fewer parts.
 */
export function planParts(graph: Graph, { sides, after }: Assignment): readonly Part[] {
  const plans = (['onnxruntime', 'onednn'] as const).map((first) => order(graph, sides, after, first))
  const [a, b] = plans as [Part[], Part[]]
  return b.length < a.length ? b : a
}

function order(graph: Graph, sides: ReadonlyMap<string, Side>, after: Assignment['after'], first: Side): Part[] {
  const done = new Set(graph.inputs.map((input) => input.name))
  const parts: Part[] = []
  let waiting = graph.nodes
  let side = first
  while (waiting.length > 0) {
    const nodes: Node[] = []
    const isReady = (node: Node): boolean => {
      return node.inputs.every((id) => done.has(id)) && (after.get(node.id) ?? []).every((id) => done.has(id))
    }
    // Nodes are in topological order, but for those that wait for the node that absorbs them: sweep until nothing more is ready.
    for (let before = -1; before !== nodes.length; ) {
      before = nodes.length
      waiting = waiting.filter((node) => {
        if (sides.get(node.id) !== side || !isReady(node)) return true
        nodes.push(node)
        done.add(node.id)
        return false
      })
    }
    if (nodes.length > 0) parts.push({ side, nodes })
    else if (side !== first || parts.length > 0) {
      throw new ConfigError(`partition: ${waiting[0]?.id} never becomes ready — expected nodes that only read earlier ones`)
    }
    side = side === 'onnxruntime' ? 'onednn' : 'onnxruntime'
  }
  return parts
}
