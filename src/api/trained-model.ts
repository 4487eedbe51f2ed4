import { readFileSync } from 'node:fs'
import { DataError } from '../errors.ts'
import type { Model } from '../nn/model.ts'
import { importOnnx } from '../nn/onnx/read.ts'
import { exportOnnx } from '../nn/onnx/write.ts'
import type { Dataset } from '../data/dataset.ts'
import { type Predictions, Predictor, type PredictorOptions } from '../nn/predictor.ts'
import { replaceFile } from '../records/replace-file.ts'

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
    return predictor.predict(isDataset(rows) ? normalisedFeatures(rows) : rows)
  }

  /** The model, compiled once for any number of calls. Close it. */
  predictor(options: PredictorOptions = {}): Promise<Predictor> {
    return Predictor.open(this.model, this.values, options)
  }

  /**
   * Writes the inference model as ONNX (dynamic batch, parameters under their names), making the folder where there is none;
   * {@link loadModel} reads it back for further training.
   * @throws {ConfigError} when it cannot be written there.
   */
  save(path: string): void {
    replaceFile(path, exportOnnx(this.model, this.values))
  }
}

function isDataset(rows: Dataset | Parameters<Predictor['predict']>[0]): rows is Dataset {
  return 'features' in rows && 'normalize' in rows
}

/** Features as the model takes them: value·scale + shift. */
function normalisedFeatures({ features: { values }, normalize: { scale, shift } }: Dataset): ArrayLike<number> {
  return values instanceof Int32Array || (scale === 1 && shift === 0) ? values : Float32Array.from(values, (value) => value * scale + shift)
}

/** Reads a model that {@link TrainedModel.save} wrote. @throws {DataError} when the file is missing or not one of ours. */
export function loadModel(path: string): TrainedModel {
  let bytes: Uint8Array
  try {
    bytes = readFileSync(path)
  } catch (cause) {
    throw new DataError(`model: cannot read ${path} — expected an ONNX file that tutti wrote`, { path }, cause)
  }
  const { model, values } = importOnnx(bytes)
  return new TrainedModel(model, values)
}
