import { describe, expect, it } from 'vitest'
import { checkProgram } from './check-program.ts'
import { applyUpdate, averageParameters, type BuildContext, computeGradients, phasedProgram, trainingProgram } from './parts.ts'
import type { Instruction } from './program.ts'

const context: BuildContext = {
  worldSize: 3,
  steps: 100,
  evaluateEvery: 10,
  backwardOrder: ['a'],
  parameterSizes: new Map([['a', 5]]),
  reproducible: false,
}
const alone: Instruction[] = [...computeGradients(), ...applyUpdate()]
const together: Instruction[] = [...alone, ...averageParameters('native')]
const options = { evaluates: 'average', replicasDiffer: true, divisor: 'local' } as const

describe('phasedProgram', () => {
  it('counts the steps of the whole run, and the last phase ends it', () => {
    const { body } = phasedProgram(
      context,
      options,
      { until: 0.25, step: together },
      { until: 0.333, step: alone },
      { until: 1, step: together },
    )
    expect(body.map((loop) => 'times' in loop && loop.times)).toEqual([25, 33, 100])
  })

  it('with one phase is trainingProgram', () => {
    expect(phasedProgram(context, options, { until: 1, step: together })).toEqual(trainingProgram(context, options, ...together))
  })

  it.each([[[]], [[0.5]], [[0.5, 0.5, 1]], [[0.6, 0.4, 1]], [[0, 1]], [[Number.NaN, 1]]])('refuses phases that end at %j', (ends) => {
    expect(() => phasedProgram(context, options, ...ends.map((until) => ({ until, step: alone })))).toThrow(/expected rising shares/)
  })

  it('is refused when ranks that stop alone in one phase are missed in the next', () => {
    const first = [...alone, { do: 'agree', by: 'alone' } as const]
    const hanging = phasedProgram(context, options, { until: 0.5, step: first }, { until: 1, step: together })
    expect(() => checkProgram(hanging, 2, 'mine')).toThrow(/^mine: can hang — /)
    const asking = [...alone, { do: 'agree', by: 'exchange' } as const]
    expect(() => checkProgram(phasedProgram(context, options, { until: 0.5, step: asking }, { until: 1, step: together }), 2)).not.toThrow()
  })
})
