import { bindShape } from './graph.ts'
import type { Graph, Node } from './graph.ts'
import { ruleOf } from './ops/table.ts'

/**
 * The same graph for one batch size: every `'batch'` in shapes and attributes becomes a number.
 * @throws {ConfigError} CONFIG unless `batchSize` is a positive integer
 */
export function bindBatch(graph: Graph, batchSize: number): Graph {
  const bound = <T extends { readonly shape: Graph['inputs'][0]['shape'] }>(type: T): T => ({
    ...type,
    shape: bindShape(type.shape, batchSize),
  })
  return {
    ...graph,
    inputs: graph.inputs.map(bound),
    nodes: graph.nodes.map((node) => {
      const attrs = ruleOf(node.op).bind?.(node.attrs, batchSize) ?? node.attrs
      return { ...bound(node), attrs } as Node
    }),
    outputs: graph.outputs.map(bound),
  }
}
