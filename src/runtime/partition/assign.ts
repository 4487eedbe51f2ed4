import type { Graph, Node } from '../../graph/graph.ts'
import { valueTypes } from '../../graph/graph.ts'
import { dnnRuleOf, isAnchor } from '../drivers/onednn/rules/table.ts'
import type { Fusions } from '../drivers/onednn/rules/rule.ts'
import { productKey } from '../choice/driver-plan.ts'
import type { Products } from '../choice/driver-plan.ts'
import { fuse } from './fuse.ts'

/** What runs a node. */
export type Side = 'onnxruntime' | 'onednn'

/** Who runs what, and what runs as part of what. */
export interface Assignment {
  readonly sides: ReadonlyMap<string, Side>
  readonly fusions: Fusions
  /** Nodes that wait for others although they do not read them: whoever absorbs a node computes its value, and needs its inputs. */
  readonly after: ReadonlyMap<string, readonly string[]>
}

/** Options of {@link assignSides}. */
export interface AssignOptions {
  /** Nodes that oneDNN refused: they stay with ONNX Runtime. */
  readonly excluded?: ReadonlySet<string>
  /** Products that are measured: some stay with ONNX Runtime. */
  readonly products?: Products
  /** Followers go to oneDNN even without neighbours there (default false). */
  readonly eager?: boolean
}

/**
 * Assigns every node of a bound graph: anchors of oneDNN go there, and what lies around them follows as far as oneDNN has primitives for it.
 */
export function assignSides(graph: Graph, { excluded = new Set(), products = {}, eager = false }: AssignOptions = {}): Assignment {
  const types = valueTypes(graph)
  const shapesOf = (node: Node): number[][] => node.inputs.map((id) => (types.get(id)?.shape ?? []).map(Number))
  const consumers = consumersOf(graph)
  const onednn = new Set<string>()
  const undecided: Node[] = []
  for (const node of graph.nodes) {
    const rule = dnnRuleOf(node)
    if (rule === undefined || excluded.has(node.id) || node.dtype !== 'float32' || !rule.supports(node, shapesOf(node))) continue
    if (products[productKey(node, shapesOf(node))] === 'onnxruntime') continue
    if (eager || isAnchor(node, shapesOf(node))) onednn.add(node.id)
    else undecided.push(node)
  }
  let followers = undecided
  for (let before = -1; before !== followers.length; ) {
    before = followers.length
    followers = followers.filter((node) => {
      const follows = node.inputs.some((id) => onednn.has(id)) || (consumers.get(node.id) ?? []).some((user) => onednn.has(user.id))
      if (follows) onednn.add(node.id)
      return !follows
    })
  }
  const { fusions, after } = fuse(graph, onednn, consumers)
  for (const id of fusions.absorbed) onednn.add(id)
  return { sides: new Map(graph.nodes.map((node) => [node.id, onednn.has(node.id) ? 'onednn' : 'onnxruntime'])), fusions, after }
}

/** Nodes that read each value. */
function consumersOf(graph: Graph): Map<string, Node[]> {
  const consumers = new Map<string, Node[]>()
  for (const node of graph.nodes) for (const id of new Set(node.inputs)) consumers.set(id, [...(consumers.get(id) ?? []), node])
  return consumers
}
