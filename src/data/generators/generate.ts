import { setImmediate } from 'node:timers/promises'
import { ConfigError } from '../../errors.ts'
import type { Dataset } from '../dataset.ts'
import { makeDataset } from '../make-dataset.ts'
import { type ReadContext, throwIfAborted } from '../read-context.ts'
import { type GeneratorId, generators } from './index.ts'
import type { Generator, GeneratorParameters } from './generator.ts'
import { faultText } from '../fault-text.ts'

/** What to generate. Defaults are the generator's own. */
export interface GenerateOptions {
  readonly rows?: number
  /** Evaluation rows, made from row number 2³¹ on (default 20,000; 0: none). */
  readonly testRows?: number
  readonly dims?: number
  /** Classes or clusters. */
  readonly classes?: number
  /** Standard deviation of the noise; `led-24`: chance that a segment flips. */
  readonly noise?: number
  /** Whole number below 2³² (default 1). */
  readonly seed?: number
  /** Element kind of features and regression targets, rounded from float64 (default float32). */
  readonly dtype?: 'float32' | 'float64'
}

const firstTestRow = 2 ** 31
const defaultTestRows = 20_000

/**
 * Makes a synthetic data set. The same options give the same bits everywhere; fewer rows are the first of more.
 * @remarks About half a second per 10 million normal values; the event loop runs on in between.
 * @throws {ConfigError} when an option is out of range or fixed for this generator.
 */
export async function generate(id: GeneratorId, options: GenerateOptions = {}, context: ReadContext = {}): Promise<Dataset> {
  if (!Object.hasOwn(generators, id)) {
    throw new ConfigError(
      faultText(`data: there is no generator '${id}'`, `one of ${Object.keys(generators).join(', ')}`, `'${id}'`, 'correct the id'),
    )
  }
  const generator: Generator = generators[id]
  const parameters = settle(generator, options)
  const rows = options.rows ?? generator.rows
  const testRows = options.testRows ?? defaultTestRows
  checkWhole(id, 'rows', rows, 1, firstTestRow)
  checkWhole(id, 'testRows', testRows, 0, firstTestRow)
  const dtype = options.dtype ?? 'float32'
  const source = (part: 'train' | 'test'): Dataset['source'] => ({
    kind: 'registry',
    id,
    options: { ...options, ...(part === 'test' && { part }) },
  })
  const make = async (name: string, first: number, count: number): Promise<Omit<Parameters<typeof makeDataset>[0], 'source' | 'test'>> => ({
    name,
    ...(await makeRows(generator, parameters, dtype, first, count, context)),
    classes: generator.task === 'regression' ? undefined : Array.from({ length: parameters.classes }, (_, label) => String(label)),
    featureNames: undefined,
    categories: undefined,
    missingValues: undefined,
    normalize: { scale: 1, shift: 0 },
  })
  const train = await make(id, 0, rows)
  const test =
    testRows > 0
      ? makeDataset({ ...(await make(`${id} test`, firstTestRow, testRows)), source: source('test'), test: undefined })
      : undefined
  return makeDataset({ ...train, source: source('train'), test })
}

async function makeRows(
  generator: Generator,
  parameters: GeneratorParameters,
  dtype: 'float32' | 'float64',
  first: number,
  rows: number,
  context: ReadContext,
): Promise<Pick<Dataset, 'features'> & { target: NonNullable<Dataset['target']> }> {
  const { dims } = parameters
  const row = new Float64Array(dims)
  const makeRow = generator.prepare(parameters)
  const features = dtype === 'float32' ? new Float32Array(rows * dims) : new Float64Array(rows * dims)
  const isRegression = generator.task === 'regression'
  const target = !isRegression ? new Int32Array(rows) : dtype === 'float32' ? new Float32Array(rows) : new Float64Array(rows)
  // A slice of some ten milliseconds, so that heartbeats and signals are served in between.
  const slice = Math.max(1, Math.floor(65_536 / dims))
  for (let start = 0; start < rows; start += slice) {
    const end = Math.min(rows, start + slice)
    for (let i = start; i < end; i++) {
      target[i] = makeRow(first + i, row)
      features.set(row, i * dims)
    }
    throwIfAborted(context.signal, `generating ${generator.id}`)
    context.onProgress?.({ phase: 'generate', name: generator.id, done: end, total: rows, unit: 'rows' })
    if (end < rows) await setImmediate()
  }
  return {
    features: { dtype, shape: [rows, dims], values: features } as Dataset['features'],
    target: { dtype: isRegression ? dtype : 'int32', shape: [rows], values: target } as NonNullable<Dataset['target']>,
  }
}

function settle(generator: Generator, options: GenerateOptions): GeneratorParameters {
  const { id, defaults, limits } = generator
  for (const name of ['dims', 'classes', 'noise'] as const) {
    const value = options[name]
    if (value === undefined || value === defaults[name]) continue
    const limit = limits[name]
    if (!limit) throw new ConfigError(faultText(`${id}: ${name} is fixed`, defaults[name], value, `leave ${name} out`))
    if (name === 'noise') {
      if (value >= limit.min && value <= limit.max) continue
      throw new ConfigError(
        faultText(`${id}: noise cannot be ${value}`, `${limit.min} to ${limit.max}`, value, `leave it out for ${defaults.noise}`),
      )
    }
    checkWhole(id, name, value, limit.min, limit.max)
  }
  const seed = options.seed ?? 1
  checkWhole(id, 'seed', seed, 0, 2 ** 32 - 1)
  return { dims: options.dims ?? defaults.dims, classes: options.classes ?? defaults.classes, noise: options.noise ?? defaults.noise, seed }
}

function checkWhole(id: string, name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return
  throw new ConfigError(faultText(`${id}: ${name} cannot be ${value}`, `a whole number from ${min} to ${max}`, value, `correct ${name}`))
}
