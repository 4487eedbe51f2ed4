import { use } from './case.ts'
import type { Case } from './case.ts'

/** Products, element-wise operators, arrangements, classification. */
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
  use('softmaxGradient', {}, [
    ['batch', 5],
    ['batch', 5],
  ]),
  use('logSoftmax', {}, [['batch', 5]]),
  use('softmaxCrossEntropy', {}, [['batch', 5], { classes: 5, shape: ['batch'] }, ['batch'], []], [0.5, 2], [0]),
  use('softmaxCrossEntropyGradient', {}, [['batch', 5], { classes: 5, shape: ['batch'] }, ['batch'], []], [0.5, 2]),
  use('correctCount', {}, [['batch', 5], { classes: 5, shape: ['batch'] }, ['batch']]),
  use('classCounts', {}, [['batch*4', 3], { classes: 3, shape: ['batch*4'] }, ['batch*4']]),
]
