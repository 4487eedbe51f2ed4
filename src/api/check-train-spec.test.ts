import { describe, expect, test } from 'vitest'
import * as data from '../data/index.ts'
import * as nn from '../nn/index.ts'
import { optim } from '../nn/optim.ts'
import { schedule } from '../nn/schedule.ts'
import { checkTrainSpec } from './check-train-spec.ts'
import type { TrainSpec } from './spec.ts'

const rows = data.fromArrays({ name: 'rows', features: new Float32Array(30), shape: [10, 3], target: new Int32Array(10) })
const spec = {
  model: nn.mlp([3, 2]),
  data: rows,
  optimizer: optim.sgd({ learningRate: 0.1 }),
  until: { epochs: 1 },
} satisfies TrainSpec

describe('checkTrainSpec', () => {
  test.each<Partial<TrainSpec>>([
    {},
    { gradClipNorm: 5, gradClipValue: 0.5, seed: 0, lastBatch: 'pad', keepBest: true, checkpointEverySeconds: 0 },
    { validation: 0.2, earlyStopping: { patience: 2 }, until: { epochs: 1, metric: 0.9 } },
    { validation: rows, partition: { kind: 'dirichlet', alpha: 0.1 }, augmentation: { flip: true, shift: 2 } },
    { optimizer: { kind: 'lbfgs', learningRate: 0.5, history: 3, sufficientDecrease: 0.1, curvature: 0.5, weightDecay: 0 } },
    ...[optim.adamW(), optim.adagrad(), optim.rmsprop(), optim.lars({ learningRate: 1 }), optim.lamb(), optim.lbfgs()].map((optimizer) => ({
      optimizer,
    })),
    ...[schedule.constant(), schedule.step({ every: 2 }), schedule.polynomial(), schedule.warmup(3, schedule.cosine())].map((each) => ({
      schedule: each,
    })),
    { schedule: schedule.inverseSqrt(10), seed: undefined as never },
  ])('takes %j', (more) => {
    expect(() => checkTrainSpec({ ...spec, ...more })).not.toThrow()
  })

  test.each<[object, string]>([
    [{ gradClipNorm: 0 }, 'gradClipNorm cannot be used — expected a number above 0, got 0'],
    [{ gradClipValue: '1' }, 'gradClipValue cannot be used — expected a number above 0, got "1"'],
    [{ seed: 'x' }, 'seed cannot be used — expected a whole number from 0 on, got "x"'],
    [{ seed: -3.5 }, 'seed cannot be used — expected a whole number from 0 on, got -3.5'],
    [{ lastBatch: 'keep' }, 'lastBatch cannot be used — expected one of "drop", "pad", got "keep"'],
    [{ keepBest: 'yes' }, 'keepBest cannot be used — expected true or false, got "yes"'],
    [{ checkpointEverySeconds: -1 }, 'checkpointEverySeconds cannot be used — expected a number from 0 on, got -1'],
    [{ validation: 2 }, 'validation cannot be used — expected a share of the rows between 0 and 1, or a data set, got 2'],
    [{ model: undefined }, 'model cannot be used — expected a model (nn.model, nn.mlp, …, or a trained one), got nothing'],
    [{ data: 'mnist' }, 'got "mnist"'],
    [{ data: Promise.resolve(rows) }, 'got a Promise (put await before it)'],
    [{ until: undefined }, 'until cannot be used — expected { epochs } or { steps }'],
    [{ until: { epoch: 1 } }, 'no option epoch — expected epochs, steps, metric (did you mean epochs?)'],
    [{ earlyStopping: true }, 'the options cannot be read — expected { patience }, got true'],
    [{ partition: 'iid' }, "one of { kind: 'shared' }, { kind: 'iid' }"],
    [{ partition: { kind: 'foo' } }, 'got {"kind":"foo"}'],
    [{ partition: { kind: 'dirichlet' } }, 'alpha cannot be used — expected a number above 0, got nothing'],
    [{ optimizer: undefined }, 'optimizer cannot be used — expected such as optim.sgd({ learningRate: 0.01 }), got nothing'],
    [{ optimizer: 'adam' }, 'got "adam" (use optim.adam({ learningRate }))'],
    [{ optimizer: optim.sgd }, '(call it: optim.sgd({ learningRate }))'],
    [{ optimizer: { kind: 'adm' } }, 'got {"kind":"adm"} (use optim.adam({ learningRate }))'],
    [
      { optimizer: { kind: 'adam', learningRate: 0.1 } },
      '(it lacks beta1, beta2, epsilon, weightDecay, decoupled: use optim.adam({ learningRate }))',
    ],
    [{ optimizer: { ...optim.adam(), beta3: 1 } }, 'adam: no option beta3'],
    [{ schedule: 'cosine' }, 'got "cosine" (use schedule.cosine())'],
    [{ schedule: schedule.inverseSqrt }, '(call it: schedule.inverseSqrt(steps))'],
    [{ schedule: { kind: 'cosin' } }, '(use schedule.cosine())'],
    [{ schedule: { kind: 'step', every: 3 } }, '(factor must be a number: use schedule.step({ every }))'],
    [
      { model: nn.freeze(nn.mlp([3, 2]), '*') },
      'there is nothing to train — expected a parameter of mlp-3-2 that may change, got 2 that are frozen',
    ],
  ])('refuses %j', (more, message) => {
    expect(() => checkTrainSpec({ ...spec, ...more } as TrainSpec)).toThrow(message)
  })

  test('refuses a missing spec', () => {
    expect(() => checkTrainSpec(undefined as never)).toThrow(/^train: the options cannot be read — expected \{ .* \}, got nothing$/)
  })
})
