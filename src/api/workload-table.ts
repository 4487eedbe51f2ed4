/**
 * The table of workloads: model × data × recipe, under the suite's ids.
 * @packageDocumentation
 */
import type { Dataset } from '../data/dataset.ts'
import type { LoadArguments } from '../data/load.ts'
import type { DatasetId } from '../data/registry.ts'
import { defaultMetric } from '../nn/metrics.ts'
import type { MetricName } from '../nn/metrics.ts'
import type { Model } from '../nn/model.ts'
import { alexnetNarrow } from '../nn/models/alexnet.ts'
import { cnn3d } from '../nn/models/cnn3d.ts'
import { ctrNetwork } from '../nn/models/ctr-network.ts'
import { gcn } from '../nn/models/gcn.ts'
import { graphSage } from '../nn/models/graph-sage.ts'
import { lenet5 } from '../nn/models/lenet5.ts'
import { lstmLm } from '../nn/models/recurrent-lm.ts'
import { matrixFactorisation } from '../nn/models/matrix-factorisation.ts'
import { mlp } from '../nn/models/mlp.ts'
import { resnetCifar } from '../nn/models/resnet-cifar.ts'
import { seq2seq } from '../nn/models/seq2seq.ts'
import { transformerEncoder, transformerLm } from '../nn/models/transformer.ts'
import { unet } from '../nn/models/unet.ts'
import { vggNarrow } from '../nn/models/vgg.ts'
import { optim } from '../nn/optim.ts'
import { schedule, type ScheduleSpec } from '../nn/schedule.ts'
import type { TrainSpec } from './spec.ts'

interface WorkloadBase {
  readonly id: string
  readonly title: string
  readonly data: DatasetId
  readonly dataOptions: LoadArguments
  /** Id of the system that it is run with when none is named: with one worker, and with more. */
  readonly defaultSystems: readonly [string, string]
  readonly source: string
}

/** A network to train. */
export interface DeepWorkload extends WorkloadBase {
  readonly kind: 'deep'
  /** The model for a data set of its own: vocabularies and edges are the data's. */
  readonly model: (data: Dataset) => Model
  /** How it is trained: options of `train`. */
  readonly recipe: Recipe
  readonly epochs: number
}

/** The part of a training's options that a workload fixes. */
export type Recipe = Pick<TrainSpec, 'optimizer' | 'loss' | 'metric' | 'gradClipNorm' | 'augmentation'> & {
  readonly schedule: ScheduleSpec
  readonly globalBatchSize: number
}

/** A classical learner to fit. */
export interface StatisticWorkload extends WorkloadBase {
  readonly kind: 'statistic'
  readonly maxSteps: number
  readonly systemOptions: Readonly<Record<string, unknown>>
}

export type Workload = DeepWorkload | StatisticWorkload

const defaultSystems = ['solo', 'bsp'] as const

/** SGD with momentum 0.9. */
const sgd = (learningRate: number, weightDecay = 0) => optim.sgd({ learningRate, momentum: 0.9, weightDecay })
const adam = (learningRate: number) => optim.adam({ learningRate })
const cosine = schedule.cosine()
const graphAdam = optim.adam({ learningRate: 0.01, weightDecay: 5e-4 })
const clickAdagrad = optim.adagrad({ learningRate: 0.1, initialAccumulator: 0.1 })
const ratingSgd = optim.sgd({ learningRate: 1.28, weightDecay: 3e-4 })

/** How many ids the features of a data set have. */
const words = ({ vocabulary = [] }: Dataset): number => vocabulary.length
const classes = ({ classes: names = [] }: Dataset): number => names.length
const edgesOf = ({ edges }: Dataset): Int32Array => edges?.values ?? new Int32Array(0)

