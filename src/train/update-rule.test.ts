import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { plainKernels } from '../kernels/plain.ts'
import { optim } from '../nn/optim.ts'
import type { OptimizerSpec } from '../nn/optimizer-spec.ts'
import { init } from '../nn/parameter.ts'
import type { ParameterSpec } from '../nn/parameter.ts'
import { clipGradient } from './clip-gradient.ts'
import { layoutParameters, type ParameterRange, viewsByName } from './layout.ts'
import { applyRule, makeSlots, passesOverZeros } from './update-rule.ts'

/** Written by optimizers.py: five steps of PyTorch, or of the paper's formula, in float64. */
const golden = JSON.parse(readFileSync(new URL('../../tests/golden/optimizers.json', import.meta.url), 'utf8')) as {
  readonly start: readonly number[]
  readonly gradients: readonly (readonly number[])[]
  readonly after: Readonly<Record<string, readonly number[]>>
}

const rules: Readonly<Record<string, OptimizerSpec>> = {
  sgd: optim.sgd({ learningRate: 0.1, weightDecay: 0.01 }),
  momentum: optim.sgd({ learningRate: 0.1, momentum: 0.9, weightDecay: 0.01 }),
  nesterov: optim.sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true }),
  adagrad: optim.adagrad({ learningRate: 0.1, initialAccumulator: 0.1, weightDecay: 0.01 }),
  rmsprop: optim.rmsprop({ learningRate: 0.01, decay: 0.9, epsilon: 1e-3 }),
  'rmsprop-centered': optim.rmsprop({ learningRate: 0.01, decay: 0.9, epsilon: 1e-2, centered: true, momentum: 0.5 }),
  'rmsprop-inside': optim.rmsprop({ learningRate: 0.01, decay: 0.9, epsilon: 0.1, epsilonPlacement: 'inside' }),
  adam: optim.adam({ learningRate: 0.1, weightDecay: 0.01 }),
  adamw: optim.adamW({ learningRate: 0.1, weightDecay: 0.01 }),
  lars: optim.lars({ learningRate: 0.1, weightDecay: 0.01, trust: 0.02 }),
  lamb: optim.lamb({ learningRate: 0.1, weightDecay: 0.01 }),
}

const spec = (name: string, decay: boolean, update?: ParameterSpec['update']): ParameterSpec => ({
  name,
  shape: [4],
  init: init.zeros(),
  decay,
  ...(update === undefined ? {} : { update }),
})

/** Runs the rule on a layout whose parameters all begin alike and get the same gradients. */
function afterFive(rule: OptimizerSpec, specs: readonly ParameterSpec[]): Record<string, number[]> {
  const trained = specs.filter(({ update }) => update !== 'nothing').map(({ name }) => name)
  const layout = layoutParameters(specs, [trained])
  const parameters = new Float32Array(layout.wholeLength)
  const gradient = new Float32Array(layout.length)
  const slots = makeSlots(rule, () => new Float32Array(layout.length))
  for (const { offset } of layout.ranges) parameters.set(golden.start, offset)
  golden.gradients.forEach((values, step) => {
    for (const name of trained) viewsByName(layout, gradient)[name]?.set(values)
    applyRule(plainKernels, rule, layout, parameters, gradient, slots, rule.learningRate, step + 1, 0, layout.length)
  })
  return Object.fromEntries(layout.ranges.map(({ name, offset, length }) => [name, [...parameters.subarray(offset, offset + length)]]))
}

function expectClose(got: readonly number[] | undefined, expected: readonly number[]): void {
  expected.forEach((value, i) => {
    expect(got?.[i]).toBeCloseTo(value, 5)
  })
}

describe.each(Object.entries(rules))('%s', (name, rule) => {
  test('takes the steps of the reference', () => {
    expectClose(afterFive(rule, [spec('w', true)]).w, golden.after[name] as number[])
  })

  test('leaves decay off where it does not belong, takes statistics as they are, and does not touch what is frozen', () => {
    const specs = [spec('w', true), spec('b', false), spec('mean', false, 'statistic'), spec('old', true, 'nothing')]
    const after = afterFive(rule, specs)
    expectClose(after.w, golden.after[name] as number[])
    if (rule.weightDecay > 0) expect(after.b).not.toEqual(after.w)
    expectClose(
      after.mean,
      golden.start.map((value, i) => golden.gradients.reduce((sum, step) => sum - (step[i] as number), value)),
    )
    expect(after.old).toEqual(golden.start)
  })
})

test('clipping leaves statistics out of the norm and untouched', () => {
  const layout = layoutParameters([spec('w', true), spec('mean', false, 'statistic')], [['w', 'mean']])
  const flat = (): Float32Array<ArrayBuffer> => {
    const gradient = new Float32Array(layout.length)
    for (const { offset } of layout.ranges) gradient.set([3, 0, -4, 0], offset)
    return gradient
  }
  const [byNorm, byValue] = [flat(), flat()]
  clipGradient(plainKernels, byNorm, layout, { gradClipNorm: 1 })
  clipGradient(plainKernels, byValue, layout, { gradClipValue: 1 })
  const parts = (gradient: Float32Array): number[][] => layout.ranges.map(({ offset }) => [...gradient.subarray(offset, offset + 4)])
  expect(parts(byNorm)).toEqual([
    [Math.fround(0.6), 0, Math.fround(-0.8), 0],
    [3, 0, -4, 0],
  ])
  expect(parts(byValue)).toEqual([
    [1, 0, -1, 0],
    [3, 0, -4, 0],
  ])
})

test('the rows that are known are all that a rule visits, where zero gradients change nothing', () => {
  const [plain, decaying] = [optim.adagrad({ learningRate: 0.1 }), optim.adagrad({ learningRate: 0.1, weightDecay: 0.01 })]
  const [sgd, momentum] = [optim.sgd({ learningRate: 0.1 }), optim.sgd({ learningRate: 0.1, momentum: 0.9 })]
  const weight = { update: 'optimizer', decay: true } as const
  expect([plain, sgd, decaying, momentum, optim.adam()].map((rule) => passesOverZeros(rule, weight))).toEqual([
    true,
    true,
    false,
    false,
    false,
  ])
  expect(passesOverZeros(decaying, { ...weight, decay: false })).toBe(true)
  expect(passesOverZeros(sgd, { ...weight, update: 'statistic' })).toBe(false)

  const specs = [spec('before', true), { ...spec('table', true), shape: [10, 2] }, spec('after', true)]
  const layout = layoutParameters(specs, [specs.map(({ name }) => name)])
  const range = layout.ranges[1] as ParameterRange
  for (const rule of [plain, sgd]) {
    const after = [undefined, [{ range, numbers: [Int32Array.of(3, 9, 3), Int32Array.of(9)] }]].map((touched) => {
      const parameters = new Float32Array(layout.length).map((_, i) => Math.sin(i))
      const gradient = new Float32Array(layout.length)
      const slots = makeSlots(rule, () => new Float32Array(layout.length))
      for (const { offset, name } of layout.ranges) gradient.set([1, -2, 3, 4], offset + (name === 'table' ? 2 * 3 : 0))
      gradient.fill(0, range.offset + 8, range.offset + 10)
      applyRule(plainKernels, rule, layout, parameters, gradient, slots, 0.1, 1, 0, layout.length, 0, touched)
      return { parameters, slots, ofTable: gradient.slice(range.offset, range.offset + 20) }
    })
    expect(after[1]?.parameters).toEqual(after[0]?.parameters)
    expect(after[1]?.slots).toEqual(after[0]?.slots)
    expect(after[1]?.ofTable.every((value) => value === 0)).toBe(true)
  }
})
