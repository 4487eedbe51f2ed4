import { use } from './case.ts'
import type { Case } from './case.ts'

const row = ['batch', 8] as const
const two = [row, row]

/** Element-wise functions of one value, and their gradients. */
const unaryCases: readonly Case[] = [
  use('exp', {}, [row]),
  use('log', {}, [row], [0.2, 2]),
  use('sqrt', {}, [row], [0.2, 2]),
  use('reciprocal', {}, [row], [0.5, 2]),
  use('erf', {}, [row], [-2, 2]),
  use('abs', {}, [row], [0.1, 1]),
  use('abs', {}, [row], [-1, -0.1]),
  use('absGradient', {}, two),
  use('square', {}, [row]),
  use('clip', { min: -0.5, max: 0.6 }, [row]),
  use('clip', { min: 0, max: 6 }, [row], [5, 9]),
  use('clipGradient', { min: -0.5, max: 0.6 }, two),
  use('gelu', {}, [row], [-4, 4]),
  use('geluGradient', {}, two, [-4, 4]),
  use('silu', {}, [row], [-4, 4]),
  use('siluGradient', {}, two, [-4, 4]),
  use('leakyRelu', { slope: 0.1 }, [row], [0.1, 1]),
  use('leakyRelu', { slope: 0.1 }, [row], [-1, -0.1]),
  use('leakyReluGradient', { slope: 0.1 }, two),
]

const arrangeCases: readonly Case[] = [
  use('constant', { values: [1, 2, 3, 4, 5, 6], shape: [2, 3], dtype: 'float32' }, []),
  use('equals', { value: 2 }, [{ classes: 4, shape: ['batch', 9] }]),
  use('reduceMean', { dims: [1] }, [['batch', 5, 2]]),
  use('reduceMean', { dims: [0, 2] }, [[4, 'batch', 5]]),
  use('reduceMax', { dims: [1] }, [['batch', 5, 2]]),
  use('reduceMax', { dims: [1, 2] }, [['batch', 3, 2, 4]]),
  use('reduceMaxGradient', { dims: [1] }, [
    ['batch', 5, 2],
    ['batch', 2],
    ['batch', 2],
  ]),
  use('concat', { dim: 1 }, [
    ['batch', 2, 3],
    ['batch', 1, 3],
    ['batch', 4, 3],
  ]),
  use('concat', { dim: 2 }, [
    ['batch', 2, 3],
    ['batch', 2, 2],
  ]),
  use('slice', { dim: 1, start: 1, end: 4 }, [['batch', 5, 3]]),
  use('slice', { dim: 0, start: 2, end: 3 }, [[3, 'batch', 2]]),
  use('pad', { before: [0, 1, 0], after: [0, 2, 3] }, [['batch', 2, 3]]),
  use('batchMatmul', { transposeA: false, transposeB: false, factor: 1 }, [
    ['batch', 2, 3, 4],
    ['batch', 2, 4, 5],
  ]),
  use('batchMatmul', { transposeA: true, transposeB: false, factor: 1 }, [
    ['batch', 4, 3],
    ['batch', 4, 5],
  ]),
  use('batchMatmul', { transposeA: false, transposeB: true, factor: 0.25 }, [
    ['batch', 2, 3, 4],
    ['batch', 2, 5, 4],
  ]),
  use('batchMatmul', { transposeA: true, transposeB: true, factor: 2 }, [
    ['batch', 4, 3],
    ['batch', 5, 4],
  ]),
  use('embedding', {}, [[7, 3], { classes: 7, shape: ['batch', 4] }]),
  use('embeddingGradient', { rows: 7 }, [{ classes: 7, shape: ['batch', 4] }, ['batch', 4, 3]]),
  use('softmax', {}, [['batch', 2, 3, 4]]),
  use('logSoftmax', {}, [['batch', 2, 4]]),
]

const normCases: readonly Case[] = [
  use('layerNorm', { epsilon: 1e-5 }, [['batch', 8], [8], [8]]),
  use('layerNorm', { epsilon: 1e-5 }, [['batch', 3, 8], [8], [8]], [5, 7]),
  use('layerNormGradient', { epsilon: 1e-5 }, [['batch', 3, 8], [8], ['batch', 3, 8]]),
  use('layerNormGainGradient', { epsilon: 1e-5 }, [
    ['batch', 3, 8],
    ['batch', 3, 8],
  ]),
]

const lossCases: readonly Case[] = [
  use('binaryCrossEntropy', {}, [['batch'], ['batch'], ['batch'], []], [0.1, 1], [0]),
  use('binaryCrossEntropyGradient', {}, [['batch'], ['batch'], ['batch'], []], [0.1, 1]),
]

const [steps, hidden] = [4, 3]

const recurrentCases: readonly Case[] = [
  use('lstm', {}, [
    [steps, 'batch', 4 * hidden],
    [4 * hidden, hidden],
  ]),
  use('lstm', {}, [
    [steps, 'batch', 4 * hidden],
    [4 * hidden, hidden],
    [2, 'batch', hidden],
  ]),
  use('lstm', {}, [
    [1, 'batch', 4 * hidden],
    [4 * hidden, hidden],
    [2, 'batch', hidden],
  ]),
  ...[[], [[2, 'batch', hidden] as const]].map((state) =>
    use('lstmGates', {}, [[steps, 'batch', 4 * hidden], [4 * hidden, hidden], [2, steps, 'batch', hidden], ...state]),
  ),
  ...(['lstmGradient', 'lstmStateGradient'] as const).map((op) =>
    use(op, {}, [
      [4, steps, 'batch', hidden],
      [4 * hidden, hidden],
      [2, steps, 'batch', hidden],
      [2, steps, 'batch', hidden],
      [2, 'batch', hidden],
    ]),
  ),
  use('lstmGradient', {}, [
    [4, steps, 'batch', hidden],
    [4 * hidden, hidden],
    [2, steps, 'batch', hidden],
    [2, steps, 'batch', hidden],
  ]),
  use('gru', {}, [[steps, 'batch', 3 * hidden], [3 * hidden, hidden], [hidden]]),
  use('gru', {}, [[steps, 'batch', 3 * hidden], [3 * hidden, hidden], [hidden], ['batch', hidden]]),
  use('gru', {}, [[1, 'batch', 3 * hidden], [3 * hidden, hidden], [hidden], ['batch', hidden]]),
  ...[[], [['batch', hidden] as const]].map((state) =>
    use('gruGates', {}, [[steps, 'batch', 3 * hidden], [3 * hidden, hidden], [hidden], [steps, 'batch', hidden], ...state]),
  ),
  ...(['gruGradient', 'gruRecurrentGradient', 'gruStateGradient'] as const).map((op) =>
    use(op, {}, [
      [4, steps, 'batch', hidden],
      [3 * hidden, hidden],
      [steps, 'batch', hidden],
      [steps, 'batch', hidden],
      ['batch', hidden],
    ]),
  ),
  use('gruGradient', {}, [
    [4, steps, 'batch', hidden],
    [3 * hidden, hidden],
    [steps, 'batch', hidden],
    [steps, 'batch', hidden],
  ]),
]

/** Operators of dense networks, sequences and attention. */
export const sequenceCases: readonly Case[] = [...unaryCases, ...arrangeCases, ...normCases, ...lossCases, ...recurrentCases]
