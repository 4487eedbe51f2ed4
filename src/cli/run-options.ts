/**
 * The options of `tutti run` and `tutti compare`, once: each row names the library's option, how its text is read and what it does. The
 * same rows read configuration files, so that a file and a flag can never mean different things.
 * @packageDocumentation
 */
import { type Command, Option } from 'commander'
import { ConfigError } from '../errors.ts'
import { fabricNames } from '../fabric/launch.ts'
import { requireKnownKeys } from './config-file.ts'
import {
  argument,
  kebabCase,
  parseBoolean,
  parseBytes,
  parseInteger,
  parseListOf,
  parseNumber,
  parseOneOf,
  parseSetting,
  parseSize,
  parseUntil,
  repeatable,
} from './parse.ts'
import { parseFault, parseHosts, parseNetwork, parsePartition, parseSchedule } from './parse-experiment.ts'

/** One option. */
export interface RunOption {
  /** Name in the library, in configuration files and (in kebab-case) on the command line. */
  readonly name: string
  /** What stands for the value in the help; absent for switches. */
  readonly value?: string
  readonly doc: string
  parse(text: string): unknown
  /** May be given several times; the values form a list. */
  readonly repeatable?: true
  /** Heading in the help. */
  readonly group: string
}

/** Values of options by their library name, as far as they were given: plain data. */
export type Settings = Readonly<Record<string, unknown>>

const positive = (text: string): number => parseInteger(text, { min: 1 })
const aboveZero = (text: string): number => parseNumber(text, { above: 0 })
const fraction = (text: string): number => parseNumber(text, { min: 0, max: 1 })

const rows = {
  system: { value: 'id', doc: 'how the work is spread: an id of `tutti systems`, or a file of yours (./my-system.ts)', parse: String },
  workload: {
    value: 'id',
    doc: 'what is learned from which data: an id of `tutti workloads` (default: the home of the system)',
    parse: String,
  },
  rows: { value: 'n', doc: 'only the first n training rows (500, 10k, 1M)', parse: parseSize },
  seed: { value: 'n', doc: 'seed of everything random (default 1)', parse: (text: string) => parseInteger(text, { min: 0 }) },
} as const

const spreading = {
  fabric: { value: 'name', doc: `${fabricNames.join(', ')} (default threads)`, parse: parseOneOf(fabricNames) },
  workers: { value: 'n', doc: 'ranks (default 1)', parse: positive },
  threadsPerProcess: { value: 'n', doc: 'hybrid: rank threads in each process', parse: positive },
  hosts: { value: 'a:8,b:8', doc: 'hosts and their slots, as mpirun takes them', parse: parseHosts },
  reproducible: { doc: 'same bits for the same ranks, seed and plan: collectives in a fixed order', parse: parseBoolean },
  timeoutMs: { value: 'ms', doc: 'longest wait for another rank (default 60000)', parse: positive },
  network: { value: 'profile', doc: 'limit every link: lan, 100mbit, wan, or 5ms:12.5mb', parse: parseNetwork },
} as const

const budget = {
  epochs: { value: 'n', doc: 'passes over the training rows (default: the recipe of the workload)', parse: aboveZero },
  steps: { value: 'n', doc: 'learning steps, instead of epochs', parse: positive },
  until: { value: 'metric=value', doc: 'end as soon as the score reaches it, such as accuracy=0.98', parse: parseUntil },
} as const

