/**
 * Networks for tables, graphs, clicks and ratings.
 * @packageDocumentation
 */
import type { Dataset } from '../../data/dataset.ts'
import { ctrNetwork } from '../../nn/models/ctr-network.ts'
import { gcn } from '../../nn/models/gcn.ts'
import { graphSage } from '../../nn/models/graph-sage.ts'
import { matrixFactorisation } from '../../nn/models/matrix-factorisation.ts'
import { mlp } from '../../nn/models/mlp.ts'
import { optim } from '../../nn/optim.ts'
import { schedule } from '../../nn/schedule.ts'
import { classesOf, type DeepWorkload, defaultSystems } from './workload.ts'

const waveformSgd = optim.sgd({ learningRate: 0.05, momentum: 0.9 })
const graphAdam = optim.adam({ learningRate: 0.01, weightDecay: 5e-4 })
const clickAdagrad = optim.adagrad({ learningRate: 0.1, initialAccumulator: 0.1 })
const ratingSgd = optim.sgd({ learningRate: 1.28, weightDecay: 3e-4 })

const edgesOf = ({ edges }: Dataset): Int32Array => edges?.values ?? new Int32Array(0)

export const tableWorkloads: readonly DeepWorkload[] = [
  {
    kind: 'deep',
    id: 'mlp/waveform',
    title: 'a 21-64-3 perceptron on generated waveforms',
    data: 'waveform-21',
    dataOptions: { rows: 6000, testRows: 4000 },
    defaultSystems,
    model: () => mlp([21, 64, 3]),
    recipe: { optimizer: waveformSgd, schedule: schedule.cosine(), globalBatchSize: 64 },
    epochs: 10,
    source: 'Breiman et al. 1984',
  },
  {
    kind: 'deep',
    id: 'gcn/cora',
    title: 'a graph convolutional network on papers that cite each other',
    data: 'cora',
    dataOptions: {},
    defaultSystems: ['solo', 'solo'],
    model: (data) => gcn({ edges: edgesOf(data), nodes: 2708, features: 1433, classes: classesOf(data) }),
    recipe: { optimizer: graphAdam, schedule: schedule.constant(), globalBatchSize: 1 },
    epochs: 200,
    source: 'Kipf, Welling 2017',
  },
  {
    kind: 'deep',
    id: 'graphsage/cora',
    title: 'GraphSAGE with the mean of neighbours on papers that cite each other',
    data: 'cora',
    dataOptions: {},
    defaultSystems: ['solo', 'solo'],
    model: (data) => graphSage({ edges: edgesOf(data), nodes: 2708, features: 1433, classes: classesOf(data) }),
    recipe: { optimizer: graphAdam, schedule: schedule.constant(), globalBatchSize: 1 },
    epochs: 200,
    source: 'Hamilton, Ying, Leskovec 2017',
  },
  {
    kind: 'deep',
    id: 'ctr-dnn/ctr',
    title: 'a click network on twenty embedded fields, generated clicks',
    data: 'ctr',
    dataOptions: {},
    defaultSystems,
    model: () => ctrNetwork(),
    recipe: { optimizer: clickAdagrad, schedule: schedule.constant(), globalBatchSize: 256, loss: 'binary-cross-entropy' },
    epochs: 2,
    source: 'Cheng et al. 2016',
  },
  {
    kind: 'deep',
    id: 'mf-sgd/movielens',
    title: 'biased matrix factorisation of film ratings, as a network',
    data: 'movielens',
    dataOptions: {},
    defaultSystems,
    model: () => matrixFactorisation(),
    recipe: { optimizer: ratingSgd, schedule: schedule.constant(), globalBatchSize: 256, loss: 'mean-squared-error' },
    epochs: 20,
    source: 'Koren, Bell, Volinsky 2009',
  },
]
