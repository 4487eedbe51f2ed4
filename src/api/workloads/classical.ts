/**
 * Classical learners.
 * @packageDocumentation
 */
import type { StatisticWorkload } from './workload.ts'

export const classicalWorkloads: readonly StatisticWorkload[] = [
  {
    kind: 'statistic',
    id: 'kmeans/mnist',
    title: 'k-means, 10 clusters of handwritten digits',
    data: 'mnist',
    dataOptions: { testRows: 0 },
    defaultSystems: ['km-lloyd', 'km-lloyd'],
    maxSteps: 20,
    systemOptions: { k: 10, tol: 0, untilMaxSteps: true },
    source: 'Lloyd 1982',
  },
  {
    kind: 'statistic',
    id: 'kmeans/blobs',
    title: 'k-means, 50 clusters of generated blobs in 20 dimensions',
    data: 'blobs',
    dataOptions: { rows: 200_000, testRows: 0, dims: 20, classes: 50 },
    defaultSystems: ['km-lloyd', 'km-lloyd'],
    maxSteps: 20,
    systemOptions: { k: 50, tol: 0, untilMaxSteps: true },
    source: 'Lloyd 1982',
  },
  {
    kind: 'statistic',
    id: 'ols/linear',
    title: 'least squares, a million generated rows × 50',
    data: 'linear',
    dataOptions: { rows: 1_000_000, testRows: 0, dims: 50 },
    defaultSystems: ['lin-ols', 'lin-ols'],
    maxSteps: 1,
    systemOptions: {},
    source: 'Gauss 1823',
  },
  {
    kind: 'statistic',
    id: 'ols/linear-small',
    title: 'least squares, 10,000 generated rows × 50',
    data: 'linear',
    dataOptions: { rows: 10_000, testRows: 0, dims: 50 },
    defaultSystems: ['lin-ols', 'lin-ols'],
    maxSteps: 1,
    systemOptions: {},
    source: 'Gauss 1823',
  },
]
