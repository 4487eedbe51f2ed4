import type { Shape } from '../../graph.ts'
import { use } from './case.ts'
import type { Case } from './case.ts'

const unit = { stride: [1, 1], padding: [0, 0] } as const
const strided = { stride: [2, 2], padding: [1, 1] } as const
const uneven = { stride: [2, 1], padding: [0, 2] } as const
const image: Shape = ['batch', 2, 6, 7]
const same = { stride: [1, 1], padding: [2, 2] } as const

/** Products, element-wise operators, arrangements, images, classification. */
export const coreCases: readonly Case[] = [
  use('matmul', { transposeA: false, transposeB: false }, [['batch', 4], [4, 5], [5]]),
  use('matmul', { transposeA: true, transposeB: false }, [
    ['batch', 4],
    ['batch', 5],
  ]),
  use('matmul', { transposeA: false, transposeB: true }, [
    ['batch', 4],
    [5, 4],
  ]),
  use('matmul', { transposeA: true, transposeB: true }, [
    [4, 2],
    [5, 4],
  ]),
  use('add', {}, [
    ['batch', 4, 1],
    [4, 5],
  ]),
  use('sub', {}, [
    ['batch', 4],
    ['batch', 1],
  ]),
  use('mul', {}, [['batch', 4], []]),
  use('div', {}, [['batch', 4], [4]], [0.5, 2]),
  use('scale', { factor: -1 }, [['batch', 4]]),
  use('scale', { factor: 2.5 }, [['batch', 4]]),
  use('fill', { value: 1.5, shape: ['batch', 2] }, []),
  use('relu', {}, [['batch', 8]], [0.1, 1]),
  use('relu', {}, [['batch', 8]], [-1, -0.1]),
  use('reluGradient', {}, [
    ['batch', 8],
    ['batch', 8],
  ]),
  use('tanh', {}, [['batch', 8]]),
  use('tanhGradient', {}, [
    ['batch', 8],
    ['batch', 8],
  ]),
  use('sigmoid', {}, [['batch', 8]]),
  use('sigmoidGradient', {}, [
    ['batch', 8],
    ['batch', 8],
  ]),
  use(
    'dropout',
    { rate: 0.5 },
    [
      ['batch', 8],
      ['batch', 8],
    ],
    [-1, 1],
    [0],
  ),
  use('dropout', { rate: 0.5 }, [['batch', 8]]),
  use('reshape', { shape: ['batch', 2, 4] }, [['batch', 8]]),
  use('transpose', { permutation: [2, 0, 1] }, [['batch', 2, 4]]),
  use('reduceSum', { dims: [0] }, [['batch', 5]]),
  use('reduceSum', { dims: [0, 2] }, [['batch', 5, 2]]),
  use('reduceSum', { dims: [] }, [['batch', 5]]),
  use('broadcastTo', { shape: ['batch', 4, 5] }, [[4, 1]]),
  use('softmax', {}, [['batch', 5]]),
  use('logSoftmax', {}, [['batch', 5]]),
  use('conv2d', unit, [image, [3, 2, 3, 2], [3]]),
  use('conv2d', strided, [image, [3, 2, 3, 3], [3]]),
  use('conv2d', uneven, [image, [1, 2, 2, 3]]),
  use('conv2d', same, [['batch', 1, 8, 8], [6, 1, 5, 5], [6]]),
  use('conv2d', unit, [['batch', 6, 8, 8], [16, 6, 5, 5], [16]]),
  use('conv2dInputGradient', { ...unit, size: [6, 7] }, [
    [3, 2, 3, 2],
    ['batch', 3, 4, 6],
  ]),
  use('conv2dInputGradient', { ...strided, size: [6, 7] }, [
    [3, 2, 3, 3],
    ['batch', 3, 3, 4],
  ]),
  use('conv2dInputGradient', { ...uneven, size: [6, 7] }, [
    [1, 2, 2, 3],
    ['batch', 1, 3, 9],
  ]),
  use('conv2dFilterGradient', { ...unit, kernel: [3, 2] }, [image, ['batch', 3, 4, 6]]),
  use('conv2dFilterGradient', { ...strided, kernel: [3, 3] }, [image, ['batch', 3, 3, 4]]),
  use('conv2dFilterGradient', { ...uneven, kernel: [2, 3] }, [image, ['batch', 1, 3, 9]]),
  use('avgPool', { ...unit, kernel: [2, 3] }, [image]),
  use('avgPool', { kernel: [2, 2], stride: [2, 2], padding: [0, 0] }, [['batch', 2, 4, 6]]),
  use('avgPool', { kernel: [2, 2], stride: [2, 2], padding: [1, 1] }, [image]),
  use('avgPoolGradient', { ...unit, kernel: [2, 3], size: [6, 7] }, [['batch', 2, 5, 5]]),
  use('avgPoolGradient', { kernel: [2, 2], stride: [2, 2], padding: [0, 0], size: [4, 6] }, [['batch', 2, 2, 3]]),
  use('maxPool', { kernel: [2, 2], stride: [2, 2], padding: [0, 0] }, [image]),
  use('maxPool', { kernel: [3, 3], stride: [2, 2], padding: [1, 1] }, [image]),
  use('maxPoolGradient', { kernel: [3, 3], stride: [2, 2], padding: [1, 1] }, [image, ['batch', 2, 3, 4]]),
  use('softmaxCrossEntropy', {}, [['batch', 5], { classes: 5, shape: ['batch'] }, ['batch'], []], [0.5, 2], [0]),
  use('softmaxCrossEntropyGradient', {}, [['batch', 5], { classes: 5, shape: ['batch'] }, ['batch'], []], [0.5, 2]),
  use('correctCount', {}, [['batch', 5], { classes: 5, shape: ['batch'] }, ['batch']]),
]