const deep: readonly DeepWorkload[] = [
  {
    kind: 'deep',
    id: 'lenet-5/mnist',
    title: 'LeNet-5 on handwritten digits',
    data: 'mnist',
    dataOptions: {},
    defaultSystems,
    model: lenet5,
    recipe: { optimizer: sgd(0.05), schedule: cosine, globalBatchSize: 128 },
    epochs: 10,
    source: 'LeCun, Bottou, Bengio, Haffner 1998',
  },
  {
    kind: 'deep',
    id: 'mlp/mnist',
    title: 'a 784-512-256-10 perceptron on handwritten digits',
    data: 'mnist',
    dataOptions: {},
    defaultSystems,
    model: () => mlp([784, 512, 256, 10]),
    recipe: { optimizer: sgd(0.05), schedule: cosine, globalBatchSize: 128 },
    epochs: 10,
    source: 'Dean et al. 2012',
  },
  {
    kind: 'deep',
    id: 'mlp/waveform',
    title: 'a 21-64-3 perceptron on generated waveforms',
    data: 'waveform-21',
    dataOptions: { rows: 6000, testRows: 4000 },
    defaultSystems,
    model: () => mlp([21, 64, 3]),
    recipe: { optimizer: sgd(0.05), schedule: cosine, globalBatchSize: 64 },
    epochs: 10,
    source: 'Breiman et al. 1984',
  },
  {
    kind: 'deep',
    id: 'lstm-lm/ptb',
    title: 'a word language model, two LSTM layers of 200, on a quarter of the Penn Treebank',
    data: 'ptb',
    dataOptions: { tokens: 232_397 },
    defaultSystems,
    model: (data) => lstmLm({ vocabulary: words(data) }),
    recipe: { optimizer: adam(2e-3), schedule: cosine, globalBatchSize: 20, gradClipNorm: 5, loss: 'cross-entropy', metric: 'perplexity' },
    epochs: 4,
    source: 'Zaremba, Sutskever, Vinyals 2014',
  },
  {
    kind: 'deep',
    id: 'seq2seq/multi30k',
    title: 'English to German, two GRU layers each with global attention, on descriptions of pictures',
    data: 'multi30k',
    dataOptions: { rows: 10_000 },
    defaultSystems,
    model: (data) =>
      seq2seq({ sourceVocabulary: words(data), targetVocabulary: classes(data), sourceSteps: 41, targetSteps: 41, width: 128 }),
    recipe: { optimizer: adam(2e-3), schedule: cosine, globalBatchSize: 64, gradClipNorm: 1, loss: 'cross-entropy', metric: 'perplexity' },
    epochs: 6,
    source: 'Luong, Pham, Manning 2015',
  },
  {
    kind: 'deep',
    id: 'transformer-lm/shakespeare',
    title: 'a character language model, four transformer blocks of width 128, on Shakespeare',
    data: 'tinyshakespeare',
    dataOptions: { rows: 32_000 },
    defaultSystems,
    model: (data) => transformerLm({ vocabulary: words(data) }),
    recipe: {
      optimizer: adam(1e-3),
      schedule: schedule.warmup(100, cosine),
      globalBatchSize: 32,
      loss: 'cross-entropy',
      metric: 'loss',
    },
    epochs: 1,
    source: 'Vaswani et al. 2017',
  },
  {
    kind: 'deep',
    id: 'transformer/imdb',
    title: 'a transformer encoder on film reviews',
    data: 'imdb',
    dataOptions: {},
    defaultSystems,
    model: (data) => transformerEncoder({ vocabulary: words(data), steps: 128, width: 64, layers: 2, heads: 4, classes: classes(data) }),
    recipe: { optimizer: adam(1e-3), schedule: cosine, globalBatchSize: 64 },
    epochs: 4,
    source: 'Chen, Yang, Cheng 2018',
  },
  {
    kind: 'deep',
    id: 'resnet-20/cifar10',
    title: 'ResNet-20 on small photographs, mirrored and moved',
    data: 'cifar10',
    dataOptions: {},
    defaultSystems,
    model: () => resnetCifar(20),
    recipe: { optimizer: sgd(0.1, 1e-4), schedule: cosine, globalBatchSize: 64, augmentation: { flip: true, shift: 4 } },
    epochs: 30,
    source: 'He, Zhang, Ren, Sun 2016',
  },
  {
    kind: 'deep',
    id: 'vgg-a-n/cifar10',
    title: 'a narrow VGG-A on small photographs',
    data: 'cifar10',
    dataOptions: {},
    defaultSystems,
    model: () => vggNarrow(),
    recipe: { optimizer: sgd(0.01, 5e-4), schedule: schedule.warmup(124, cosine), globalBatchSize: 64, gradClipNorm: 5 },
    epochs: 20,
    source: 'Simonyan, Zisserman 2015',
  },
  {
    kind: 'deep',
    id: 'alexnet-n/cifar10',
    title: 'a narrow AlexNet of two groups on small photographs, doubled',
    data: 'cifar10',
    dataOptions: {},
    defaultSystems,
    model: () => alexnetNarrow(),
    recipe: { optimizer: sgd(0.01, 5e-4), schedule: schedule.warmup(124, cosine), globalBatchSize: 64, gradClipNorm: 5 },
    epochs: 15,
    source: 'Krizhevsky, Sutskever, Hinton 2012',
  },
  {
    kind: 'deep',
    id: 'unet/shapes',
    title: 'U-Net that finds generated shapes under noise',
    data: 'shapes',
    dataOptions: {},
    defaultSystems,
    model: () => unet(),
    recipe: { optimizer: adam(1e-3), schedule: cosine, globalBatchSize: 16, loss: 'cross-entropy', metric: 'meanIou' },
    epochs: 8,
    source: 'Ronneberger, Fischer, Brox 2015',
  },
  {
    kind: 'deep',
    id: 'cnn-3d/density',
    title: 'a 3-D network that reads the slope of a spectrum off generated density fields',
    data: 'density',
    dataOptions: {},
    defaultSystems,
    model: () => cnn3d(),
    recipe: { optimizer: adam(1e-3), schedule: cosine, globalBatchSize: 16, loss: 'mean-squared-error' },
    epochs: 10,
    source: 'Mathuriya et al. 2018',
  },
  {
    kind: 'deep',
    id: 'gcn/cora',
    title: 'a graph convolutional network on papers that cite each other',
    data: 'cora',
    dataOptions: {},
    defaultSystems: ['solo', 'solo'],
    model: (data) => gcn({ edges: edgesOf(data), nodes: 2708, features: 1433, classes: classes(data) }),
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
    model: (data) => graphSage({ edges: edgesOf(data), nodes: 2708, features: 1433, classes: classes(data) }),
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

const statistic: readonly StatisticWorkload[] = [
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

/** Every workload, by id. */
export const workloads: Readonly<Record<string, Workload>> = Object.fromEntries(
  [...deep, ...statistic].map((workload) => [workload.id, workload]),
)

/** What the evaluations of a network's workload report. */
export function metricOfWorkload({ recipe: { metric, loss = 'cross-entropy' } }: DeepWorkload): MetricName {
  return metric ?? defaultMetric(loss)
}
