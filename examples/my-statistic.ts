/**
 * A classical system of your own in one file: least squares by gradient descent. Each step sums a short gradient over the ranks, where the
 * package's lin-ols sums one long Gram matrix, once.
 *
 *   localStat   g_j = Σ_{x, y of this rank} (x·w − y)·x,   s_j = Σ (x·w − y)²
 *   merge       g = Σ_j g_j,  s = Σ_j s_j                   one all-reduce of d + 1 numbers
 *   nextState   w ← w − (η/n)·g                             every rank alike
 *
 * Run it with `tutti run --system ./examples/my-statistic.ts --workload ols/linear-small --steps 20 --workers 2`. Workers load this file: it only
 * defines the system, and the script that fits or compares it is another.
 */
import { defineStatisticSystem, option } from 'tutti/systems'

export default defineStatisticSystem({
  id: 'gd-ols',
  title: 'Least squares by gradient descent',
  workloads: ['ols/linear-small'],
  module: import.meta.url, // where workers find the learner
  options: { rate: option.number({ default: 0.9, min: 0, doc: 'η, step size' }) },
  learner: {
    metric: { name: 'rmse', better: 'lower' },
    statisticLength: ({ width: d }) => d + 1,
    open({ data, range, rows: n, width: d, statistic, options: { rate } }) {
      const w = new Float64Array(d)
      let score = Number.NaN
      return {
        localStat() {
          statistic.fill(0)
          for (let row = range.start; row < range.end; row++) {
            const x = data.features.subarray(row * d, (row + 1) * d)
            const residual = w.reduce((sum, wj, j) => sum + wj * x[j]!, -data.targets[row]!)
            for (let j = 0; j < d; j++) statistic[j]! += residual * x[j]!
            statistic[d]! += residual ** 2
          }
        },
        nextState() {
          for (let j = 0; j < d; j++) w[j]! -= (rate / n) * statistic[j]!
          score = Math.sqrt(statistic[d]! / n)
          return false // true would end the fit before --steps
        },
        get score() {
          return score
        },
        state: { coef: { shape: [d], values: w } },
        restore: ({ coef }) => w.set(coef!.values as Float64Array),
      }
    },
  },
})
