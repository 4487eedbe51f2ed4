import { add, dense, embedding, flatten, relu, reshape } from '../layers/index.ts'
import { model } from '../model.ts'
import type { Model } from '../model.ts'
import { init } from '../parameter.ts'
import type { Tensor } from '../trace.ts'

/** Options of {@link ctrNetwork}. */
export interface CtrNetworkOptions {
  /** Categorical fields of a sample (default 20). */
  readonly fields?: number
  /** Different ids, over all fields (default 100,000, as `data.load('ctr')` has them). */
  readonly ids?: number
  /** Rows of the tables (default `ids`); fewer: an id has row (id mod rows), and ids share rows. */
  readonly rows?: number
  /** Width of an embedding (default 8). */
  readonly width?: number
  /** Units of the hidden layers (default [128, 64]). */
  readonly hidden?: readonly number[]
}

/** Input of {@link ctrNetwork}: `ids`, int32 `[batch, fields]`. */
export type FieldInputs = { readonly ids: { readonly shape: readonly number[]; readonly dtype: 'int32' } }

/**
 * Click-through network: a perceptron on the embeddings of all fields, plus a weight for each id; the score before the sigmoid, `[batch]`,
 * for binary cross-entropy. 928,929 parameters by default. Embeddings start in N(0, 0.01²), the weights of ids at 0.
 * @see Cheng et al., Wide & deep learning for recommender systems, DLRS 2016; Weinberger et al., Feature hashing for large scale multitask
 * learning, ICML 2009 (`rows`)
 */
export function ctrNetwork(options: CtrNetworkOptions = {}): Model<FieldInputs> {
  const { fields = 20, ids: numIds = 100_000, rows = numIds, width = 8, hidden = [128, 64] } = options
  return model('ctr-network', { ids: { shape: [fields], dtype: 'int32' } }, ({ ids }) => {
    const { builder } = ids
    const hashed = rows < numIds ? builder.add('modulo', [ids], { divisor: rows }, 'hash') : ids
    const deep = hidden.reduce<Tensor>(
      (h, units, i) => relu(dense(h, units, { name: `d${i + 1}` })),
      flatten(embedding(hashed, rows, width, { name: 'fields', init: init.normal(0.01) })),
    )
    const score = reshape(dense(deep, 1, { name: 'out' }), [])
    const weights = embedding(hashed, rows, 1, { name: 'wide', init: init.zeros() })
    return add(score, builder.add('reduceSum', [weights], { dims: [1, 2] }, 'wide.sum'))
  })
}
