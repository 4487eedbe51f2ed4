/**
 * How values are stored while a graph runs on ONNX Runtime. A layout changes the order of the elements in memory, never the values; the
 * reference interpreter and exported files know nothing of it.
 *
 * **Tiles of side t**, for images `[batch, c, h, w]`: a matrix `[batch · h/t · w/t, t·t·c]`, one row per tile of t × t pixels, channels
 * last. Convolutions with few channels are slow as they stand: each product is too thin to fill the vector units, and copying every
 * window costs more than the arithmetic. A convolution that computes a whole tile of results at once is a wide product over few, large
 * windows, and reads (t + k − 1)² pixels instead of t²·k².
 *
 * **Transposed**, for hidden activations `[batch, units]`: stored as `[units, batch]`. The value of a dense layer is then W·xᵀ, which packs
 * the narrow xᵀ instead of the wide W, and its weight gradient needs no transposed copy of dY.
 *
 * Element-wise operators and their gradients take values as they are stored, pools become a constant product, so a layout lasts from layer
 * to layer. This file chooses before a graph is lowered; the choice depends on shapes alone, not on the batch size.
 * @packageDocumentation
 */
import type { Graph, Node, TensorType } from './graph.ts'
import { valueTypes } from './graph.ts'
import { ruleOf } from './ops/table.ts'

/** Side of the tiles, or a transposed matrix. */
export type Layout = number | 'transposed'

/** Layouts by the name of the value. Values that are not named are stored as they are. */
export type Layouts = Readonly<Record<string, Layout>>

/**
 * Chooses the layouts of a graph. Forwards, every operator says how its value comes out of its inputs; backwards, how its inputs are read
 * best; gradients of a value then follow the value.
 */
export function planLayouts(graph: Graph): Layouts {
  const types = valueTypes(graph)
  const plain = readAsTheyAre(graph)
  const layouts = new Map<string, Layout>()
  const wanted = new Map<string, Layout>()
  const visit = (node: Node): void => {
    const rule = ruleOf(node.op)
    const context = {
      type: node,
      attrs: node.attrs,
      inputTypes: node.inputs.map((id) => types.get(id) as TensorType),
      inputLayouts: node.inputs.map((id) => layouts.get(id)),
      wanted: wanted.get(node.id),
    }
    const chosen = layouts.get(node.id) ?? rule.layout?.(context)
    const layout = chosen === 'transposed' && plain.has(node.id) ? undefined : chosen
    if (layout !== undefined) layouts.set(node.id, layout)
    const wishes = rule.wants?.({ ...context, layout }) ?? []
    node.inputs.forEach((id, i) => {
      const wish = wishes[i]
      if (wish !== undefined && !wanted.has(id)) wanted.set(id, wish)
    })
  }
  // The second sweep sees what later nodes want of earlier ones: the gradient of a layer before that of the activation below it.
  for (let sweep = 0; sweep < 2; sweep++) for (const node of graph.nodes) visit(node)
  return Object.fromEntries(layouts)
}

/** Values with a reader that knows nothing of layouts: a matrix that it would have to turn back is better not turned. */
function readAsTheyAre(graph: Graph): ReadonlySet<string> {
  const found = new Set<string>()
  for (const node of graph.nodes) {
    const { layout, wants } = ruleOf(node.op)
    // A sum over the rows reads either form.
    if (layout === undefined && wants === undefined && node.op !== 'reduceSum') for (const id of node.inputs) found.add(id)
  }
  return found
}

/** Shape in memory of a value with a layout. Concrete shapes only. */
export function storedShape(shape: readonly number[], layout: Layout | undefined): readonly number[] {
  if (layout === undefined) return shape
  if (layout === 'transposed') return shape.toReversed()
  const [batch, channels, height, width] = shape as [number, number, number, number]
  return [(batch * height * width) / layout ** 2, layout ** 2 * channels]
}
