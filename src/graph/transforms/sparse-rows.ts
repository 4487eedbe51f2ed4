import { bindShape, elementCount, gradientPrefix, rowGradientPrefix, rowsPrefix, sameShape } from '../graph.ts'
import type { Graph, GraphOutput, Node, NodeOf } from '../graph.ts'
import { prune } from '../prune.ts'

/** The gradient of a table as one use of it gives it, in two outputs. */
export interface RowUse {
  /** Name of the table. */
  readonly parameter: string
  /** Output with the int32 numbers of the rows that are used, any of them any number of times. */
  readonly rows: string
  /** Output with a gradient for each of them, float32 `[…, width]`. */
  readonly gradient: string
}

/** A graph that leaves sums into tables to whoever runs it. */
export interface SparseRows {
  readonly graph: Graph
  /** By table, in the order in which the whole graph adds them. */
  readonly uses: readonly RowUse[]
}

/**
 * Hands out the gradient of an embedding table as rows: in place of `gradient:<table>` there are, for each use k of the table,
 * `rows:<k>:<table>` and `row-gradient:<k>:<table>`. Added up in order, into zeros, they are that gradient: bit for bit where the table is used
 * once, otherwise to the order of the sums. So no step makes or copies a tensor of the table's size.
 *
 * Stays dense: a table whose gradient has other parts (tied weights, sums of micro-batches that the graph itself makes), and one with no more rows
 * than a batch uses. It takes any training graph or piece of one, so apply it after the transforms that cut it.
 *
 * @param batchSize - Rows of the batch that the graph will be compiled for
 */
export function sparseRows(graph: Graph, batchSize: number): SparseRows {
  const byId = new Map(graph.nodes.map((node) => [node.id, node]))
  const uses: RowUse[] = []
  const outputs = graph.outputs.flatMap((output): GraphOutput[] => {
    const parts = output.name.startsWith(gradientPrefix) ? tableUses(byId, output.value, output) : undefined
    const count = (part: NodeOf<'embeddingGradient'>): number => elementCount(bindShape(upstreamOf(part).shape, batchSize))
    if (parts === undefined || parts.reduce((sum, part) => sum + count(part), 0) >= elementCount(output.shape.map(Number))) return [output]
    const parameter = output.name.slice(gradientPrefix.length)
    return parts.flatMap((part, k) => {
      const use = { parameter, rows: `${rowsPrefix}${k}:${parameter}`, gradient: `${rowGradientPrefix}${k}:${parameter}` }
      uses.push(use)
      const { shape } = upstreamOf(part)
      const [rows, gradient] = part.inputs as [string, string]
      return [
        { name: use.rows, value: rows, shape: shape.slice(0, -1), dtype: 'int32' },
        { name: use.gradient, value: gradient, shape, dtype: 'float32' },
      ]
    })
  })
  return { graph: uses.length === 0 ? graph : prune({ ...graph, outputs }), uses }

  function upstreamOf(part: Node): Pick<Node, 'shape'> {
    const id = part.inputs[1] as string
    return byId.get(id) ?? (graph.inputs.find(({ name }) => name === id) as Graph['inputs'][0])
  }
}

/** The embedding gradients that a value is the sum of, in the order in which they are added; undefined when something else is in it. */
function tableUses(
  byId: ReadonlyMap<string, Node>,
  id: string,
  table: Pick<GraphOutput, 'shape'>,
): NodeOf<'embeddingGradient'>[] | undefined {
  const node = byId.get(id)
  if (node === undefined || !sameShape(node.shape, table.shape)) return undefined
  if (node.op === 'embeddingGradient') return [node]
  if (node.op !== 'add') return undefined
  const [first, second] = node.inputs.map((input) => tableUses(byId, input, table))
  return first && second && [...first, ...second]
}
