import { describe, expect, expectTypeOf, it } from 'vitest'
import { fabricNames } from '../fabric/launch.ts'
import { type AnySystem, defineStatisticSystem, defineSystem, isSystem, option, resolveOptions } from './define.ts'
import { systems } from './index.ts'

const build = () => ({ setup: [], body: [], drain: [], replicasDiffer: false, divisor: 'global' }) as const
const learner = {
  metric: { name: 'count', better: 'higher' },
  statisticLength: () => 1,
  open: () => ({ localStat() {}, nextState: () => true, score: 0, state: {}, restore() {} }),
} as const

describe('a system of one’s own', () => {
  it('needs an id and a build; the rest has defaults that say so', () => {
    const mine = defineSystem({ id: 'mine', build })
    expect(mine).toMatchObject({ kind: 'deep', title: 'mine', options: {}, fabrics: fabricNames, workloads: ['mlp/waveform'], claims: [] })
    expect(mine.assumed).toContain('reference')
    expect(isSystem(mine)).toBe(true)
    const told = defineSystem({ id: 'mine', title: 'Mine', fabrics: ['virtual'], build })
    expect(told).toMatchObject({ title: 'Mine', fabrics: ['virtual'] })
    expect(told.assumed).not.toContain('title')
  })

  it('sums its statistic in every step when it says no more than its learner', () => {
    const mine = defineStatisticSystem({ id: 'counts', learner })
    const { body } = mine.build({ worldSize: 2, maxSteps: 7, reproducible: true }, {})
    expect(body[0]).toMatchObject({ loop: 'repeat', times: 7 })
    expect(JSON.stringify(body)).toContain('{"do":"allReduce","buffer":"statistic","algorithm":"ring"}')
    expect(mine.workloads).toEqual([])
  })

  it('types the options of its build and its learner', () => {
    defineSystem({
      id: 'mine',
      options: { period: option.integer({ default: 8, doc: 'τ' }), mode: option.choice(['a', 'b'], { default: 'a', doc: 'which' }) },
      build(_, options) {
        expectTypeOf(options.period).toEqualTypeOf<number>()
        expectTypeOf(options.mode).toEqualTypeOf<'a' | 'b'>()
        return build()
      },
    })
    defineStatisticSystem({
      id: 'mine',
      options: { k: option.integer({ default: 8, doc: 'clusters' }) },
      learner: {
        ...learner,
        statisticLength: ({ options }) => options.k,
        layOut: ({ options }, allocate) => ({ sums: allocate('float64', options.k, 'sums') }),
        open({ memory }) {
          expectTypeOf(memory.sums).toEqualTypeOf<Float64Array<ArrayBuffer>>()
          return learner.open()
        },
      },
    })
  })

  it.each<readonly [string, object, RegExp]>([
    ['an id that is no file name', { id: 'a/b', build }, /expected letters, digits, .* got "a\/b"/],
    ['no id', { build }, /expected letters, digits, .* got none/],
    ['no build', { id: 'mine' }, /mine: build — expected a function .* got undefined/],
    ['a fabric that does not exist', { id: 'mine', build, fabrics: ['thread'] }, /mine: fabrics — expected some of .* got thread/],
    ['a bare number as an option', { id: 'mine', build, options: { period: 8 } }, /mine: option period — expected option\.integer/],
    [
      'a default out of range',
      { id: 'mine', build, options: { h: { type: 'integer', default: 0, min: 1, doc: '' } } },
      /expected a whole number ≥ 1, got 0/,
    ],
  ])('refuses %s in one line', (_, description, line) => {
    expect(() => defineSystem(description as never)).toThrow(line)
  })

  it('refuses a learner that is none', () => {
    expect(() => defineStatisticSystem({ id: 'mine', learner: {} as never })).toThrow(/mine: learner — expected .* got none/)
  })
})

describe('the systems of this package', () => {
  it.each(Object.values(systems))('$id leaves nothing of its description out', ({ assumed, workloads, fabrics }) => {
    expect(assumed).toEqual([])
    expect(workloads.length * fabrics.length).toBeGreaterThan(0)
  })

  it('check their options', () => {
    const local = systems['local'] as AnySystem
    expect(() => resolveOptions(local, { localSteps: 0 })).toThrow(/local: option localSteps/)
  })
})