const training = {
  globalBatchSize: { value: 'n', doc: 'rows of all ranks in one step', parse: positive },
  microBatches: { value: 'n', doc: "parts of each rank's batch, computed one after another", parse: positive },
  lastBatch: { value: 'drop|pad', doc: "what becomes of an epoch's last, partial batch", parse: parseOneOf(['drop', 'pad']) },
  partition: { value: 'kind', doc: 'how rows are dealt out: shared, iid, contiguous, by-label, dirichlet:ALPHA', parse: parsePartition },
  learningRate: { value: 'x', doc: 'base rate of the optimiser', parse: aboveZero },
  momentum: { value: 'x', doc: 'of SGD', parse: fraction },
  weightDecay: { value: 'x', doc: 'of the optimiser', parse: (text: string) => parseNumber(text, { min: 0 }) },
  schedule: {
    value: 'kind',
    doc: 'constant, cosine[:FLOOR], step:EVERY[:FACTOR], polynomial[:POWER] or inverse-sqrt:STEPS',
    parse: parseSchedule,
  },
  warmup: { value: 'steps', doc: 'steps over which the learning rate grows from 0', parse: positive },
  gradClipNorm: { value: 'x', doc: 'longest gradient', parse: aboveZero },
  gradClipValue: { value: 'x', doc: 'largest element of a gradient', parse: aboveZero },
  validation: { value: 'share', doc: 'share of the training rows that is held out and scored', parse: fraction },
  evaluateEvery: {
    value: 'steps',
    doc: 'steps between two evaluations (default: 10 to 40 evaluations a run; --steps below an epoch: one, at the end)',
    parse: positive,
  },
  patience: { value: 'n', doc: 'end when n evaluations brought no improvement', parse: positive },
  keepBest: { doc: 'keep the parameters with the best score too', parse: parseBoolean },
  checkpointEverySeconds: {
    value: 's',
    doc: 'between two checkpoints (default 60)',
    parse: (text: string) => parseNumber(text, { min: 0 }),
  },
  intraOpThreads: {
    value: 'n',
    doc: 'threads inside one operator, or auto: the cores over the workers (default 1: parallelism comes from ranks)',
    parse: (text: string) => (text === 'auto' ? ('auto' as const) : positive(text)),
  },
  driver: {
    value: 'auto|onnxruntime|onednn',
    doc: 'what runs the graphs (default auto: the faster one, measured once for each graph and machine)',
    parse: parseOneOf(['auto', 'onnxruntime', 'onednn']),
  },
} as const

const several = {
  set: {
    value: 'key=value',
    doc: 'option of the system (tutti systems ID lists them); may be repeated',
    parse: parseSetting,
    repeatable: true,
  },
  fault: {
    value: 'kind:rank@n',
    doc: 'inject a fault after n communications of a rank: crash, throw, hang, slow (slow:1@100x2)',
    parse: parseFault,
    repeatable: true,
  },
  mpirunArg: { value: 'arg', doc: 'further argument for mpirun; may be repeated', parse: String, repeatable: true },
} as const

type ValueOf<O> = O extends { readonly repeatable: true; parse(text: string): infer V }
  ? readonly V[]
  : O extends { parse(text: string): infer V }
    ? V
    : never
type ValuesOf<T> = { readonly [K in keyof T]?: ValueOf<T[K]> }

/** What `tutti run` was told. */
export type RunSettings = ValuesOf<typeof rows & typeof spreading & typeof budget & typeof training & typeof several>

/** What is told about training and ending, by `run` and `compare` alike. */
export type TrainingSettings = ValuesOf<typeof budget & typeof training>

/** Options that only networks have. */
export const trainingNames = Object.keys(training) as readonly (keyof typeof training)[]

const tableOf = (group: string, entries: Readonly<Record<string, Omit<RunOption, 'name' | 'group'>>>): RunOption[] =>
  Object.entries(entries).map(([name, entry]) => ({ name, group, ...entry }))

/** Options of `tutti run`. */
export const runOptions: readonly RunOption[] = [
  ...tableOf('What to run:', { ...rows, set: several.set }),
  ...tableOf('How to spread it:', { ...spreading, mpirunArg: several.mpirunArg, fault: several.fault }),
  ...tableOf('When to end:', budget),
  ...tableOf('Training of networks, over the recipe of the workload:', training),
]

/** Lists where `run` has one value. */
const compared = {
  systems: { value: 'a,b', doc: "ids of `tutti systems`, or files of yours (default: the workload's own)", parse: parseListOf(String) },
  workloads: { value: 'a,b', doc: 'ids of `tutti workloads` (default: the preset of `tutti compare`)', parse: parseListOf(String) },
  fabrics: { value: 'a,b', doc: `${fabricNames.join(', ')} (default threads)`, parse: parseListOf(parseOneOf(fabricNames)) },
  workers: { value: '1,2,4', doc: 'numbers of ranks (default 1,2)', parse: parseListOf(positive) },
  rows: { value: '1k,10k', doc: "numbers of training rows (default: the workload's)", parse: parseListOf(parseSize) },
  repeat: { value: 'n', doc: 'runs of every case, with seeds 1, 2, … (default 1)', parse: positive },
} as const

