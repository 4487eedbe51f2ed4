import { formatShape, parameterPrefix, valueTypes } from '../graph/graph.ts'
import type { Graph, Node, Shape, TensorType } from '../graph/graph.ts'
import { ruleOf } from '../graph/ops/table.ts'
import type { Model } from './model.ts'
import { parameterLength } from './parameter.ts'

/** Floating-point operations that a graph spends on one sample in matrix products and convolutions; multiply and add count as two. */
export function flopsPerSample(graph: Graph): number {
  const types = valueTypes(graph)
  return graph.nodes.reduce((sum, node) => sum + nodeFlops(node, types), 0)
}

/** The table behind `Model.summary`. */
export function summarise(model: Model): string {
  const { graph, parameters } = model
  const types = valueTypes(graph)
  const layers = new Map<string, { ops: string[]; shape: Shape; parameters: number; flops: number }>()
  for (const node of graph.nodes) {
    const name = node.layer ?? node.id
    const layer = layers.get(name) ?? { ops: [], shape: node.shape, parameters: 0, flops: 0 }
    const own = parameters.filter((spec) => node.inputs.includes(parameterPrefix + spec.name))
    layers.set(name, {
      ops: [...layer.ops, node.op === 'matmul' ? 'dense' : node.op],
      shape: node.shape,
      parameters: layer.parameters + own.reduce((sum, spec) => sum + parameterLength(spec), 0),
      flops: layer.flops + nodeFlops(node, types),
    })
  }
  const rows = [...layers].map(([name, layer]) => [
    name,
    layer.ops.join(', '),
    formatShape(layer.shape),
    grouped(layer.parameters),
    grouped(layer.flops),
  ])
  const inputs = Object.keys(model.inputs).map((name) => [name, 'input', formatShape((types.get(name) as TensorType).shape), '0', '0'])
  const total = ['total', '', '', grouped(model.numParameters), grouped(model.flopsPerSample)]
  const body = table([['layer', 'operator', 'output shape', 'parameters', 'FLOPs/sample'], ...inputs, ...rows, total])
  return `${model.name}\n${body}`
}

function nodeFlops(node: Node, types: ReadonlyMap<string, TensorType>): number {
  const rule = ruleOf(node.op)
  const inputs = node.inputs.map((id) => types.get(id) as TensorType)
  return rule.flopsPerSample?.(inputs, node, node.attrs) ?? 0
}

function grouped(value: number): string {
  return value.toLocaleString('en-US')
}

/** Aligned columns with a rule under the head and over the last row; the last two columns are numbers. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, c) => Math.max(...rows.map((row) => (row[c] ?? '').length)))
  const lines = rows.map((row) => row.map((cell, c) => (c >= 3 ? cell.padStart(widths[c] ?? 0) : cell.padEnd(widths[c] ?? 0))).join('  '))
  const rule = widths.map((width) => '─'.repeat(width)).join('──')
  return [lines[0], rule, ...lines.slice(1, -1), rule, lines.at(-1)].join('\n')
}
