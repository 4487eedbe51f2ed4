import { describe, expect, test } from 'vitest'
import { ConfigError } from '../errors.ts'
import { initialise } from './initialise.ts'
import { optim } from './optim.ts'
import { slotNames, slotsOf } from './optimizer-spec.ts'
import { init } from './parameter.ts'
import type { ParameterSpec } from './parameter.ts'
import { learningRateAt, schedule } from './schedule.ts'

describe('optim', () => {
  test('is plain data with defaults', () => {
    expect(optim.sgd({ learningRate: 0.05, momentum: 0.9 })).toEqual({
      kind: 'sgd',
      learningRate: 0.05,
      momentum: 0.9,
      nesterov: false,
      weightDecay: 0,
    })
    expect(optim.adamW()).toEqual({
      kind: 'adam',
      learningRate: 1e-3,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: 0.01,
      decoupled: true,
    })
    expect([
      slotNames(optim.sgd({ learningRate: 1 })),
      slotNames(optim.sgd({ learningRate: 1, momentum: 0.5 })),
      slotNames(optim.adam()),
    ]).toEqual([[], ['momentum'], ['first-moment', 'second-moment']])
  })

  test('refuses values out of range', () => {
    expect(() => optim.sgd({ learningRate: -1 })).toThrow(ConfigError)
    expect(() => optim.sgd({ learningRate: Number.NaN })).toThrow(ConfigError)
    expect(() => optim.sgd({ learningRate: 1, momentum: 1 })).toThrow(ConfigError)
    expect(() => optim.sgd({ learningRate: 1, nesterov: true })).toThrow('nesterov has no effect')
    expect(() => optim.adam({ beta2: 1.5 })).toThrow(ConfigError)
  })
})

describe('options', () => {
  test.each<[string, () => unknown, string]>([
    [
      'no sgd options',
      () => optim.sgd(undefined as never),
      'sgd: the options cannot be read — expected { learningRate, momentum, nesterov, weightDecay }, got nothing',
    ],
    [
      'sgd lr',
      () => optim.sgd({ lr: 0.1 } as never),
      'sgd: no option lr — expected learningRate, momentum, nesterov, weightDecay (did you mean learningRate?)',
    ],
    [
      'adam betas',
      () => optim.adam({ betas: [0.9, 0.999] } as never),
      'adam: no option betas — expected learningRate, beta1, beta2, epsilon, weightDecay (did you mean beta1?)',
    ],
    [
      'text',
      () => optim.adamW({ learningRate: '0.1' } as never),
      'adamW: learningRate cannot be used — expected a number from 0 on, got "0.1"',
    ],
    ['no rate', () => optim.lars({} as never), 'lars: learningRate cannot be used — expected a number from 0 on, got nothing'],
    ['epsilonPlacement', () => optim.rmsprop({ epsilonPlacement: 'in' } as never), 'expected one of "outside", "inside", got "in"'],
    [
      'no step options',
      () => schedule.step(undefined as never),
      'schedule.step: the options cannot be read — expected { every, factor }, got nothing',
    ],
    ['cosine', () => schedule.cosine({ flor: 0.1 } as never), 'schedule.cosine: no option flor — expected floor (did you mean floor?)'],
    ['power', () => schedule.polynomial({ power: '2' } as never), 'power cannot be used — expected a number above 0, got "2"'],
    [
      'warm-up',
      () => schedule.warmup(3, 'cosine' as never),
      'schedule.warmup: schedule cannot be used — expected such as schedule.cosine(), got "cosine" (use schedule.cosine())',
    ],
    ['warm-up steps', () => schedule.warmup('3' as never), 'schedule: steps cannot be used — expected a positive integer, got "3"'],
  ])('refuse %s', (_, make, message) => {
    expect(make).toThrow(message)
  })
})

