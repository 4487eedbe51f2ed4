import { readFileSync, statSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import { ConfigError, DataError, errorFromJSON, TuttiError } from '../errors.ts'
import { freeze } from '../nn/freeze.ts'
import type { Model } from '../nn/model.ts'
import { importOnnx } from '../nn/onnx/read.ts'
import type { ImportOptions } from '../nn/onnx/read.ts'
import { exportOnnx } from '../nn/onnx/write.ts'
import { type Dataset, isDataset } from '../data/dataset.ts'
import { type Predictions, Predictor, type PredictorOptions } from '../nn/predictor.ts'
import { replaceHead } from '../nn/replace-head.ts'
import { kinds, requireKind, requireOptions, shown } from '../option-checks.ts'
import { replaceFile } from '../records/replace-file.ts'
import { readBeside } from './read-beside.ts'

/** Options of {@link loadModel}. */
const importOptions = { name: kinds.text, dims: kinds.object, output: kinds.text }

/** A model with its parameter values: what training gives, and what goes on. */
export class TrainedModel {
  readonly model: Model
  /** Parameter values by name, in the shapes of `model.parameters`. */
  readonly values: Readonly<Record<string, Float32Array>>

  constructor(model: Model, values: Readonly<Record<string, Float32Array>>) {
    this.model = model
    this.values = values
  }

  /**
   * Answers for rows, in one call: `await trained.predict(images)`. Rows of a data set are normalised as the data set says; arrays must be.
   * For many calls, open a {@link predictor} once.
   * @param rows - A data set, or row after row; of a model with several inputs, an array for each by name
   * @throws {ShapeError} SHAPE when the elements are no whole rows
   */
  async predict(rows: Dataset | Parameters<Predictor['predict']>[0], options: PredictorOptions = {}): Promise<Predictions> {
    await using predictor = await this.predictor(options)
    // Awaited here: the predictor closes when this function returns.
    return await predictor.predict(isDataset(rows) ? normalisedFeatures(rows) : rows)
  }

  /** The model, compiled once for any number of calls. Close it. */
  predictor(options: PredictorOptions = {}): Promise<Predictor> {
    return Predictor.open(this.model, this.values, options)
  }

  /** The layers as a table: {@link Model.summary}. */
  summary(): string {
    return this.model.summary()
  }

  /** The layers as a picture: {@link Model.picture}. */
  picture(): string {
    return this.model.picture()
  }

  /**
   * The model with parameters that training leaves as they are: `trained.freeze('features.*')`. `*` stands for any characters.
   * @throws {ConfigError} when a pattern fits no parameter
   */
  freeze(pattern: string | readonly string[]): TrainedModel {
    return new TrainedModel(freeze(this.model, pattern), this.values)
  }

  /**
   * The model with a new last dense layer, `head`, for other classes; everything before it keeps its values.
   * @param seed - Of the first values of the new layer (default 1)
   * @throws {ConfigError} when the model has no dense layer
   */
  replaceHead(classes: number, seed?: number): TrainedModel {
    const { model, values } = replaceHead(this, classes, seed)
    return new TrainedModel(model, values)
  }

  /**
   * Writes the inference model as ONNX (dynamic batch, parameters under their names), making the folder where there is none;
   * {@link loadModel} reads it back for further training.
   * @param path - Ends in `.onnx`; `tutti export` writes other formats
   * @throws {ConfigError} when it cannot be written there.
   */
  save(path: string): void {
    requireKind('save', 'path', kinds.text, path)
    const extension = extname(path)
    if (extension.toLowerCase() !== '.onnx') {
      const mend = extension === '.safetensors' ? 'tutti export writes safetensors' : 'tutti export writes other formats'
      throw new ConfigError(`save: a model is written as ONNX — expected a path that ends in .onnx, got ${shown(path)} (${mend})`, { path })
    }
    replaceFile(path, exportOnnx(this.model, this.values))
  }
}

/** Features as the model takes them: value·scale + shift. */
function normalisedFeatures({ features: { values }, normalize: { scale, shift } }: Dataset): ArrayLike<number> {
  return values instanceof Int32Array || (scale === 1 && shift === 0) ? values : Float32Array.from(values, (value) => value * scale + shift)
}

/**
 * Reads a model from an ONNX file: one that {@link TrainedModel.save} wrote as it was, any other as a network of our operators whose
 * floating-point tensors are parameters (docs/onnx.md lists the operators). Weights that a big file keeps beside it are read, too.
 * @param from - The file, or the folder of a run, whose `model.onnx` is read
 * @throws {DataError} when the file is missing, damaged, or has what cannot be read.
 */
export function loadModel(from: string, options: Omit<ImportOptions, 'external'> = {}): TrainedModel {
  requireKind('loadModel', 'path', kinds.text, from)
  requireOptions('loadModel', options, importOptions)
  const path = statSync(from, { throwIfNoEntry: false })?.isDirectory() ? join(from, 'model.onnx') : from
  let bytes: Uint8Array
  try {
    bytes = readFileSync(path)
  } catch (cause) {
    throw new DataError(`model: cannot read ${path} — expected an ONNX file, or the folder of a finished run`, { path }, cause)
  }
  const name = basename(path).replace(/\.onnx$/, '')
  try {
    const { model, values } = importOnnx(bytes, { name, ...options, external: readBeside(path) })
    return new TrainedModel(model, values)
  } catch (error) {
    throw error instanceof TuttiError ? inFile(path, error) : error
  }
}

/** An error of the import that says which file it is. */
function inFile(path: string, error: TuttiError): TuttiError {
  const named = errorFromJSON({ ...error.toJSON(), message: error.message.replace(/^import: /, `import: ${path}: `) })
  return Object.assign(named, { cause: error })
}
