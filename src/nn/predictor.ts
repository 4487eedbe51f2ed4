import { ConfigError, ShapeError } from '../errors.ts'
import { kinds, requireOptions, shown } from '../option-checks.ts'
import { elementsPerSample, outputNamed, parameterPrefix } from '../graph/graph.ts'
import type { NumericArray } from '../memory/dtype.ts'
import { arrayConstructor } from '../memory/dtype.ts'
import { compile } from '../runtime/compile.ts'
import type { Bound, Executable } from '../runtime/executable.ts'
import type { Model } from './model.ts'
import { requireTokens, tokenRanges } from './token-range.ts'
import type { TokenRanges } from './token-range.ts'
import { inferenceGraph } from './training-graph.ts'

/** Options of {@link Predictor.open}. */
export interface PredictorOptions {
  /** Rows that are computed at once (default 64); the last rows of a call are filled up. */
  readonly batchSize?: number
  /** Default 1. */
  readonly intraOpThreads?: number
}

/** What a model says of some rows. */
export interface Predictions {
  /** Rows, then the shape of one row's answer: `[5, 10]`, ten scores for each of five rows. Positions of a row come before its scores: `[5, 64, 65]`. */
  readonly shape: readonly number[]
  /** Row after row. */
  readonly values: Float32Array<ArrayBuffer>
}

/** A trained model that is ready to answer, batch by batch. Close it, or bind it with `await using`: native memory is not collected. */
export class Predictor implements AsyncDisposable {
  readonly #executable: Executable
  readonly #bound: Bound
  readonly #inputs: Readonly<Record<string, NumericArray>>
  readonly #output: Float32Array<ArrayBuffer>
  readonly #batchSize: number
  /** Of the int32 inputs. */
  readonly #ranges: ReadonlyMap<string, TokenRanges>
  /** Shape of the answer to one row. */
  readonly shape: readonly number[]

  private constructor(
    executable: Executable,
    bound: Bound,
    inputs: Readonly<Record<string, NumericArray>>,
    output: Float32Array<ArrayBuffer>,
    batchSize: number,
    shape: readonly number[],
    ranges: ReadonlyMap<string, TokenRanges>,
  ) {
    this.#executable = executable
    this.#bound = bound
    this.#inputs = inputs
    this.#output = output
    this.#batchSize = batchSize
    this.shape = shape
    this.#ranges = ranges
  }

  /**
   * Compiles the inference form of a model.
   * @param values - Parameter values by name
   * @throws {ConfigError} CONFIG when a parameter has no values, or the batch size is no positive integer
   */
  static async open(model: Model, values: Readonly<Record<string, Float32Array>>, options: PredictorOptions = {}): Promise<Predictor> {
    requireOptions('predictor', options, { batchSize: kinds.count, intraOpThreads: kinds.count })
    const { batchSize = 64, intraOpThreads = 1 } = options
    const graph = inferenceGraph(model)
    const executable = await compile(graph, { batchSize, intraOpThreads })
    try {
      const inputs: Record<string, NumericArray> = {}
      const parameters: Record<string, NumericArray> = {}
      for (const { name, dtype, length } of executable.inputs) {
        if (!name.startsWith(parameterPrefix)) inputs[name] = new (arrayConstructor(dtype))(length)
        else parameters[name] = Float32Array.from(requireValues(values, name.slice(parameterPrefix.length), length))
      }
      const outputs = Object.fromEntries(executable.outputs.map(({ name, dtype, length }) => [name, new (arrayConstructor(dtype))(length)]))
      const bound = executable.bind({ ...inputs, ...parameters, ...outputs })
      const { shape } = outputNamed(graph, 'output')
      const [rows, ...rest] = shape
      const positions = rows === undefined ? 1 : elementsPerSample([rows])
      const ofRow = [...(positions === 1 ? [] : [positions]), ...rest.map(Number)]
      const numbers = graph.inputs.filter(({ name, dtype }) => dtype === 'int32' && name in inputs)
      const ranges = new Map(numbers.map(({ name }) => [name, tokenRanges(graph, name)]))
      return new Predictor(executable, bound, inputs, outputs.output as Float32Array<ArrayBuffer>, batchSize, ofRow, ranges)
    } catch (error) {
      await executable.close()
      throw error
    }
  }

