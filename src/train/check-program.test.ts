import { describe, expect, it } from 'vitest'
import { systems } from '../systems/index.ts'
import { checkProgram } from './check-program.ts'
import { type Instruction, type Program, repeat } from './program.ts'

const context = {
  worldSize: 3,
  steps: 40,
  evaluateEvery: 10,
  backwardOrder: ['b', 'a'],
  parameterSizes: new Map([
    ['a', 5000],
    ['b', 5000],
  ]),
  reproducible: false,
  maxSteps: 20,
}

function program(...body: Instruction[]): Program {
  return { setup: [], body: [repeat(10, ...body)], drain: [{ do: 'barrier' }], replicasDiffer: false, divisor: 'global' }
}

describe('checkProgram', () => {
  it.each(Object.values(systems).filter(({ id }) => id !== 'solo'))('passes $id with its defaults', (system) => {
    const options = Object.fromEntries(Object.entries(system.options).map(([name, spec]) => [name, (spec as { default: unknown }).default]))
    expect(() => checkProgram(system.build(context, options), 3)).not.toThrow()
  })

  it('finds an exchange in a loop that ranks leave alone', () => {
    expect(() => checkProgram(program({ do: 'barrier' }, { do: 'agree', by: 'alone' }), 2)).toThrow(
      /can hang — .*rank 0 has ended, rank 1 waits for barrier/,
    )
    // Asking each other instead of deciding alone mends it.
    expect(() => checkProgram(program({ do: 'barrier' }, { do: 'agree', by: 'exchange' }), 2)).not.toThrow()
  })

  it('finds a store that waits for clocks which cannot come', () => {
    const hanging: Program = {
      ...program({ do: 'push' }, { do: 'pull' }, { do: 'agree', by: 'alone' }),
      store: { shards: 1, admission: { kind: 'ssp', staleness: 0 } },
    }
    expect(() => checkProgram(hanging, 3)).toThrow(/waits for a pull at clock 3/)
    const retiring: Program = { ...hanging, drain: [{ do: 'retire' }, { do: 'barrier' }] }
    expect(() => checkProgram(retiring, 3)).not.toThrow()
  })

  it('refuses an update before the overlapped exchange was joined, and a tail that was never summed', () => {
    const overlap: Instruction = { do: 'allReduce', buffer: 'gradients', bucket: 0, algorithm: 'native', overlap: true }
    expect(() => checkProgram(program(overlap, { do: 'update' }), 2)).toThrow(/put join before update/)
    expect(() => checkProgram(program(overlap, { do: 'join' }, { do: 'update' }), 2)).not.toThrow()
    expect(() => checkProgram(program({ do: 'agree', by: 'tail' }), 2)).toThrow(/sum first/)
  })

  it('refuses push and pull without a store', () => {
    expect(() => checkProgram(program({ do: 'push' }), 2)).toThrow(/declare one/)
  })
})
