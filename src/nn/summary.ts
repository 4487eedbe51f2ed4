import { elementsPerSample, formatShape, parameterPrefix, valueTypes } from '../graph/graph.ts'
import type { Graph, Node, Shape, TensorType } from '../graph/graph.ts'
import { ruleOf } from '../graph/ops/table.ts'
import type { Model } from './model.ts'
import { parameterLength } from './parameter.ts'

/** Floating-point operations that a graph spends on one sample in matrix products and convolutions; multiply and add count as two. */
export function flopsPerSample(graph: Graph): number {
  const types = valueTypes(graph)
  return graph.nodes.reduce((sum, node) => sum + nodeFlops(node, types), 0)
}

/** One layer of a model, or one of its inputs. */
export interface LayerRow {
  readonly name: string
  /** Operators, in order; `input` for an input. */
  readonly ops: readonly string[]
  /** Of the layer's last value. */
  readonly shape: Shape
  /** Elements that it stores: weights, biases, running statistics. A shared parameter counts where it is used first. */
  readonly parameters: number
  /** Floating-point operations of the forward pass for one sample. */
  readonly flops: number
  /** Bytes of the values that it computes for one sample: what training keeps for backward, at most. */
  readonly activationBytes: number
  /** Layers and inputs whose values it reads. */
  readonly reads: readonly string[]
}

/** The layers of a model in the order in which they compute, its inputs first. */
export function layerRows({ graph, parameters }: Pick<Model, 'graph' | 'parameters'>): LayerRow[] {
  const types = valueTypes(graph)
  const lengths = new Map(parameters.map((spec) => [parameterPrefix + spec.name, parameterLength(spec)]))
  const rows = new Map<string, LayerRow>()
  const layerOf = new Map<string, string>()
  for (const { name, shape } of graph.inputs) {
    if (name.startsWith(parameterPrefix)) continue
    layerOf.set(name, name)
    rows.set(name, { name, ops: ['input'], shape, parameters: 0, flops: 0, activationBytes: 0, reads: [] })
  }
  for (const node of graph.nodes) {
    const name = node.layer ?? node.id
    layerOf.set(node.id, name)
    const row = rows.get(name) ?? { name, ops: [], shape: node.shape, parameters: 0, flops: 0, activationBytes: 0, reads: [] }
    const reads = node.inputs.flatMap((id) => layerOf.get(id) ?? []).filter((other) => other !== name)
    let stored = 0
    for (const id of node.inputs) {
      stored += lengths.get(id) ?? 0
      lengths.delete(id)
    }
    rows.set(name, {
      name,
      ops: [...row.ops, node.op === 'matmul' ? 'dense' : node.op],
      shape: node.shape,
      parameters: row.parameters + stored,
      flops: row.flops + nodeFlops(node, types),
      activationBytes: row.activationBytes + (isView(node) ? 0 : 4 * elementsPerSample(node.shape)),
      reads: [...new Set([...row.reads, ...reads])],
    })
  }
  return [...rows.values()]
}

/** A reshape is the same memory with other extents. */
function isView(node: Node): boolean {
  return node.op === 'reshape'
}

/** Stored elements by who changes them. Running statistics of a batch norm count apart, frozen or not. */
export function parameterCounts({ graph, parameters }: Pick<Model, 'graph' | 'parameters'>): {
  readonly trained: number
  readonly frozen: number
  readonly statistics: number
} {
  const running = new Set(graph.nodes.flatMap(({ op, inputs }) => (op === 'batchNorm' ? inputs.slice(3) : [])))
  const counts = { trained: 0, frozen: 0, statistics: 0 }
  for (const spec of parameters) {
    const isStatistic = spec.update === 'statistic' || running.has(parameterPrefix + spec.name)
    counts[isStatistic ? 'statistics' : spec.update === 'nothing' ? 'frozen' : 'trained'] += parameterLength(spec)
  }
  return counts
}

/** The table behind `Model.summary`. */
export function summarise(model: Model): string {
  const rows = layerRows(model)
  const sum = (of: (row: LayerRow) => number): number => rows.reduce((total, row) => total + of(row), 0)
  const cells = rows.map((row) => [
    row.name,
    opsText(row.ops),
    formatShape(row.shape),
    grouped(row.parameters),
    grouped(row.flops),
    grouped(row.activationBytes),
  ])
  const { trained, frozen, statistics } = parameterCounts(model)
  const total = ['total', trained + frozen + statistics, model.flopsPerSample, sum((row) => row.activationBytes)]
  const parts = [['trained', trained], ['frozen', frozen], ...(statistics === 0 ? [] : [['running statistics', statistics]])]
  const totals = [total, ...parts].map(([name, ...numbers]) => [String(name), '', '', ...numbers.map((value) => grouped(Number(value)))])
  const head = ['layer', 'operator', 'output shape', 'parameters', 'FLOPs/sample', 'activation bytes/sample']
  return `${model.name}\n${table(head, cells, totals)}`
}

/** `conv, batchNorm`; a long list is cut: `concat, matmul × 35, …`. */
function opsText(ops: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const op of ops) counts.set(op, (counts.get(op) ?? 0) + 1)
  const words = [...counts].map(([op, count]) => (count === 1 ? op : `${op} × ${count}`))
  return words.length > 4 ? `${words.slice(0, 3).join(', ')}, …` : words.join(', ')
}

function nodeFlops(node: Node, types: ReadonlyMap<string, TensorType>): number {
  const rule = ruleOf(node.op)
  const inputs = node.inputs.map((id) => types.get(id) as TensorType)
  return rule.flopsPerSample?.(inputs, node, node.attrs) ?? 0
}

function grouped(value: number): string {
  return value.toLocaleString('en-US')
}

/** Aligned columns with a rule under the head and over the totals; numbers from the fourth column on. */
function table(head: readonly string[], rows: readonly (readonly string[])[], totals: readonly (readonly string[])[]): string {
  const widths = head.map((_, c) => Math.max(...[head, ...rows, ...totals].map((row) => (row[c] ?? '').length)))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, c) => (c >= 3 ? cell.padStart(widths[c] ?? 0) : cell.padEnd(widths[c] ?? 0)))
      .join('  ')
      .trimEnd()
  const rule = widths.map((width) => '─'.repeat(width)).join('──')
  return [line(head), rule, ...rows.map(line), rule, ...totals.map(line)].join('\n')
}
