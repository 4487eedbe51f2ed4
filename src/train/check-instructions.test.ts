import { describe, expect, it } from 'vitest'
import { systems } from '../systems/index.ts'
import { checkInstructions, type ProgramKind } from './check-instructions.ts'
import { averageParameters, type BuildContext, computeGradients, trainingProgram } from './parts.ts'
import { every, type Instruction, type Program } from './program.ts'

const context: BuildContext & { maxSteps: number } = {
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

/** What a user without a compiler may write. */
const step = (...body: readonly unknown[]): Program => trainingProgram(context, { evaluates: 'replica' }, ...(body as Instruction[]))

function lineOf(program: unknown, kind: ProgramKind = 'deep'): string {
  try {
    checkInstructions('mine', kind, program)
  } catch (error) {
    const { message } = error as Error
    expect(message).not.toContain('\n')
    return message
  }
  return 'accepted'
}

describe('checkInstructions', () => {
  it.each(Object.values(systems))('accepts what $id builds', (system) => {
    const options = Object.fromEntries(Object.entries(system.options).map(([name, spec]) => [name, (spec as { default: unknown }).default]))
    expect(lineOf(system.build(context, options), system.kind)).toBe('accepted')
  })

  it.each<readonly [string, unknown, string]>([
    ['a part that was not spread', computeGradients(), 'body[0].body[0] — expected an instruction, got an array of 2 (spread it: ...part)'],
    ['a part that was not called', computeGradients, 'got a function (call it: computeGradients(…))'],
    ['nothing', undefined, 'body[0].body[0] — expected an instruction, got undefined'],
    ['a bare name', 'barrier', "got 'barrier' (write { do: 'barrier' })"],
    ['a promise', Promise.resolve({ do: 'barrier' }), 'got a Promise (a build does not wait'],
    ['an unknown kind', { do: 'updates' }, "got 'updates' (did you mean update?)"],
    ['an unknown loop', { loop: 'evry', period: 2, body: [] }, "got 'evry' (did you mean every?)"],
    ['an instruction of the other kind', { do: 'call', method: 'localStat', stage: 'body' }, 'expected an instruction of a network: batch'],
    [
      'a buffer that does not exist',
      { do: 'allReduce', buffer: 'gradient', algorithm: 'ring' },
      "body[0].body[0].buffer — expected gradients | parameters, got 'gradient' (did you mean gradients?)",
    ],
    ['an algorithm that does not exist', { do: 'allReduce', buffer: 'gradients', algorithm: 'rings' }, '(did you mean ring?)'],
    [
      'a field that does not exist',
      { do: 'checkpoint', allways: true },
      'expected the fields do, always, got allways (did you mean always?)',
    ],
    [
      'a bucket that does not exist',
      { do: 'gradients', segment: 1 },
      'body[0].body[0].segment — expected less than the 1 bucket of the Program, got 1',
    ],
    ['a period that is none', every(2.5, { do: 'barrier' }), 'body[0].body[0].period — expected a whole number ≥ 1, got 2.5'],
    [
      'a part that was not spread inside a loop',
      every(4, averageParameters('native') as unknown as Instruction),
      'body[0].body[0].body[0] — expected an instruction, got an array of 3 (spread it: ...part)',
    ],
  ])('names the position of %s', (_, wrong, line) => {
    const message = lineOf(step(wrong))
    expect(message).toMatch(/^mine: build returned a wrong Program at body\[0\]/)
    expect(message).toContain(line)
  })

  it('finds what is missing in a list with holes', () => {
    const body = new Array<Instruction>(2)
    body[0] = { do: 'batch' }
    expect(lineOf({ ...step(), body })).toContain('at body[1] — expected an instruction, got undefined')
  })

  it('refuses what is no Program at all', () => {
    expect(lineOf(undefined)).toContain('expected what trainingProgram(context, { … }, …step) gives, got undefined')
    expect(lineOf(computeGradients())).toContain('got an array of 2')
    expect(lineOf({ ...step(), drain: undefined })).toContain('at drain — expected an array of instructions, got undefined')
    expect(lineOf({ ...step(), divisor: 'globl' })).toContain("got 'globl' (did you mean global?)")
    expect(lineOf({ ...step(), store: { shards: 2, admission: { kind: 'ssp' } } })).toContain('at store — expected { shards, admission }')
  })

  it('knows the one buffer of a classical system', () => {
    const sum = (buffer: string) => ({ ...step(), body: [{ do: 'allReduce', buffer, algorithm: 'native' }], drain: [] })
    expect(lineOf(sum('statistic'), 'statistic')).toBe('accepted')
    expect(lineOf(sum('statistics'), 'statistic')).toContain("expected statistic, got 'statistics' (did you mean statistic?)")
    expect(lineOf(sum('statistic'), 'deep')).toContain('expected gradients | parameters')
  })
})
