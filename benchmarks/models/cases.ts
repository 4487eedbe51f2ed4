/**
 * The models of the benchmark, in the sizes of `peers/models.py`.
 * @packageDocumentation
 */
import type { LossName } from '../../src/nn/losses.ts'
import type { Model } from '../../src/nn/model.ts'
import { cnn3d } from '../../src/nn/models/cnn3d.ts'
import { ctrNetwork } from '../../src/nn/models/ctr-network.ts'
import { gcn } from '../../src/nn/models/gcn.ts'
import { lenet5 } from '../../src/nn/models/lenet5.ts'
import { lstmLm } from '../../src/nn/models/recurrent-lm.ts'
import { matrixFactorisation } from '../../src/nn/models/matrix-factorisation.ts'
import { mlp } from '../../src/nn/models/mlp.ts'
import { resnetCifar } from '../../src/nn/models/resnet-cifar.ts'
import { seq2seq } from '../../src/nn/models/seq2seq.ts'
import { transformerLm } from '../../src/nn/models/transformer.ts'
import { unet } from '../../src/nn/models/unet.ts'
import { vggNarrow } from '../../src/nn/models/vgg.ts'
import { optim } from '../../src/nn/optim.ts'
import type { OptimizerSpec } from '../../src/nn/optimizer-spec.ts'
import { u } from '../../src/rng.ts'

/** One model with its batch and its update rule. */
export interface ModelCase {
  readonly name: string
  readonly model: () => Model
  readonly loss: LossName
  readonly optimizer: OptimizerSpec
  readonly batchSize: number
  /** Steps in one round: a tenth of a second to a second. */
  readonly iterations: number
  /** Ids of int32 inputs are below this. */
  readonly ids?: number
  readonly classes: number
  /** Layers that the stages of the model cut in eight begin with, but for the first; without them it is not cut. */
  readonly boundaries?: readonly string[]
  /** Measured in few rounds and after all others; its number of parameters is compared with the peer's. */
  readonly isFullSize?: boolean
}

const sgd = optim.sgd({ learningRate: 0.01, momentum: 0.9 })
const adam = optim.adam({ learningRate: 1e-3 })
const adagrad = optim.adagrad({ learningRate: 0.1, initialAccumulator: 0.1 })

/** 5,278 edges between 2,708 nodes by chance: as many as Cora has. */
function edges(): number[] {
  return Array.from({ length: 5278 }, (_, i) => [Math.floor(2708 * u(1, 1, i, 0)), Math.floor(2708 * u(1, 1, i, 1))]).flat()
}

const classes = (loss: ModelCase['loss'] = 'cross-entropy'): { loss: LossName } => ({ loss })

/** Every case. */
export const cases: readonly ModelCase[] = [
  {
    name: 'mlp-784-512-256-10',
    model: () => mlp([784, 512, 256, 10]),
    ...classes(),
    optimizer: sgd,
    batchSize: 128,
    iterations: 20,
    classes: 10,
  },
  { name: 'mlp-4-64-64-2', model: () => mlp([4, 64, 64, 2]), ...classes(), optimizer: sgd, batchSize: 32, iterations: 300, classes: 2 },
  {
    name: 'mlp-4x1024',
    model: () => mlp([1024, 1024, 1024, 1024, 1024]),
    ...classes(),
    optimizer: sgd,
    batchSize: 256,
    iterations: 3,
    classes: 1024,
  },
  { name: 'lenet-5', model: lenet5, ...classes(), optimizer: sgd, batchSize: 64, iterations: 15, classes: 10 },
  {
    name: 'resnet-20',
    model: () => resnetCifar(20),
    ...classes(),
    optimizer: sgd,
    batchSize: 64,
    iterations: 2,
    classes: 10,
    boundaries: ['1.1', '1.2', '2.0', '2.1', '2.2', '3.0', '3.1'].map((block) => `layer${block}.conv1`),
  },
  { name: 'vgg-a-n', model: () => vggNarrow(), ...classes(), optimizer: sgd, batchSize: 64, iterations: 8, classes: 10 },
  { name: 'lstm-lm', model: () => lstmLm(), ...classes(), optimizer: adam, batchSize: 20, iterations: 3, ids: 10_000, classes: 10_000 },
  {
    name: 'seq2seq',
    model: () => seq2seq({ sourceVocabulary: 4500, targetVocabulary: 5500, sourceSteps: 24, targetSteps: 24, width: 128 }),
    ...classes(),
    optimizer: adam,
    batchSize: 64,
    iterations: 2,
    ids: 4500,
    classes: 5500,
  },
  {
    name: 'transformer-4x128',
    model: () => transformerLm({ vocabulary: 65 }),
    ...classes(),
    optimizer: adam,
    batchSize: 32,
    iterations: 3,
    ids: 65,
    classes: 65,
    boundaries: ['0.norm2', '1.norm1', '1.norm2', '2.norm1', '2.norm2', '3.norm1', '3.norm2'].map((layer) => `block${layer}`),
  },
  {
    name: 'transformer-6x512',
    model: () => transformerLm({ vocabulary: 65, width: 512, layers: 6, heads: 8 }),
    ...classes(),
    optimizer: adam,
    batchSize: 8,
    iterations: 1,
    ids: 65,
    classes: 65,
  },
  { name: 'unet', model: () => unet(), ...classes(), optimizer: adam, batchSize: 16, iterations: 2, classes: 4 },
  { name: 'cnn-3d', model: () => cnn3d(), ...classes('mean-squared-error'), optimizer: adam, batchSize: 16, iterations: 3, classes: 1 },
  {
    name: 'gcn',
    model: () => gcn({ edges: edges(), nodes: 2708, features: 1433, classes: 7 }),
    ...classes(),
    optimizer: adam,
    batchSize: 1,
    iterations: 5,
    classes: 7,
  },
  {
    name: 'matrix-factorisation',
    model: () => matrixFactorisation({ users: 671, items: 9066 }),
    ...classes('mean-squared-error'),
    optimizer: sgd,
    batchSize: 1024,
    iterations: 50,
    ids: 671,
    classes: 1,
  },
  {
    name: 'ctr-network',
    model: () => ctrNetwork(),
    ...classes('binary-cross-entropy'),
    optimizer: adagrad,
    batchSize: 256,
    iterations: 20,
    ids: 100_000,
    classes: 2,
  },
]
