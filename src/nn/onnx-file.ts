import onnxProto from 'onnx-proto'
import { ConfigError, DataError, ShapeError } from '../errors.ts'
import { parameterPrefix } from '../graph/graph.ts'
import { lowerGraph } from '../runtime/lower.ts'
import { modelFromJSON } from './model.ts'
import type { Model, ModelJSON } from './model.ts'
import { parameterLength } from './parameter.ts'
import { inferenceGraph } from './training-graph.ts'

const { onnx } = onnxProto

/** Key of the file's metadata under which the model itself is kept. */
const metadataKey = 'tutti.model'

/**
 * The inference model as an ONNX file: standard operators only, a free batch dimension, parameters as initialisers under their names.
 * The model itself travels in the metadata, so {@link importOnnx} can continue its training.
 *
 * @param values - One array per parameter name
 * @throws {ConfigError} CONFIG when an array is missing
 * @throws {ShapeError} SHAPE when an array has another length
 */
export function exportOnnx(model: Model, values: Readonly<Record<string, Float32Array>>): Uint8Array {
  const initializers = Object.fromEntries(
    model.parameters.map((spec) => {
      const array = values[spec.name]
      if (array === undefined) throw new ConfigError(`export: there are no values for ${spec.name} — expected an array for every parameter`)
      const length = parameterLength(spec)
      if (array.length !== length) throw new ShapeError(`export: ${spec.name} has another length — expected ${length}, got ${array.length}`)
      return [parameterPrefix + spec.name, array]
    }),
  )
  return lowerGraph(inferenceGraph(model), {
    target: 'portable',
    initializers,
    rename: (input) => (input.startsWith(parameterPrefix) ? input.slice(parameterPrefix.length) : input),
  }).finish(model.name, { [metadataKey]: JSON.stringify(model) })
}

/**
 * Model and parameter values from a file that {@link exportOnnx} wrote.
 * @throws {DataError} DATA when the file is no ONNX model, or not one of ours
 */
export function importOnnx(bytes: Uint8Array): { model: Model; values: Record<string, Float32Array<ArrayBuffer>> } {
  const file = decode(bytes)
  const json = file.metadataProps?.find((entry) => entry.key === metadataKey)?.value
  if (json === undefined || json === null) {
    throw new DataError('import: the ONNX file holds no model description — expected a file written by this package')
  }
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

function decode(bytes: Uint8Array): InstanceType<typeof onnx.ModelProto> {
  try {
    return onnx.ModelProto.decode(bytes)
  } catch (cause) {
    throw new DataError(`import: ${bytes.byteLength} bytes are no ONNX file — expected one written by this package`, {}, cause)
  }
}
