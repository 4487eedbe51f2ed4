import { DataError } from '../../errors.ts'
import { modelFromJSON } from '../model.ts'
import type { Model, ModelJSON } from '../model.ts'
import { parameterLength } from '../parameter.ts'
import { importForeign } from './foreign.ts'
import type { ForeignOptions } from './options.ts'
import { metadataKey } from './metadata.ts'
import { decodeModel, readGraph } from './proto.ts'
import type { ModelProto } from './proto.ts'
import type { ReadExternal } from './options.ts'

/** Options of {@link importOnnx}; a file of ours needs none. */
export interface ImportOptions extends ForeignOptions {
  /** Reads weights that a big file keeps in another file beside it. */
  readonly external?: ReadExternal
}

/**
 * Model and parameter values from an ONNX file. A file that `exportOnnx` wrote gives the model back as it was: its training can go on. Any other
 * inference model of opset 13 to 23 is taken apart into our operators, with its floating-point tensors as parameters: a network that can be
 * trained, frozen in part, given another head, and exported again.
 *
 * A leading extent that is fixed becomes the batch; running statistics of batch norms follow the batches in training; whole-number inputs are
 * int32.
 * @throws {DataError} DATA in one line when the file is no ONNX model, is damaged, or has what cannot be read
 */
export function importOnnx(
  bytes: Uint8Array,
  options: ImportOptions = {},
): { model: Model; values: Record<string, Float32Array<ArrayBuffer>> } {
  const file = decodeModel(bytes)
  const json = file.metadataProps?.find((entry) => entry.key === metadataKey)?.value
  if (json !== undefined && json !== null) return ownModel(file, json)
  const { external, ...foreign } = options
  return importForeign(readGraph(file, external), foreign)
}

function ownModel(file: ModelProto, json: string): { model: Model; values: Record<string, Float32Array<ArrayBuffer>> } {
  const model = modelFromJSON(JSON.parse(json) as ModelJSON)
  const stored = new Map(file.graph?.initializer?.map((tensor) => [tensor.name, tensor.rawData]))
  const values = Object.fromEntries(
    model.parameters.map((spec) => {
      const raw = stored.get(spec.name)
      const length = parameterLength(spec)
      if (raw === undefined || raw === null || raw.byteLength !== 4 * length) {
        throw new DataError(
          `import: the values of ${spec.name} are damaged — expected ${4 * length} bytes, got ${raw?.byteLength ?? 'none'}`,
        )
      }
      // Raw data lies at any byte offset of the file: a copy is aligned.
      return [spec.name, new Float32Array(Uint8Array.from(raw).buffer)]
    }),
  )
  return { model, values }
}