describe('adaptive rules', () => {
  test('keep what they need between steps', () => {
    expect(slotsOf(optim.adagrad({ initialAccumulator: 0.1 }))).toEqual([{ name: 'squared-sum', initial: 0.1 }])
    expect(slotNames(optim.rmsprop())).toEqual(['mean-square'])
    expect(slotNames(optim.rmsprop({ centered: true, momentum: 0.9 }))).toEqual(['mean-square', 'mean', 'momentum'])
    expect(slotNames(optim.lars({ learningRate: 1 }))).toEqual(['momentum'])
    expect(slotNames(optim.lamb())).toEqual(['first-moment', 'second-moment'])
  })

  test('refuse values out of range', () => {
    expect(() => optim.rmsprop({ decay: 1 })).toThrow(ConfigError)
    expect(() => optim.adagrad({ epsilon: -1 })).toThrow(ConfigError)
    expect(() => optim.lamb({ beta1: -0.1 })).toThrow(ConfigError)
  })
})

describe('schedule', () => {
  const rates = (spec: Parameters<typeof learningRateAt>[0], steps: number[], total = 100) =>
    steps.map((step) => learningRateAt(spec, 2, step, total))

  test('constant, step, cosine', () => {
    expect(rates(schedule.constant(), [0, 99])).toEqual([2, 2])
    expect(rates(schedule.step({ every: 10, factor: 0.5 }), [0, 9, 10, 25])).toEqual([2, 2, 1, 0.5])
    expect(rates(schedule.polynomial({ power: 2 }), [0, 50, 100, 120])).toEqual([2, 0.5, 0, 0])
    expect(rates(schedule.inverseSqrt(4), [0, 3, 15])).toEqual([0.5, 2, 1])
    const cosine = rates(schedule.cosine(), [0, 50, 100, 130])
    ;[2, 1, 0, 0].forEach((rate, i) => {
      expect(cosine[i]).toBeCloseTo(rate, 12)
    })
    expect(rates(schedule.cosine({ floor: 0.1 }), [100])[0]).toBeCloseTo(0.2, 12)
  })

  test('warm-up multiplies another schedule', () => {
    expect(rates(schedule.warmup(4), [0, 1, 3, 50])).toEqual([0.5, 1, 2, 2])
    expect(rates(schedule.warmup(4, schedule.step({ every: 2, factor: 0.5 })), [0, 2])).toEqual([0.5, 0.75])
    expect(() => schedule.warmup(0)).toThrow(ConfigError)
    expect(() => schedule.step({ every: 0.5 })).toThrow(ConfigError)
  })
})

describe('initialise', () => {
  const spec = (name: string, shape: number[], initializer: ParameterSpec['init']): ParameterSpec => ({
    name,
    shape,
    init: initializer,
    decay: true,
  })
  const specs = [spec('g', [300, 200], init.glorotUniform()), spec('h', [64, 16, 5, 5], init.heNormal()), spec('c', [7], init.constant(3))]
  const draw = (seed: number) => {
    const write = { g: new Float32Array(60_000), h: new Float32Array(25_600), c: new Float32Array(7) }
    initialise(specs, seed, write)
    return write
  }
  const moments = (values: Float32Array): [number, number] => {
    const mean = values.reduce((a, b) => a + b, 0) / values.length
    return [mean, values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length]
  }

  test('has the moments of the distributions', () => {
    const { g, h, c } = draw(1)
    const limit = Math.sqrt(6 / 500)
    expect(Math.max(...g)).toBeLessThanOrEqual(Math.fround(limit))
    expect(Math.min(...g)).toBeLessThan(-0.999 * limit)
    expect(moments(g)[1] / (limit ** 2 / 3)).toBeCloseTo(1, 1)
    expect(moments(h)[0]).toBeCloseTo(0, 2)
    expect(moments(h)[1] / (2 / 400)).toBeCloseTo(1, 1)
    expect([...c]).toEqual([3, 3, 3, 3, 3, 3, 3])
  })

  test('is a function of the seed', () => {
    expect(draw(1)).toEqual(draw(1))
    expect(draw(2).g).not.toEqual(draw(1).g)
  })

  test('names arrays that are missing or too short, and shapes without fans', () => {
    expect(() => initialise(specs, 1, {})).toThrow(/no array for g/)
    expect(() => initialise([specs[2] as ParameterSpec], 1, { c: new Float32Array(6) })).toThrow(/expected 7, got 6/)
    expect(() => initialise([spec('b', [7], init.heNormal())], 1, { b: new Float32Array(7) })).toThrow(ConfigError)
  })
})
