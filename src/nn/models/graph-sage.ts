import { add, dense, dropout, relu, rows } from '../layers/index.ts'
import { neighbours } from '../layers/neighbours.ts'
import { model } from '../model.ts'
import type { Model } from '../model.ts'
import { init } from '../parameter.ts'
import type { Tensor } from '../trace.ts'
import type { GraphInputs, GraphOptions } from './gcn.ts'

/** Options of {@link graphSage}. */
export interface GraphSageOptions extends GraphOptions {
  /** Units of the hidden layers (default [64]). */
  readonly hidden?: readonly number[]
  /** Of what every layer reads (default 0.5). */
  readonly dropout?: number
}

/**
 * GraphSAGE with the mean aggregator: every layer is relu(W·[h ; mean of the neighbours' h] + b), the last one without relu; a sample is the
 * whole graph. Scores of every node, `[batch*nodes, classes]`.
 * Deviations from the paper: all neighbours instead of a sample of them, no scaling of the hidden values to length 1. The two halves of W
 * (`<layer>.self`, `<layer>.mean`) are multiplied apart, so that the mean is taken over the units of the layer instead of its inputs.
 * @see Hamilton, Ying, Leskovec, Inductive representation learning on large graphs, NeurIPS 2017, algorithm 1
 */
export function graphSage(options: GraphSageOptions): Model<GraphInputs> {
  const { edges, nodes, features, classes, hidden = [64], dropout: rate = 0.5 } = options
  const glorot = { init: init.glorotUniform() }
  return model('graph-sage', { nodes: [nodes, features] }, ({ nodes: x }) => {
    const layer = (input: Tensor, units: number, name: string): Tensor => {
      const read = rate === 0 ? input : dropout(input, rate, { name: `${name}.dropout` })
      const own = dense(read, units, { name: `${name}.self`, ...glorot })
      const others = dense(read, units, { name: `${name}.mean`, bias: false, ...glorot })
      return add(own, neighbours(others, edges, { name: `${name}.neighbours`, weights: 'mean' }), { name })
    }
    const last = hidden.reduce((h, units, i) => relu(layer(h, units, `s${i + 1}`)), x)
    return rows(layer(last, classes, 'out'))
  })
}
