import { describe, expect, it } from 'vitest'
import { plainKernels } from '../kernels/plain.ts'
import { systems } from '../systems/index.ts'
import { type Instruction, type Program, repeat } from './program.ts'
import { appliesOwnGradient, withRowSums } from './row-gradients.ts'

const context = {
  worldSize: 2,
  steps: 40,
  maxSteps: 40,
  evaluateEvery: 10,
  backwardOrder: ['b', 'a'],
  parameterSizes: new Map([
    ['a', 50],
    ['b', 50],
  ]),
  reproducible: false,
}

function built(id: string): Program {
  const system = systems[id]!
  const defaults = Object.fromEntries(Object.entries(system.options).map(([name, spec]) => [name, (spec as { default: unknown }).default]))
  return system.build(context, defaults)
}

const program = (...body: Instruction[]): Program => ({
  setup: [],
  body: [repeat(10, ...body)],
  drain: [],
  replicasDiffer: false,
  divisor: 'global',
})

describe('appliesOwnGradient', () => {
  it('is true where no other rank has a part in a gradient', () => {
    const own = ['solo', 'local', 'avg1', 'bsp', 'hvd', 'asp', 'ssp'].filter((id) =>
      appliesOwnGradient({ program: built(id), microBatches: 1 }),
    )
    expect(own).toEqual(['solo', 'local', 'avg1'])
  })

  it('is false for micro-batches, and where a gradient is applied twice or not of this step', () => {
    expect(appliesOwnGradient({ program: built('solo'), microBatches: 2 })).toBe(false)
    const [batch, gradients, update] = [{ do: 'batch' }, { do: 'gradients' }, { do: 'update' }] as const
    const isOwn = (...body: Instruction[]) => appliesOwnGradient({ program: program(...body), microBatches: 1 })
    expect([isOwn(batch, gradients, update), isOwn(batch, gradients, update, update), isOwn(update, batch, gradients)]).toEqual([
      true,
      false,
      false,
    ])
  })
})

describe('withRowSums', () => {
  const uses = [
    { parameter: 't', rows: 'rows:0:t', gradient: 'row-gradient:0:t' },
    { parameter: 't', rows: 'rows:1:t', gradient: 'row-gradient:1:t' },
  ]
  const range = { name: 't', offset: 0, length: 10, shape: [5, 2], decay: true, update: 'optimizer' } as const

  it.each([true, false])('replaces what the run before left (rows known: %s)', async (isKnown) => {
    const [first, second, table] = [new Int32Array(2), new Int32Array(1), new Float32Array(10)]
    const named = {
      'rows:0:t': first,
      'row-gradient:0:t': new Float32Array(4).fill(1),
      'rows:1:t': second,
      'row-gradient:1:t': new Float32Array(2).fill(10),
      'gradient:t': table,
    }
    const batches = [
      [1, 1, 4],
      [0, 3, 3],
      [2, 2, 2],
    ]
    const run = async (): Promise<void> => {
      const [a, b, c] = batches.shift() as [number, number, number]
      first.set([a, b])
      second[0] = c
    }
    const touched = isKnown ? [{ range, numbers: [first, second] }] : []
    const step = withRowSums(run, uses, named, plainKernels, touched)
    await step()
    expect([...table]).toEqual([0, 0, 2, 2, 0, 0, 0, 0, 10, 10])
    // What a sum over ranks leaves in rows of others goes too, where rows are not known.
    if (!isKnown) table[4] = 7
    await step()
    expect([...table]).toEqual([1, 1, 0, 0, 0, 0, 11, 11, 0, 0])
    await step()
    expect([...table]).toEqual([0, 0, 0, 0, 12, 12, 0, 0, 0, 0])
  })
})
