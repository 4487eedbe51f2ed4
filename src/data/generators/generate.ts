import { setImmediate } from 'node:timers/promises'
import { ConfigError } from '../../errors.ts'
import { arrayConstructor } from '../../memory/dtype.ts'
import type { Dataset, Tensor } from '../dataset.ts'
import { makeDataset } from '../make-dataset.ts'
import { type ReadContext, throwIfAborted } from '../read-context.ts'
import { type GeneratorId, generators } from './index.ts'
import type { Generator, GeneratorParameters } from './generator.ts'
import { faultText } from '../fault-text.ts'

/** What to generate. Defaults are the generator's own. */
export interface GenerateOptions {
  readonly rows?: number
  /** Evaluation rows, made from row number 2³¹ on (default the generator's, mostly 20,000; 0: none). */
  readonly testRows?: number
  readonly dims?: number
  /** Classes or clusters. */
  readonly classes?: number
  /** Different values of a categorical field. */
  readonly values?: number
  /** Standard deviation of the noise; `led-24`: chance that a segment flips. */
  readonly noise?: number
  /** Whole number below 2³² (default 1). */
  readonly seed?: number
  /** Element kind of features and regression targets, rounded from float64 (default float32). */
  readonly dtype?: 'float32' | 'float64'
}

const firstTestRow = 2 ** 31
/** Evaluation rows of a generator that does not say how many. */
export const defaultTestRows = 20_000

/** Tasks whose targets are values; the others have class numbers. */
const valueTasks: ReadonlySet<string> = new Set(['regression', 'click prediction'])

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
  const testRows = options.testRows ?? generator.testRows ?? defaultTestRows
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
    classes: valueTasks.has(generator.task) ? undefined : Array.from({ length: parameters.classes }, (_, label) => String(label)),
    featureNames: undefined,
    vocabulary: undefined,
    edges: undefined,
    order: undefined,
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
  const { targetWidth = 1, rowShape = [dims] } = generator
  const row = new Float64Array(dims)
  const targets = new Float64Array(targetWidth)
  const makeRow = generator.prepare(parameters)
  const features = emptyArray(generator.ids ? 'int32' : dtype, rows * dims)
  const target = emptyArray(valueTasks.has(generator.task) ? dtype : 'int32', rows * targetWidth)
  // A slice of some ten milliseconds, so that heartbeats and signals are served in between.
  const slice = Math.max(1, Math.floor(65_536 / dims))
  for (let start = 0; start < rows; start += slice) {
    const end = Math.min(rows, start + slice)
    for (let i = start; i < end; i++) {
      const label = makeRow(first + i, row, targets)
      if (targetWidth === 1) target.values[i] = label
      else target.values.set(targets, i * targetWidth)
      features.values.set(row, i * dims)
    }
    throwIfAborted(context.signal, `generating ${generator.id}`)
    context.onProgress?.({ phase: 'generate', name: generator.id, done: end, total: rows, unit: 'rows' })
    if (end < rows) await setImmediate()
  }
  return {
    features: { ...features, shape: [rows, ...rowShape] } as Dataset['features'],
    target: { ...target, shape: targetWidth === 1 ? [rows] : [rows, targetWidth] } as NonNullable<Dataset['target']>,
  }
}

function emptyArray(dtype: 'float32' | 'float64' | 'int32', length: number): Omit<Tensor<typeof dtype>, 'shape'> {
  return { dtype, values: new (arrayConstructor(dtype))(length) as Tensor<typeof dtype>['values'] }
}

function settle(generator: Generator, options: GenerateOptions): GeneratorParameters {
  const { id, defaults, limits } = generator
  for (const name of ['dims', 'classes', 'noise', 'values'] as const) {
    const value = options[name]
    if (value === undefined || value === (defaults[name] ?? 0)) continue
    const limit = limits[name]
    if (!limit) throw new ConfigError(faultText(`${id}: ${name} is fixed`, defaults[name] ?? 0, value, `leave ${name} out`))
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
  const { dims = defaults.dims, classes = defaults.classes, noise = defaults.noise, values = defaults.values ?? 0 } = options
  return { dims, classes, noise, values, seed }
}

function checkWhole(id: string, name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return
  throw new ConfigError(faultText(`${id}: ${name} cannot be ${value}`, `a whole number from ${min} to ${max}`, value, `correct ${name}`))
}
