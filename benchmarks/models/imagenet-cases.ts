/**
 * The full-size models of the benchmark, in the sizes of `peers/models.py`: images of 224 × 224 (WRN: 32 × 32), small batches, few rounds.
 * @packageDocumentation
 */
import type { Model } from '../../src/nn/model.ts'
import { alexnet } from '../../src/nn/models/alexnet.ts'
import { mobileNetV2 } from '../../src/nn/models/mobilenet.ts'
import { resnet } from '../../src/nn/models/resnet.ts'
import { vgg } from '../../src/nn/models/vgg.ts'
import { wideResnet } from '../../src/nn/models/wide-resnet.ts'
import { optim } from '../../src/nn/optim.ts'
import type { ModelCase } from './cases.ts'

function fullSize(name: string, model: () => Model, batchSize: number, classes = 1000): ModelCase {
  const optimizer = optim.sgd({ learningRate: 0.01, momentum: 0.9 })
  return { name, model, loss: 'cross-entropy', optimizer, batchSize, iterations: 1, classes, isFullSize: true }
}

/** Every full-size case. */
export const imagenetCases: readonly ModelCase[] = [
  fullSize('alexnet', () => alexnet(), 4),
  fullSize('mobilenet-v2', () => mobileNetV2(), 4),
  fullSize('resnet-18', () => resnet(18), 4),
  fullSize('resnet-50', () => resnet(50), 4),
  fullSize('wrn-28-10', () => wideResnet(), 4, 10),
  fullSize('vgg-16', () => vgg('D'), 2),
  fullSize('resnet-101', () => resnet(101), 2),
  fullSize('resnet-152', () => resnet(152), 2),
]
