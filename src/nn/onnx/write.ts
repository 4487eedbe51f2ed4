import { ConfigError, ShapeError } from '../../errors.ts'
import { parameterPrefix } from '../../graph/graph.ts'
import { lowerGraph } from '../../runtime/lower.ts'
import type { Model } from '../model.ts'
import { parameterLength } from '../parameter.ts'
import { inferenceGraph } from '../training-graph.ts'
import { metadataKey } from './metadata.ts'

/**
 * The inference model as an ONNX file: standard operators only, a free batch dimension, parameters as initialisers under their names. State that
 * is carried from batch to batch is an input `carry:<name>` and an output `carried:<name>`.
 * The model itself travels in the metadata, so `importOnnx` can continue its training.
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
