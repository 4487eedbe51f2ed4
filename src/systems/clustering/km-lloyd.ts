import type { StatisticLearner } from '../../train/statistic.ts'
import { allReduceOption, chooseAllReduce } from '../data-parallel/all-reduce-option.ts'
import { defineStatisticSystem, option } from '../define.ts'
import { statisticProgram } from '../statistic-program.ts'
import { lloydLearner, seedingSteps } from './lloyd-learner.ts'

/**
 * Data-parallel Lloyd with k-means++ seeding.
 *
 *   assign   c(x) = argmin_c |x − m_c|²                  each rank its rows; ties to the lowest index
 *   merge    (Σ_c x, count_c, inertia)                   one all-reduce of k(d+1)+2 numbers
 *   move     m_c = Σ_c x / count_c                       every rank alike; an empty cluster takes the farthest row
 */
export const kmLloyd = defineStatisticSystem({
  id: 'km-lloyd',
  title: 'Data-parallel Lloyd’s k-means',
  family: 'clustering',
  summary: 'Ranks assign their rows to the nearest centre; one all-reduce of sums and counts moves the centres.',
  reference: {
    authors: 'Lloyd; Arthur, Vassilvitskii',
    title: 'Least squares quantization in PCM; k-means++: The Advantages of Careful Seeding',
    venue: 'IEEE Transactions on Information Theory; SODA',
    year: 1982,
  },
  fabrics: ['virtual', 'threads', 'mpi', 'hybrid'],
  rung: '1e-9',
  maxStaleness: '0',
  evaluates: 'the centres',
  bytesPerStep: '(k(d+1)+2)·8·2(p−1)/p',
  faultOutcome: 2,
  workloads: ['kmeans/mnist', 'kmeans/blobs'],
  claims: [
    {
      text: 'the same start gives the same assignments, and centres equal to 1e-9, for any number of ranks',
      source: 'derived: sums are exact to float64',
    },
  ],
  deviations: ['k-means++ draws one candidate per centre (scikit-learn tries 2 + ln k and keeps the best).'],
  tuning: 'More ranks pay while rows/rank × k × d is large against k(d+1) numbers summed; stop early with tol.',
  options: {
    k: option.integer({ default: 8, min: 1, doc: 'clusters' }),
    tol: option.number({ default: 1e-4, min: 0, doc: 'stop when the centres move less than tol × mean variance of the columns (squared)' }),
    untilMaxSteps: option.boolean({ default: false, doc: 'go on to the last iteration even when no row changes its cluster' }),
    init: option.choice(['k-means++', 'given'], { default: 'k-means++', doc: 'where the centres start' }),
    allReduce: allReduceOption,
  },
  build: ({ maxSteps, reproducible }, { k, tol, init, allReduce }) =>
    statisticProgram(chooseAllReduce(allReduce, reproducible), {
      maxSteps,
      setupSteps: seedingSteps(k, tol, init === 'given'),
      lastLook: true,
    }),
  learner: lloydLearner as StatisticLearner,
})
