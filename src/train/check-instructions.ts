/**
 * Finds what is no instruction in what a `build` returned, before anything starts: a part that was not spread, a kind or a field that does not exist,
 * a buffer that ranks of this kind do not have. Every fault is one line with its position in the Program (`body[0].body[3]`).
 * @packageDocumentation
 */
import { ConfigError } from '../errors.ts'
import { allReduceAlgorithms } from '../fabric/communicator.ts'
import { nearestName } from '../nearest-name.ts'
import type { Instruction, Loop, Program } from './program.ts'

/** What ranks run: the trainer of a network, or a classical learner. */
export type ProgramKind = 'deep' | 'statistic'

/** One field of an instruction. */
interface Field {
  readonly expected: string
  readonly isOptional?: boolean
  /** The words that it may be, where it is a word. */
  readonly words?: readonly string[]
  accepts(value: unknown): boolean
}

const word = (...words: readonly string[]): Field => ({
  expected: words.join(' | '),
  words,
  accepts: (value) => words.includes(value as string),
})
const atLeast = (least: number): Field => ({
  expected: `a whole number ≥ ${least}`,
  accepts: (value) => Number.isInteger(value) && (value as number) >= least,
})
const flag: Field = { expected: 'true or false', accepts: (value) => typeof value === 'boolean' }
const list: Field = { expected: 'an array of instructions', accepts: Array.isArray }
const optional = (field: Field): Field => ({ ...field, isOptional: true, accepts: (value) => value === undefined || field.accepts(value) })

type Fields = Readonly<Record<string, Field>>
type InstructionKind = Exclude<Instruction, Loop>['do']

const buffers = { deep: word('gradients', 'parameters'), statistic: word('statistic') }

const shared = (kind: ProgramKind) =>
  ({
    broadcast: { buffer: buffers[kind] },
    join: {},
    report: {},
    checkpoint: { always: optional(flag) },
    barrier: {},
  }) satisfies Partial<Record<InstructionKind, Fields>>

const instructions: Readonly<Record<ProgramKind, Readonly<Partial<Record<InstructionKind, Fields>>>>> = {
  deep: {
    batch: {},
    gradients: { segment: optional(atLeast(0)) },
    allReduce: {
      buffer: buffers.deep,
      bucket: optional(atLeast(0)),
      algorithm: word(...allReduceAlgorithms),
      overlap: optional(flag),
    },
    weigh: { buffer: buffers.deep },
    update: {},
    push: {},
    pull: {},
    agree: { by: word('tail', 'exchange', 'alone') },
    evaluate: { of: word('replica', 'average', 'snapshot', 'snapshots') },
    retire: {},
    ...shared('deep'),
  },
  statistic: {
    call: { method: word('localStat', 'nextState'), stage: word('setup', 'body', 'drain') },
    allReduce: { buffer: buffers.statistic, algorithm: word(...allReduceAlgorithms), overlap: optional(flag) },
    agree: { by: word('tail') },
    evaluate: { of: word('learner') },
    ...shared('statistic'),
  },
}

const loops: Readonly<Record<Loop['loop'], Fields>> = {
  repeat: { times: atLeast(0), body: list },
  every: { period: atLeast(1), body: list },
  unlessInterrupted: { body: list },
}

const frame: Fields = {
  setup: list,
  body: list,
  drain: list,
  buckets: optional({ expected: 'an array of arrays of parameter names', accepts: isBuckets }),
  store: optional({ expected: '{ shards, admission }', accepts: isStore }),
  replicasDiffer: flag,
  divisor: word('global', 'local'),
}

/**
 * @param system - id for the message
 * @throws {ConfigError} with one line: system, position, expected, got
 */
