import { packTriangle, solveNormalEquations } from './normal-equations.ts'
import type { Learner, StatisticLearner } from '../../train/statistic.ts'
import { ConfigError } from '../../errors.ts'
import { gramScratchBytes } from '../../kernels/scratch.ts'
import { option, defineStatisticSystem } from '../define.ts'
import { allReduceOption, chooseAllReduce } from '../data-parallel/all-reduce-option.ts'
import { statisticProgram } from '../statistic-program.ts'

interface Memory {
  /** Σ [x, y][x, y]ᵀ, `[(d+1), (d+1)]`, upper triangle. */
  readonly gram: Float64Array<ArrayBuffer>
  /** Σ [x, y]. */
  readonly sums: Float64Array<ArrayBuffer>
  readonly scratch: Uint8Array<ArrayBuffer>
}

/** XᵀX and Xᵀy are sums over rows. Statistic: packed upper triangle of the (d+1)² Gram matrix, the d+1 sums, the count. */
const learner: StatisticLearner<Memory> = {
  metric: { name: 'rmse', better: 'lower' },
  statisticLength: ({ width: d }) => ((d + 1) * (d + 2)) / 2 + d + 1 + 1,
  layOut: ({ width: d }, allocate) => ({
    gram: allocate('float64', (d + 1) * (d + 1), 'gram'),
    sums: allocate('float64', d + 1, 'sums'),
    scratch: allocate('uint8', gramScratchBytes(d), 'kernel scratch'),
  }),
  open({ data, range, kernels, memory, statistic, options, width: d }): Learner {
    const { features: rows } = data
    if (rows instanceof Uint8Array || rows instanceof Int32Array || data.targets instanceof Int32Array) {
      throw new ConfigError(
        'lin-ols: expected float32 features and a float32 target — got classes, ids or bytes (use a regression data set)',
      )
    }
    const { targets } = data
    const features = rows
    const lambda = options.alpha as number
    const fitIntercept = options.fitIntercept as boolean
    const coefficients = new Float64Array(d)
    const intercept = new Float64Array(1)
    let score = Number.NaN
    return {
      localStat() {
        memory.gram.fill(0)
        memory.sums.fill(0)
        kernels.gram(features, targets, range.start, range.end, d, memory.gram, memory.sums, memory.scratch)
        const packed = packTriangle(memory.gram, d + 1, statistic)
        statistic.set(memory.sums, packed)
        statistic[packed + d + 1] = range.end - range.start
      },
      nextState() {
        const solution = solveNormalEquations(statistic, d, { lambda, fitIntercept })
        coefficients.set(solution.coefficients)
        intercept[0] = solution.intercept
        score = solution.rmse
        return true
      },
      get score() {
        return score
      },
      state: {
        coef: { shape: [d], values: coefficients },
        intercept: { shape: [1], values: intercept },
      },
      restore(state) {
        coefficients.set(state.coef?.values as Float64Array)
        intercept.set(state.intercept?.values as Float64Array)
      },
    }
  },
}

/**
 * Distributed least squares by normal equations: one all-reduce of the Gram matrix, then every rank solves the same small system.
 *
 *   A = Σ_j X_jᵀX_j,  b = Σ_j X_jᵀy_j   (all-reduce);   (A + λI)·w = b by Cholesky, the intercept through the sums
 */
export const linOls = defineStatisticSystem({
  id: 'lin-ols',
  title: 'Least squares by one all-reduce',
  family: 'linear',
  summary: 'Every rank adds up the Gram matrix of its rows; one all-reduce and a Cholesky solve give the exact solution.',
  reference: { authors: 'Gauss', title: 'Theoria combinationis observationum', venue: 'normal equations', year: 1823 },
  fabrics: ['virtual', 'threads', 'mpi', 'hybrid'],
  rung: '1e-9',
  maxStaleness: '0',
  evaluates: 'the solution',
  bytesPerStep: '(d(d+1)/2 + d + 2)·8·2(p−1)/p, once',
  faultOutcome: 2,
  workloads: ['ols/linear', 'ols/linear-small'],
  claims: [
    {
      text: 'the coefficients agree with the generating ones to a relative error of 1e-5 per million rows’ noise',
      source: 'derived: exact sums',
    },
  ],
  deviations: ['The condition of XᵀX is the square of that of X: ill-conditioned data needs a QR form, which this system is not.'],
  tuning: 'Nothing to tune: one exchange. Use alpha > 0 (ridge) when a column is nearly a combination of others.',
  options: {
    alpha: option.number({ default: 0, min: 0, doc: 'λ of ridge regression (0: least squares); the intercept is not regularised' }),
    fitIntercept: option.boolean({ default: true, doc: 'whether to fit an intercept' }),
    allReduce: allReduceOption,
  },
  build: ({ reproducible }, { allReduce }) => statisticProgram(chooseAllReduce(allReduce, reproducible), { maxSteps: 1 }),
  learner: learner as StatisticLearner,
})
