import { u, z } from '../../rng.ts'
import { fillUniforms } from './bulk.ts'
import type { Generator } from './generator.ts'

const fields = 20

/**
 * Clicks on 20 categorical fields of C values each, the small ones far more frequent: c_f = ⌊C·u(1, i, f)⁴⌋, feature f is the id
 * f·C + c_f. With a weight θ(q) = z(0, q, 0) of every id, P(y = 1) = σ(−2 + 0.4 Σθ(id_f) + θ((31·c₀ + c₁) mod C)): 20 linear terms and one
 * product of two fields; y = 1 if u(2, i, 0) < P. Targets are 0 and 1 as values. With C = 50,000 the least possible log loss is 0.365.
 */
export const ctr: Generator = {
  id: 'ctr',
  title: 'clicks on 20 categorical fields, as ids of hashed features',
  task: 'click prediction',
  defaults: { dims: fields, classes: 0, noise: 0, values: 5000 },
  limits: { values: { min: 1, max: 5_000_000 } },
  rows: 200_000,
  ids: true,
  prepare({ seed, values }) {
    const weights = new Float64Array(fields * values)
    for (let id = 0; id < weights.length; id++) weights[id] = z(seed, 0, id, 0)
    return (row, into) => {
      fillUniforms(seed, 1, row, fields, into)
      let sum = 0
      for (let field = 0; field < fields; field++) {
        into[field] = Math.floor(values * into[field]! ** 4) + field * values
        sum += weights[into[field]!]!
      }
      const pair = (31 * into[0]! + (into[1]! - values)) % values
      const logit = -2 + 0.4 * sum + weights[pair]!
      return u(seed, 2, row, 0) < 1 / (1 + Math.exp(-logit)) ? 1 : 0
    }
  },
}
