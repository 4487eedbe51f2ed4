import { add, embedding, mul, reshape, slice } from '../layers/index.ts'
import { model } from '../model.ts'
import type { Model } from '../model.ts'
import { init } from '../parameter.ts'
import type { Tensor } from '../trace.ts'

/** Options of {@link matrixFactorisation}. */
export interface MatrixFactorisationOptions {
  /** Default 671, as in `data.load('movielens')`. */
  readonly users?: number
  /** Default 9,066. */
  readonly items?: number
  /** Default 20. */
  readonly factors?: number
  /** Added to every prediction, a given number: the mean rating (default 3.5). */
  readonly mean?: number
  /** Standard deviation of the first factors (default 0.1). */
  readonly std?: number
}

/** Input of {@link matrixFactorisation}: `pair`, int32 `[batch, 2]`, user and item. */
export type PairInputs = { readonly pair: { readonly shape: readonly [2]; readonly dtype: 'int32' } }

/**
 * Biased matrix factorisation: mean + b_u + b_i + p_u·q_i, `[batch]`; 204,477 parameters by default. Biases start at 0, factors normal.
 * @see Koren, Bell, Volinsky, Matrix factorization techniques for recommender systems, IEEE Computer 42(8), 2009, equation 4
 */
export function matrixFactorisation(options: MatrixFactorisationOptions = {}): Model<PairInputs> {
  const { users = 671, items = 9066, factors = 20, mean = 3.5, std = 0.1 } = options
  return model('matrix-factorisation', { pair: { shape: [2], dtype: 'int32' } }, ({ pair }) => {
    const { builder } = pair
    const side = (column: number, rows: number, name: string): { readonly bias: Tensor; readonly row: Tensor } => {
      const ids = reshape(slice(pair, 1, column, column + 1), [])
      return {
        bias: reshape(embedding(ids, rows, 1, { name: `${name}.bias`, init: init.zeros() }), []),
        row: embedding(ids, rows, factors, { name, init: init.normal(std) }),
      }
    }
    const user = side(0, users, 'users')
    const item = side(1, items, 'items')
    const match = builder.add('reduceSum', [mul(user.row, item.row)], { dims: [1] }, 'match')
    const base = builder.add('constant', [], { values: [mean], shape: [], dtype: 'float32' }, 'mean')
    return add(add(add(user.bias, item.bias), match), base)
  })
}