const limits = {
  hosts: spreading.hosts,
  network: spreading.network,
  memoryLimit: { value: 'bytes', doc: 'leave out what needs more memory on this machine (512mb, 2GiB)', parse: parseBytes },
  reproducible: spreading.reproducible,
  timeoutMs: spreading.timeoutMs,
} as const

/** What `tutti compare` was told. */
export type CompareSettings = ValuesOf<
  typeof compared & typeof limits & typeof budget & typeof training & Pick<typeof several, 'set' | 'mpirunArg'>
>

/** Options of `tutti compare`. */
export const compareOptions: readonly RunOption[] = [
  ...tableOf('What to compare:', { ...compared, set: several.set }),
  ...tableOf('How to spread it:', { ...limits, mpirunArg: several.mpirunArg }),
  ...tableOf('When to end:', budget),
  ...tableOf('Training of networks, over the recipes of the workloads:', training),
]

/** Adds the options to a command, under their headings. */
export function addOptions(command: Command, options: readonly RunOption[]): Command {
  for (const option of options) {
    const flag = `--${kebabCase(option.name)}`
    const made = new Option(option.value === undefined ? flag : `${flag} <${option.value}>`, option.doc).helpGroup(option.group)
    if (option.value !== undefined) made.argParser(parserOf(option))
    command.addOption(made)
  }
  return command
}

/** Picks what commander parsed, under the library's names. */
export function settingsOf(parsed: Readonly<Record<string, unknown>>, options: readonly RunOption[]): Settings {
  return Object.fromEntries(options.flatMap(({ name }) => (parsed[name] === undefined ? [] : [[name, parsed[name]]])))
}

/**
 * One set of settings over another. `epochs` and `steps` are one question: an answer replaces the other's.
 * @throws {ConfigError} when `later` has both
 */
export function settingsOver<T extends Settings>(earlier: T, later: T): T {
  const { epochs, steps } = later
  if (epochs !== undefined && steps !== undefined)
    throw new ConfigError(`--epochs, --steps: a run ends by one of them — expected --epochs or --steps, got ${epochs} and ${steps}`)
  const replaced = epochs !== undefined ? 'steps' : steps !== undefined ? 'epochs' : undefined
  return { ...Object.fromEntries(Object.entries(earlier).filter(([name]) => name !== replaced)), ...later } as T
}

/** Reads the values of a configuration file with the parsers of the command line. @throws {ConfigError} naming file and option. */
export function settingsOfFile(values: Readonly<Record<string, unknown>>, options: readonly RunOption[], file: string): Settings {
  requireKnownKeys(
    Object.keys(values),
    options.map((option) => option.name),
    `config: ${file}`,
  )
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, readValue(options.find((option) => option.name === name)!, value, file)]),
  )
}

function readValue(option: RunOption, value: unknown, file: string): unknown {
  try {
    if (option.name === 'set' && isRecord(value)) return Object.entries(value)
    if (option.repeatable) return (Array.isArray(value) ? value : [value]).map((entry) => option.parse(textOf(entry)))
    return option.parse(textOf(value))
  } catch (error) {
    throw new ConfigError(`config: ${file}: ${option.name}: ${(error as Error).message}`)
  }
}

/** Values of a file are numbers, words and lists of them, written as on the command line. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join(',')
  if (isRecord(value)) {
    const [entry, ...more] = Object.entries(value)
    if (entry !== undefined && more.length === 0) return `${entry[0]}=${String(entry[1])}`
    throw new ConfigError(`expected a value as on the command line, got ${JSON.stringify(value)}`)
  }
  return String(value)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parserOf({ parse, repeatable: isRepeatable }: RunOption): (text: string, earlier: unknown) => unknown {
  return isRepeatable ? (text, earlier) => repeatable(parse)(text, earlier as unknown[] | undefined) : argument(parse)
}
