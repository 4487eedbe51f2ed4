import { readFileSync } from 'node:fs'
import { DataError } from '../errors.ts'
import type { Model } from '../nn/model.ts'
import { exportOnnx, importOnnx } from '../nn/onnx-file.ts'
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
   * Writes the inference model as ONNX (dynamic batch, parameters under their names), making the folder where there is none;
   * {@link loadModel} reads it back for further training.
   * @throws {ConfigError} when it cannot be written there.
   */
  save(path: string): void {
    replaceFile(path, exportOnnx(this.model, this.values))
  }
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