export function checkInstructions(system: string, kind: ProgramKind, program: unknown): asserts program is Program {
  const refuse: Refuse = (at, expected, got, mend) => {
    throw new ConfigError(`${system}: build returned a wrong Program${at && ` at ${at}`} — expected ${expected}, got ${got}${mend}`, {
      system,
      at,
    })
  }
  if (!isPlain(program) || 'do' in program || 'loop' in program)
    return refuse('', 'what trainingProgram(context, { … }, …step) gives', shortly(program), mendOf(program))
  checkFields(program, frame, '', refuse)
  const numBuckets = Array.isArray(program['buckets']) ? program['buckets'].length : 1
  const check = (body: readonly unknown[], path: string): void => {
    // An array with holes has no entries there: forEach would skip what the executor would not.
    for (let n = 0; n < body.length; n++) {
      const at = `${path}[${n}]`
      const inner = checkOne(body[n], kind, numBuckets, at, refuse)
      if (inner) check(inner, `${at}.body`)
    }
  }
  for (const part of ['setup', 'body', 'drain'] as const) check(program[part] as readonly unknown[], part)
}

type Refuse = (at: string, expected: string, got: string, mend: string) => never

/** @returns the instructions inside, for a loop. */
function checkOne(value: unknown, kind: ProgramKind, numBuckets: number, at: string, refuse: Refuse): readonly unknown[] | undefined {
  if (!isPlain(value) || !('do' in value || 'loop' in value)) return refuse(at, 'an instruction', shortly(value), mendOf(value))
  const isLoop = 'loop' in value
  const table: Readonly<Record<string, Fields | undefined>> = isLoop ? loops : instructions[kind]
  const name = isLoop ? value['loop'] : value['do']
  const fields = typeof name === 'string' && Object.hasOwn(table, name) ? table[name] : undefined
  if (fields === undefined) {
    const what = isLoop ? 'a loop' : kind === 'deep' ? 'an instruction of a network' : 'an instruction of a classical system'
    return refuse(at, `${what}: ${Object.keys(table).join(', ')}`, shortly(name), guess(name, Object.keys(table)))
  }
  checkFields(value, { [isLoop ? 'loop' : 'do']: word(String(name)), ...fields }, at, refuse)
  for (const field of ['segment', 'bucket']) {
    const number = value[field]
    if (typeof number === 'number' && number >= numBuckets)
      return refuse(`${at}.${field}`, `less than the ${numBuckets} bucket${numBuckets > 1 ? 's' : ''} of the Program`, String(number), '')
  }
  return isLoop ? (value['body'] as readonly unknown[]) : undefined
}

function checkFields(value: Readonly<Record<string, unknown>>, fields: Fields, at: string, refuse: Refuse): void {
  const dot = at === '' ? '' : `${at}.`
  for (const name of Object.keys(value)) {
    if (!Object.hasOwn(fields, name) && value[name] !== undefined)
      refuse(at, `the fields ${Object.keys(fields).join(', ')}`, name, guess(name, Object.keys(fields)))
  }
  for (const [name, field] of Object.entries(fields)) {
    if (!field.accepts(value[name])) refuse(`${dot}${name}`, field.expected, shortly(value[name]), guess(value[name], field.words ?? []))
  }
}

function guess(typed: unknown, names: readonly string[]): string {
  const nearest = typeof typed === 'string' ? nearestName(typed, names) : undefined
  return nearest === undefined ? '' : ` (did you mean ${nearest}?)`
}

/** What to do about the usual slips. */
function mendOf(value: unknown): string {
  if (Array.isArray(value)) return ' (spread it: ...part)'
  if (typeof value === 'function') return ` (call it: ${value.name || 'part'}(…))`
  if (typeof value === 'string') return ` (write { do: '${value}' })`
  return value instanceof Promise ? ' (a build does not wait: it returns the Program itself)' : ''
}

function shortly(value: unknown): string {
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === 'function') return 'a function'
  if (value instanceof Promise) return 'a Promise'
  if (typeof value === 'string') return `'${value}'`
  if (typeof value !== 'object' || value === null) return String(value)
  return `an object with ${Object.keys(value).join(', ') || 'nothing in it'}`
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Promise)
}

function isBuckets(value: unknown): boolean {
  return Array.isArray(value) && value.every((names) => Array.isArray(names) && names.every((name) => typeof name === 'string'))
}

function isStore(value: unknown): boolean {
  if (!isPlain(value) || !atLeast(1).accepts(value['shards']) || !isPlain(value['admission'])) return false
  const { kind, staleness } = value['admission']
  return kind === 'bsp' || kind === 'asp' || (kind === 'ssp' && atLeast(0).accepts(staleness))
}
