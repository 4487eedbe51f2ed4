/**
 * The two forms of a model's one forward graph: how it computes while it trains, and how it computes afterwards.
 * @packageDocumentation
 */
import { elementsPerSample, isBatchDim, maskPrefix } from '../graph/graph.ts'
import type { Dim, Graph, Node } from '../graph/graph.ts'
import { withBatchStatistics } from './batch-norm-form.ts'
import type { Model } from './model.ts'

/** The forward graph while it trains: every dropout has its mask, batch norms take the statistics of the batch. */
export function trainingForm(model: Pick<Model, 'graph' | 'parameters'>): Graph {
  return withMasks(withBatchStatistics(model))
}

/** The forward graph of a trained model: without dropout. */
export function inferenceForm(graph: Graph): Graph {
  return withoutDropout(graph)
}

/** Gives every dropout its mask: sample after sample, whatever the order of the extents that it masks, so that it is a function of the sample. */
function withMasks(graph: Graph): Graph {
  const inputs = [...graph.inputs]
  let next = 1 + Math.max(0, ...graph.nodes.map(({ id }) => Number(id.slice(1))))
  const nodes = graph.nodes.flatMap((node): Node[] => {
    if (node.op !== 'dropout') return [node]
    const name = maskPrefix + (node.layer ?? node.id)
    const at = node.shape.findIndex(isBatchDim)
    const shape = [node.shape[at] as Dim, ...node.shape.filter((_, i) => i !== at)]
    inputs.push({ name, shape, dtype: 'float32' })
    if (at === 0) return [{ ...node, inputs: [...node.inputs, name] }]
    const permutation = node.shape.map((_, i) => (i === at ? 0 : i < at ? i + 1 : i))
    const turned = { ...node, id: `#${next++}`, op: 'transpose' as const, inputs: [name], attrs: { permutation } }
    return [turned, { ...node, inputs: [...node.inputs, turned.id] }]
  })
  return { ...graph, inputs, nodes }
}

/** Takes dropouts out: their users read what they would have masked. */
function withoutDropout(graph: Graph): Graph {
  const replaced = new Map<string, string>()
  const resolve = (id: string): string => replaced.get(id) ?? id
  const nodes = graph.nodes.flatMap((node) => {
    const inputs = node.inputs.map(resolve)
    if (node.op !== 'dropout') return [{ ...node, inputs }]
    replaced.set(node.id, inputs[0] as string)
    return []
  })
  return { ...graph, nodes, outputs: graph.outputs.map((output) => ({ ...output, value: resolve(output.value) })) }
}

/** The mask inputs of a training graph: shapes and rates by input name, for whoever fills them. */
export function maskInputs(
  model: Model,
): { readonly name: string; readonly layer: string; readonly rate: number; readonly elementsPerSample: number }[] {
  return model.graph.nodes.flatMap((node) => {
    if (node.op !== 'dropout') return []
    const layer = node.layer ?? node.id
    return [{ name: maskPrefix + layer, layer, rate: node.attrs.rate, elementsPerSample: elementsPerSample(node.shape) }]
  })
}