  /**
   * Answers for rows, normalised as in training. State that a language model carries begins at zero in every batch.
   * @param rows - Row after row; of a model with several inputs, an array for each by name
   * @throws {ShapeError} SHAPE when the elements are no whole rows
   * @throws {DataError} DATA when an element of an int32 input is no whole number, or none of the table that it picks a row of
   */
  async predict(rows: ArrayLike<number> | Readonly<Record<string, ArrayLike<number>>>): Promise<Predictions> {
    const named = this.#named(rows)
    const count = this.#countRows(named)
    for (const [name, ranges] of this.#ranges) requireTokens(named[name] ?? [], ranges, `predict: ${name} cannot be used`)
    const width = this.#output.length / this.#batchSize
    const values = new Float32Array(count * width)
    for (const [name, array] of Object.entries(this.#inputs)) if (!(name in named)) array.fill(0)
    for (let first = 0; first < count; first += this.#batchSize) {
      const size = Math.min(this.#batchSize, count - first)
      for (const [name, given] of Object.entries(named)) fillRows(this.#inputs[name] as NumericArray, given, first, size, this.#batchSize)
      await this.#bound.run()
      values.set(this.#output.subarray(0, size * width), first * width)
    }
    return { shape: [count, ...this.shape], values }
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.#executable.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #named(rows: ArrayLike<number> | Readonly<Record<string, ArrayLike<number>>>): Readonly<Record<string, ArrayLike<number>>> {
    const names = Object.keys(this.#inputs).filter((name) => !name.startsWith('carry:'))
    if (!isRows(rows)) throw wrongRows(rows)
    if (!('length' in rows)) {
      const unknown = Object.keys(rows).find((name) => !names.includes(name))
      if (unknown === undefined && names.every((name) => name in rows)) return rows as Readonly<Record<string, ArrayLike<number>>>
      throw new ConfigError(`predict: the inputs do not fit — expected ${names.join(', ')}, got ${Object.keys(rows).join(', ')}`)
    }
    const [only, ...others] = names
    if (only === undefined || others.length > 0)
      throw new ConfigError(`predict: the model has several inputs — expected an array for each of ${names.join(', ')} by name`)
    return { [only]: rows as ArrayLike<number> }
  }

  #countRows(named: Readonly<Record<string, ArrayLike<number>>>): number {
    const counts = Object.entries(named).map(([name, given]) => {
      const width = (this.#inputs[name] as NumericArray).length / this.#batchSize
      if (given.length % width !== 0)
        throw new ShapeError(`predict: ${name} holds no whole rows — expected a multiple of ${width} elements, got ${given.length}`)
      return given.length / width
    })
    const [count = 0] = counts
    if (counts.some((other) => other !== count))
      throw new ShapeError(`predict: the inputs have different numbers of rows — expected one number, got ${counts.join(', ')}`)
    return count
  }
}

/** Numbers, or objects of them; a Promise, a file's name and nested arrays are neither. */
function isRows(rows: unknown): boolean {
  if (typeof rows !== 'object' || rows === null || 'then' in rows) return false
  return !('length' in rows) || ['number', 'undefined'].includes(typeof (rows as ArrayLike<unknown>)[0])
}

function wrongRows(rows: unknown): ConfigError {
  return new ConfigError(
    `predict: the rows cannot be read — expected a data set or numbers, row after row in one array, got ${shown(rows)} (files: data.readFile)`,
  )
}

function requireValues(values: Readonly<Record<string, Float32Array>>, name: string, length: number): Float32Array {
  const array = values[name]
  if (array?.length === length) return array
  throw new ConfigError(`predict: the values of ${name} do not fit — expected ${length} elements, got ${array?.length ?? 'none'}`)
}

/** Rows `[first, first + size)` of `given`; the rest of the batch repeats the first row, so that no row is out of range. */
function fillRows(into: NumericArray, given: ArrayLike<number>, first: number, size: number, batchSize: number): void {
  const width = into.length / batchSize
  for (let i = 0; i < batchSize; i++) {
    const row = first + (i < size ? i : 0)
    for (let j = 0; j < width; j++) into[i * width + j] = given[row * width + j] as number
  }
}
