import type { Graph, Node } from '../../graph/graph.ts'
import type { Assignment } from './assign.ts'

/** Operators whose primitives apply a following activation at once. */
const activatable: ReadonlySet<string> = new Set(['conv', 'matmul', 'add', 'sub', 'mul'])

/**
 * Finds nodes that run as part of others: an activation after a convolution, a product or a sum, the gradient of a bias beside that of its
 * filter, the statistics of a batch beside its normalisation, the input gradient of a normalisation beside its sums, the gradients of gain
 * and bias beside that of what a layer norm takes, a loss beside its gradient.
 * @param onednn - Nodes that run on oneDNN
 * @param consumers - Nodes that read each value
 */
export function fuse(
  graph: Graph,
  onednn: ReadonlySet<string>,
  consumers: ReadonlyMap<string, readonly Node[]>,
): Omit<Assignment, 'sides'> {
  const handedBack = new Set(graph.outputs.map((output) => output.value))
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]))
  const activationOf = new Map<string, { id: string; op: Activation['op'] }>()
  const companionsOf = new Map<string, readonly string[]>()
  const absorbed = new Set<string>()
  const after = new Map<string, readonly string[]>()
  for (const node of graph.nodes) {
    if (!onednn.has(node.id)) continue
    const users = consumers.get(node.id) ?? []
    const [only] = users
    if (activatable.has(node.op) && !handedBack.has(node.id) && users.length === 1 && only !== undefined && isActivation(only)) {
      if (onednn.has(only.id)) {
        activationOf.set(node.id, { id: only.id, op: only.op })
        absorbed.add(only.id)
      }
    }
    const siblings = new Set(node.inputs.flatMap((id) => consumers.get(id) ?? []))
    for (const companion of siblings) {
      if (absorbed.has(companion.id) || !isCompanion(node, companion) || dependsOn(nodes, node, companion.id)) continue
      // The host computes the companion's value, so it waits for what the companion reads.
      const extra = companion.inputs.filter((id) => id !== node.id && nodes.has(id) && !node.inputs.includes(id))
      if (extra.some((id) => dependsOn(nodes, nodes.get(id) as Node, node.id))) continue
      const others = companionsOf.get(node.id) ?? []
      if (others.some((id) => nodes.get(id)?.op === companion.op)) continue
      companionsOf.set(node.id, [...others, companion.id])
      absorbed.add(companion.id)
      after.set(companion.id, [node.id])
      if (extra.length > 0) after.set(node.id, [...(after.get(node.id) ?? []), ...extra])
      if (!hasSeveral.has(node.op)) break
    }
  }
  return { fusions: { activationOf, companionsOf, absorbed }, after }
}

/** Operators whose primitives compute the values of more than one companion. */
const hasSeveral: ReadonlySet<string> = new Set(['layerNormGradient'])

type Activation = Extract<Node, { op: 'relu' | 'tanh' | 'sigmoid' }>

function isActivation(node: Node): node is Activation {
  return node.op === 'relu' || node.op === 'tanh' || node.op === 'sigmoid'
}

/** True when the primitive of `host` computes the value of `other` as well. */
function isCompanion(host: Node, other: Node): boolean {
  switch (host.op) {
    case 'convFilterGradient':
      return isChannelSum(other) && other.inputs[0] === host.inputs[1]
    case 'batchNormTrain':
      return other.op === 'batchStatistics' && other.inputs[0] === host.inputs[0]
    case 'batchNormReductions':
      // x, dL/dy and the statistics are the same; the companion reads the sums of the host.
      return other.op === 'batchNormInputGradient' && other.inputs[4] === host.id && sameOperands(host, other)
    case 'softmaxCrossEntropyGradient':
      return other.op === 'softmaxCrossEntropy' && other.inputs.every((id, i) => id === host.inputs[i])
    case 'layerNormGradient':
      if (other.op === 'layerNormGainGradient') {
        return other.inputs[0] === host.inputs[0] && other.inputs[1] === host.inputs[2] && other.attrs.epsilon === host.attrs.epsilon
      }
      return isRowSum(other, host.shape.length) && other.inputs[0] === host.inputs[2]
    default:
      return false
  }
}

function sameOperands({ inputs: [x, upstream, statistics] }: Node, { inputs: others }: Node): boolean {
  return others[0] === x && others[1] === upstream && others[3] === statistics
}

/** A sum over everything but the channels of an image. */
function isChannelSum(node: Node): boolean {
  return node.op === 'reduceSum' && node.shape.length === 1 && node.attrs.dims.length >= 3 && !node.attrs.dims.includes(1)
}

/** A sum over everything but the last dim. */
function isRowSum(node: Node, rank: number): boolean {
  return node.op === 'reduceSum' && node.attrs.dims.length === rank - 1 && node.attrs.dims.every((dim, d) => dim === d)
}

/** True when `node` is, or needs, the value `id`. */
function dependsOn(nodes: ReadonlyMap<string, Node>, node: Node, id: string): boolean {
  const seen = new Set<string>()
  const waiting = [node.id]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next === id) return true
    if (seen.has(next)) continue
    seen.add(next)
    waiting.push(...(nodes.get(next)?.inputs ?? []))
  }
  return false
}
