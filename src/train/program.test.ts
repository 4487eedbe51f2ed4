import { describe, expect, it } from 'vitest'
import { systems } from '../systems/index.ts'
import { learningHash, type Program } from './program.ts'

function build(id: string, options: Record<string, unknown> = {}, { worldSize = 2, steps = 40, evaluateEvery = 10 } = {}): Program {
  const system = systems[id]!
  const defaults = Object.fromEntries(Object.entries(system.options).map(([name, spec]) => [name, (spec as { default: unknown }).default]))
  const context = {
    worldSize,
    steps,
    maxSteps: steps,
    evaluateEvery,
    backwardOrder: ['b', 'a'],
    parameterSizes: new Map([
      ['a', 5000],
      ['b', 5000],
    ]),
    reproducible: false,
  }
  return system.build(context, { ...defaults, ...options })
}
const hash = (...of: Parameters<typeof build>) => learningHash(build(...of))

describe('learningHash', () => {
  it.each(['bsp', 'local', 'avg1', 'ssp', 'km-lloyd'])('of %s does not depend on length, cadence or ranks', (id) => {
    expect(hash(id, {}, { steps: 400, evaluateEvery: 7, worldSize: 3 })).toBe(hash(id))
  })

  it('is the same wherever only the sum of the gradients is made otherwise', () => {
    expect(new Set([hash('solo'), hash('bsp'), hash('bsp', { allReduce: 'ring' }), hash('hvd', { bucketBytes: 1024 })]).size).toBe(1)
  })

  it('differs where something else is learned', () => {
    const all = [
      hash('bsp'),
      hash('local'),
      hash('local', { localSteps: 3 }),
      hash('avg1'),
      hash('asp'),
      hash('ssp', { staleness: 2 }),
      hash('ssp', { staleness: 5 }),
    ]
    expect(new Set(all).size).toBe(all.length)
  })
})
