import { ConfigError, DTypeError, ShapeError } from '../errors.ts'
import { arrayConstructor } from '../memory/dtype.ts'
import type { NumericArray } from '../memory/dtype.ts'
import { elementCount } from '../graph/graph.ts'
import type { Graph, TensorType } from '../graph/graph.ts'
import type { Buffers, TensorInfo } from './executable.ts'

/** What a driver reads and writes, from a graph whose batch size is bound. */
export function tensorInfos(values: readonly (TensorType & { readonly name: string })[]): TensorInfo[] {
  return values.map(({ name, dtype, shape }) => {
    const extents = shape.map(Number)
    return { name, dtype, shape: extents, length: elementCount(extents) }
  })
}

/** Inputs and outputs of a bound graph. */
export function interfaceOf(graph: Graph): { inputs: TensorInfo[]; outputs: TensorInfo[] } {
  return { inputs: tensorInfos(graph.inputs), outputs: tensorInfos(graph.outputs) }
}

/** The array bound to a tensor. @throws {ConfigError} {@link DTypeError} {@link ShapeError} when it is missing or does not fit */
export function bufferFor(info: TensorInfo, buffers: Buffers): NumericArray {
  const array = buffers[info.name]
  if (array === undefined)
    throw new ConfigError(`bind: there is no array for ${info.name} — expected ${info.dtype} of length ${info.length}`)
  if (!(array instanceof arrayConstructor(info.dtype))) {
    throw new DTypeError(`bind: the array for ${info.name} holds other elements — expected ${info.dtype}, got ${array.constructor.name}`)
  }
  if (array.length !== info.length) {
    throw new ShapeError(
      `bind: the array for ${info.name} has another length — expected ${info.length} ([${info.shape.join(', ')}]), got ${array.length}`,
    )
  }
  return array
}
