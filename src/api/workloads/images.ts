/**
 * Networks for images and volumes.
 * @packageDocumentation
 */
import { alexnetNarrow } from '../../nn/models/alexnet.ts'
import { cnn3d } from '../../nn/models/cnn3d.ts'
import { inceptionNarrow } from '../../nn/models/inception.ts'
import { lenet5 } from '../../nn/models/lenet5.ts'
import { mlp } from '../../nn/models/mlp.ts'
import { resAttNet3d } from '../../nn/models/res-att-net.ts'
import { resnetCifar } from '../../nn/models/resnet-cifar.ts'
import { unet } from '../../nn/models/unet.ts'
import { vggNarrow } from '../../nn/models/vgg.ts'
import { wideResnet } from '../../nn/models/wide-resnet.ts'
import { optim } from '../../nn/optim.ts'
import { schedule, type ScheduleSpec } from '../../nn/schedule.ts'
import { type DeepWorkload, defaultSystems } from './workload.ts'

/** SGD with momentum 0.9. */
const sgd = (learningRate: number, weightDecay = 0) => optim.sgd({ learningRate, momentum: 0.9, weightDecay })
const adam = (learningRate: number) => optim.adam({ learningRate })
const cosine = schedule.cosine()

const mirroredAndMoved = { flip: true, shift: 4 } as const

const residual = (depth: number, rate: ScheduleSpec = cosine): DeepWorkload => ({
  kind: 'deep',
  id: `resnet-${depth}/cifar10`,
  title: `ResNet-${depth} on small photographs, mirrored and moved`,
  data: 'cifar10',
  dataOptions: {},
  defaultSystems,
  model: () => resnetCifar(depth),
  recipe: { optimizer: sgd(0.1, 1e-4), schedule: rate, globalBatchSize: 64, augmentation: mirroredAndMoved },
  epochs: 30,
  source: 'He, Zhang, Ren, Sun 2016',
})

export const imageWorkloads: readonly DeepWorkload[] = [
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
  residual(20),
  residual(32),
  // The deepest does not begin to learn at the full rate (section 4.2 of the paper).
  residual(110, schedule.warmup(400, cosine)),
  {
    kind: 'deep',
    id: 'wrn-28-10/cifar10',
    title: 'a wide residual network on small photographs, mirrored and moved',
    data: 'cifar10',
    dataOptions: {},
    defaultSystems,
    model: () => wideResnet(),
    recipe: {
      optimizer: optim.sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 5e-4 }),
      schedule: cosine,
      globalBatchSize: 64,
      augmentation: mirroredAndMoved,
    },
    epochs: 10,
    source: 'Zagoruyko, Komodakis 2016',
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
    id: 'inception-n/cifar10',
    title: 'a narrow Inception v4, one block of each kind, on small photographs',
    data: 'cifar10',
    dataOptions: {},
    defaultSystems,
    model: () => inceptionNarrow(),
    recipe: { optimizer: sgd(0.05, 5e-4), schedule: schedule.warmup(124, cosine), globalBatchSize: 64 },
    epochs: 15,
    source: 'Szegedy, Ioffe, Vanhoucke, Alemi 2017',
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
    id: 'res-att-net-3d/density',
    title: 'a 3-D residual attention network that reads the slope of a spectrum off generated density fields',
    data: 'density',
    dataOptions: {},
    defaultSystems,
    model: () => resAttNet3d({ classes: 1 }),
    recipe: { optimizer: adam(1e-3), schedule: cosine, globalBatchSize: 16, loss: 'mean-squared-error' },
    epochs: 10,
    source: 'Zhang et al. 2021',
  },
]
