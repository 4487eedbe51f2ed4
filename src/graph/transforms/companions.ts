import type { Graph } from '../graph.ts'

/**
 * Nodes that a runtime computes in one pass over the data, so that they belong in one segment: the statistics of a batch with the normalisation by them, a
 * batch norm's input gradient with its sums, the gates of a recurrent layer with the layer.
 * @returns By node, the node that it goes along with
 */
export function companions(graph: Graph): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  const normalised = new Map(graph.nodes.flatMap((node) => (node.op === 'batchNormTrain' ? [[node.inputs[0] as string, node.id]] : [])))
  const byId = new Map(graph.nodes.map((node) => [node.id, node]))
  for (const node of graph.nodes) {
    if (node.op === 'batchStatistics') {
      const along = normalised.get(node.inputs[0] as string)
      if (along !== undefined) found.set(node.id, along)
    } else if (node.op === 'batchNormInputGradient') {
      const sums = node.inputs.find((id) => byId.get(id)?.op === 'batchNormReductions')
      if (sums !== undefined) found.set(node.id, sums)
    } else if (node.op === 'lstmGates' || node.op === 'gruGates') {
      const layer = node.inputs[node.op === 'lstmGates' ? 2 : 3] as string
      if (byId.has(layer)) found.set(node.id, layer)
    }
  }
  return found
}
