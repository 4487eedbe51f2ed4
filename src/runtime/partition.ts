/**
 * Splits a lowered graph between ONNX Runtime and oneDNN: large matrix products are called directly, everything between them becomes
 * ONNX sessions.
 *
 *   lowered    x ─ gemm ─ +bias ─ relu ─ gemm ─ … ─ loss ─ … ─ gemm ─ gradient
 *   steps      [product] [session: +bias, relu] [product] [session: … loss …] [product]
 *
 * A session costs some 20 µs a run, so there shall be few: whenever products are ready they run, then all nodes that are ready form one
 * session, and so on. The order depends on the graph alone.
 * @packageDocumentation
 */
import type { ProductShape } from '../graph/ops/rule.ts'
import type { OnnxBuilder, OnnxNode } from './onnx.ts'

/** One session, or one product. Names are those of ONNX values. */
export type Step =
  | { readonly kind: 'session'; readonly nodes: readonly OnnxNode[]; readonly inputs: readonly string[]; readonly outputs: readonly string[] }
  | { readonly kind: 'product'; readonly shape: ProductShape; readonly a: string; readonly b: string; readonly c: string }

/** The steps of a lowered graph, in the order in which they run. */
export function partition(onnx: OnnxBuilder): Step[] {
  const stored = new Set(onnx.initializerNames)
  const ready = new Set([...onnx.inputNames, ...stored])
  const isReady = (node: OnnxNode): boolean => node.inputs.every((name) => ready.has(name))
  const groups: OnnxNode[][] = []
  let remaining = withDirectOutputs(onnx)
  while (remaining.length > 0) {
    const products = remaining.filter((node) => node.product !== undefined && isReady(node))
    const taken = new Set(products)
    if (products.length === 0) {
      for (const node of remaining) {
        if (node.product !== undefined || !isReady(node)) continue
        taken.add(node)
        for (const name of node.outputs) ready.add(name)
      }
      groups.push([...taken])
    }
    for (const node of products) {
      groups.push([node])
      for (const name of node.outputs) ready.add(name)
    }
    remaining = remaining.filter((node) => !taken.has(node))
  }
  const outputs = new Set(onnx.outputNames)
  return groups.map((nodes) => {
    const [first] = nodes
    if (first?.product !== undefined) {
      const [a, b] = first.inputs as [string, string]
      return { kind: 'product', shape: first.product, a, b, c: first.outputs[0] as string }
    }
    const own = new Set(nodes.flatMap((node) => node.outputs))
    const elsewhere = new Set(groups.flatMap((other) => (other === nodes ? [] : other.flatMap((node) => node.inputs))))
    return {
      kind: 'session',
      nodes,
      inputs: [...new Set(nodes.flatMap((node) => node.inputs))].filter((name) => !own.has(name) && !stored.has(name)),
      outputs: [...own].filter((name) => elsewhere.has(name) || outputs.has(name)),
    }
  })
}

/** The nodes, with products whose value is an output writing it themselves instead of a node that copies it. */
function withDirectOutputs(onnx: OnnxBuilder): readonly OnnxNode[] {
  const products = new Set(onnx.nodes.filter((node) => node.product !== undefined).map((node) => node.outputs[0] as string))
  const outputs = new Set(onnx.outputNames)
  const names = new Map<string, string>()
  const copies = new Set<OnnxNode>()
  for (const node of onnx.nodes) {
    const [from, to] = [node.inputs[0] as string, node.outputs[0] as string]
    if (node.opType !== 'Identity' || !outputs.has(to) || !products.has(from) || names.has(from)) continue
    names.set(from, to)
    copies.add(node)
  }
  const renamed = (name: string): string => names.get(name) ?? name
  return onnx.nodes
    .filter((node) => !copies.has(node))
    .map((node) => ({ ...node, inputs: node.inputs.map(renamed), outputs: node.outputs.map(renamed) }))
}
