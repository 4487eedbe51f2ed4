import { elementCount, isBatchDim } from '../graph.ts'
import type { Graph, Node } from '../graph.ts'
import { ruleOf } from '../ops/table.ts'

/** Largest constant that is computed beforehand, in elements: more would travel with every copy of the graph. */
const largestConstant = 4096

/**
 * The same values from fewer nodes: constants are folded, nodes that compute the same are merged, and what no output needs is left out.
 * Merged nodes keep the layer of the first.
 */
export function simplify(graph: Graph): Graph {
  const same = new Map<string, string>()
  const replaced = new Map<string, string>()
  const own = (id: string): string => replaced.get(id) ?? id
  const constants = new Map<string, Node>()
  const nodes: Node[] = []
  for (const original of graph.nodes) {
    const node = folded({ ...original, inputs: original.inputs.map(own) } as Node, constants)
    const key = JSON.stringify([node.op, node.inputs, node.attrs, node.shape])
    const first = same.get(key)
    if (first !== undefined) {
      replaced.set(node.id, first)
      continue
    }
    same.set(key, node.id)
    if (node.op === 'fill' || node.op === 'constant') constants.set(node.id, node)
    nodes.push(node)
  }
  const outputs = graph.outputs.map((output) => ({ ...output, value: own(output.value) }))
  const needed = new Set(outputs.map(({ value }) => value))
  const live = nodes.toReversed().filter((node) => {
    if (!needed.has(node.id)) return false
    for (const id of node.inputs) needed.add(id)
    return true
  })
  return { ...graph, nodes: live.reverse(), outputs }
}

/** A node whose inputs are all constants, as a constant. */
function folded(node: Node, constants: ReadonlyMap<string, Node>): Node {
  if (node.op === 'fill' || node.op === 'constant' || node.inputs.length === 0 || node.dtype !== 'float32') return node
  const inputs = node.inputs.map((id) => constants.get(id))
  if (inputs.some((input) => input === undefined) || node.shape.some(isBatchDim)) return node
  const shape = node.shape.map(Number)
  if (elementCount(shape) > largestConstant) return node
  const tensor = (each: Node): { shape: number[]; data: Float64Array } => {
    const own = each.shape.map(Number)
    return { shape: own, data: ruleOf(each.op).evaluate({ inputs: [], shape: own, attrs: each.attrs }) }
  }
  const data = ruleOf(node.op).evaluate({ inputs: (inputs as Node[]).map(tensor), shape, attrs: node.attrs })
  const { id, layer } = node
  const base = { id, inputs: [], shape, dtype: node.dtype, ...(layer === undefined ? {} : { layer }) }
  const [value] = data
  if (value !== undefined && data.every((each) => each === value)) return { ...base, op: 'fill', attrs: { value, shape } }
  return { ...base, op: 'constant', attrs: { values: [...data].map(Math.fround), shape, dtype: 'float32' } } as Node
}
