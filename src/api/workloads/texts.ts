/**
 * Networks for texts.
 * @packageDocumentation
 */
import type { Dataset } from '../../data/dataset.ts'
import { albert } from '../../nn/models/albert.ts'
import { gruLm, lstmLm } from '../../nn/models/recurrent-lm.ts'
import { seq2seq } from '../../nn/models/seq2seq.ts'
import { transformerEncoder, transformerLm, transformerSeq2seq } from '../../nn/models/transformer.ts'
import { optim } from '../../nn/optim.ts'
import { schedule } from '../../nn/schedule.ts'
import { classesOf, type DeepWorkload, defaultSystems, type Recipe } from './workload.ts'

const adam = (learningRate: number) => optim.adam({ learningRate })
const cosine = schedule.cosine()

/** How many ids the features of a data set have. */
const words = ({ vocabulary = [] }: Dataset): number => vocabulary.length

const ofRunningText: Recipe = {
  optimizer: adam(2e-3),
  schedule: cosine,
  globalBatchSize: 20,
  gradClipNorm: 5,
  loss: 'cross-entropy',
  metric: 'perplexity',
}

export const textWorkloads: readonly DeepWorkload[] = [
  {
    kind: 'deep',
    id: 'lstm-lm/ptb',
    title: 'a word language model, two LSTM layers of 200, on a quarter of the Penn Treebank',
    data: 'ptb',
    dataOptions: { tokens: 232_397 },
    defaultSystems,
    model: (data) => lstmLm({ vocabulary: words(data) }),
    recipe: ofRunningText,
    epochs: 4,
    source: 'Zaremba, Sutskever, Vinyals 2014',
  },
  {
    kind: 'deep',
    id: 'gru-lm/ptb',
    title: 'a word language model, two GRU layers of 200, on a quarter of the Penn Treebank',
    data: 'ptb',
    dataOptions: { tokens: 232_397 },
    defaultSystems,
    model: (data) => gruLm({ vocabulary: words(data) }),
    recipe: ofRunningText,
    epochs: 4,
    source: 'Cho et al. 2014',
  },
  {
    kind: 'deep',
    id: 'seq2seq/multi30k',
    title: 'English to German, two GRU layers each with global attention, on descriptions of pictures',
    data: 'multi30k',
    dataOptions: { rows: 10_000 },
    defaultSystems,
    model: (data) =>
      seq2seq({ sourceVocabulary: words(data), targetVocabulary: classesOf(data), sourceSteps: 41, targetSteps: 41, width: 128 }),
    recipe: { optimizer: adam(2e-3), schedule: cosine, globalBatchSize: 64, gradClipNorm: 1, loss: 'cross-entropy', metric: 'perplexity' },
    epochs: 6,
    source: 'Luong, Pham, Manning 2015',
  },
  {
    kind: 'deep',
    id: 'transformer-seq2seq/multi30k',
    title: 'English to German, a transformer of two blocks on each side, on descriptions of pictures',
    data: 'multi30k',
    dataOptions: { rows: 10_000 },
    defaultSystems,
    model: (data) =>
      transformerSeq2seq({ sourceVocabulary: words(data), targetVocabulary: classesOf(data), sourceSteps: 41, targetSteps: 41, layers: 2 }),
    recipe: {
      optimizer: adam(1e-3),
      schedule: schedule.warmup(100, cosine),
      globalBatchSize: 64,
      gradClipNorm: 1,
      loss: 'cross-entropy',
      metric: 'perplexity',
    },
    epochs: 6,
    source: 'Vaswani et al. 2017',
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
    model: (data) => transformerEncoder({ vocabulary: words(data), steps: 128, width: 64, layers: 2, heads: 4, classes: classesOf(data) }),
    recipe: { optimizer: adam(1e-3), schedule: cosine, globalBatchSize: 64 },
    epochs: 4,
    source: 'Chen, Yang, Cheng 2018',
  },
  {
    kind: 'deep',
    id: 'albert/imdb',
    title: 'a transformer of four uses of one block on film reviews',
    data: 'imdb',
    dataOptions: {},
    defaultSystems,
    model: (data) =>
      albert({
        vocabulary: words(data),
        steps: 128,
        embedding: 64,
        width: 128,
        layers: 4,
        heads: 4,
        segments: 0,
        classes: classesOf(data),
      }),
    recipe: { optimizer: adam(1e-3), schedule: schedule.warmup(30, cosine), globalBatchSize: 64 },
    epochs: 3,
    source: 'Lan et al. 2020',
  },
  {
    kind: 'deep',
    id: 'transformer/r8',
    title: 'a transformer encoder on news of eight kinds',
    data: 'r8',
    dataOptions: {},
    defaultSystems,
    model: (data) => transformerEncoder({ vocabulary: words(data), steps: 128, width: 64, layers: 2, heads: 4, classes: classesOf(data) }),
    recipe: { optimizer: adam(1e-3), schedule: cosine, globalBatchSize: 64 },
    epochs: 6,
    source: 'Vaswani et al. 2017',
  },
]
