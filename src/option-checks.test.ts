import { describe, expect, test } from 'vitest'
import { kinds, oneOf, requireOptions, shown } from './option-checks.ts'

const known = { learningRate: kinds.positive, weightDecay: true, mode: oneOf('a', 'b') } as const

describe('requireOptions', () => {
  test('takes known options, and undefined for one that is left out', () => {
    expect(() => requireOptions('o', { learningRate: 1, weightDecay: 'any', mode: undefined }, known)).not.toThrow()
  })

  test.each<[unknown, string]>([
    [{ lr: 1 }, 'o: no option lr — expected learningRate, weightDecay, mode (did you mean learningRate?)'],
    [{ weightDecya: 1 }, 'o: no option weightDecya — expected learningRate, weightDecay, mode (did you mean weightDecay?)'],
    [{ zzz: 1 }, 'o: no option zzz — expected learningRate, weightDecay, mode (leave it out)'],
    [{ toString: 1 }, 'o: no option toString — expected learningRate, weightDecay, mode (leave it out)'],
    [{ learningRate: '1' }, 'o: learningRate cannot be used — expected a number above 0, got "1"'],
    [{ mode: 'c' }, 'o: mode cannot be used — expected one of "a", "b", got "c"'],
    [[1], 'o: the options cannot be read — expected { learningRate, weightDecay, mode }, got [1]'],
    [undefined, 'o: the options cannot be read — expected { learningRate, weightDecay, mode }, got nothing'],
  ])('refuses %j', (given, message) => {
    expect(() => requireOptions('o', given, known)).toThrow(new Error(message).message)
  })
})

describe('shown', () => {
  const cyclic: Record<string, unknown> = {}
  cyclic['self'] = cyclic
  test.each<[unknown, string]>([
    ['0.1', '"0.1"'],
    [Number.NaN, 'NaN'],
    [null, 'null'],
    [{ kind: 'foo' }, '{"kind":"foo"}'],
    [Promise.resolve(1), 'a Promise (put await before it)'],
    [new Float32Array(3), 'a Float32Array'],
    [cyclic, 'another object'],
    [new Array(100).fill(0), 'an array of 100'],
    ['x'.repeat(100), `"${'x'.repeat(59)}…"`],
    [Math.max, 'the function max'],
  ])('%o', (value, text) => {
    expect(shown(value)).toBe(text)
  })
})
