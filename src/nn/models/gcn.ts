import { dense, dropout, parameter, relu, rows } from '../layers/index.ts'
import { type Edges, neighbours } from '../layers/neighbours.ts'
import { model } from '../model.ts'
import type { Model } from '../model.ts'
import { init } from '../parameter.ts'
import type { Tensor } from '../trace.ts'

/** The graph that a network is made for. */
export interface GraphOptions {
  /** Pairs of nodes that are joined, each once. */
  readonly edges: Edges
  readonly nodes: number
  /** Values of a node. */
  readonly features: number
  readonly classes: number
}

/** Options of {@link gcn}. */
export interface GcnOptions extends GraphOptions {
  /** Default 16. */
  readonly hidden?: number
  /** Of the features and of the hidden values (default 0.5). */
  readonly dropout?: number
}

/** Input of a model of one graph: `nodes`, `[batch, nodes, features]`. */
export type GraphInputs = { readonly nodes: readonly number[] }

/**
 * Graph convolutional network of two layers without biases, Â·relu(Â·X·W₁)·W₂ with Â = D̃^(−½)·(A + 1)·D̃^(−½); a sample is the whole graph.
 * Scores of every node, `[batch*nodes, classes]`; 23,040 parameters on Cora. Weight decay applies to the first layer alone, as in the paper.
 * @see Kipf, Welling, Semi-supervised classification with graph convolutional networks, ICLR 2017
 */
export function gcn({ edges, nodes, features, classes, hidden = 16, dropout: rate = 0.5 }: GcnOptions): Model<GraphInputs> {
  const glorot = { init: init.glorotUniform() }
  return model('gcn', { nodes: [nodes, features] }, ({ nodes: x }) => {
    const masked = (value: Tensor, name: string): Tensor => (rate === 0 ? value : dropout(value, rate, { name }))
    let h = dense(masked(x, 'features.dropout'), hidden, { name: 'c1', bias: false, ...glorot })
    h = relu(neighbours(h, edges, { name: 'n1' }))
    const weight = parameter(h, 'c2.weight', [classes, hidden], { ...glorot, decay: false })
    h = dense(masked(h, 'hidden.dropout'), classes, { name: 'c2', bias: false, weight })
    return rows(neighbours(h, edges, { name: 'n2' }))
  })
}
