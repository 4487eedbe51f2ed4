import type { ReadExternal } from './options.ts'
import { DataError } from '../../errors.ts'
import { elementCount } from '../../graph/graph.ts'
import { type messages, onnx } from '../../runtime/onnx-proto.ts'
import type { Static } from './operand.ts'

type TensorProto = messages.ITensorProto

const kinds = onnx.TensorProto.DataType

/** How elements lie in raw bytes, by their kind. */
const raw: Readonly<Record<number, { readonly bytes: number; readonly read: (view: DataView, at: number) => number }>> = {
  [kinds.FLOAT]: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  [kinds.DOUBLE]: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
  [kinds.FLOAT16]: { bytes: 2, read: (view, at) => halfToNumber(view.getUint16(at, true)) },
  [kinds.BFLOAT16]: { bytes: 2, read: (view, at) => topToNumber(view.getUint16(at, true)) },
  [kinds.INT64]: { bytes: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  [kinds.INT32]: { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  [kinds.INT16]: { bytes: 2, read: (view, at) => view.getInt16(at, true) },
  [kinds.INT8]: { bytes: 1, read: (view, at) => view.getInt8(at) },
  [kinds.UINT8]: { bytes: 1, read: (view, at) => view.getUint8(at) },
  [kinds.BOOL]: { bytes: 1, read: (view, at) => view.getUint8(at) },
}

const floats: ReadonlySet<number> = new Set([kinds.FLOAT, kinds.DOUBLE, kinds.FLOAT16, kinds.BFLOAT16])

/**
 * A stored tensor. Floating-point numbers of any width become float32, whole numbers int64.
 * @throws {DataError} DATA when its kind is not known, or its data are not whole
 */
export function readTensor(tensor: TensorProto, external?: ReadExternal): Static {
  const name = tensor.name ?? ''
  const type = Number(tensor.dataType ?? 0)
  const shape = (tensor.dims ?? []).map(Number)
  const count = elementCount(shape)
  const form = raw[type]
  if (form === undefined) {
    const got = kindNames.get(type) ?? `kind ${type}`
    throw new DataError(`import: the tensor ${name} has elements that cannot be read — expected floats, whole numbers or bool, got ${got}`)
  }
  const bytes = bytesOf(tensor, external)
  const given = bytes === undefined ? lists(tensor, type) : undefined
  const got = bytes === undefined ? (given?.length ?? 0) : bytes.byteLength / form.bytes
  if (got !== count) {
    throw new DataError(`import: the tensor ${name} is damaged — expected ${count} elements for [${shape.join(', ')}], got ${got}`)
  }
  const isFloat = floats.has(type)
  const data = isFloat ? new Float32Array(count) : new Float64Array(count)
  if (bytes !== undefined) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let i = 0; i < count; i++) data[i] = form.read(view, i * form.bytes)
  } else {
    for (let i = 0; i < count; i++) data[i] = given?.[i] as number
  }
  return { kind: 'static', dtype: isFloat ? 'float32' : type === kinds.BOOL ? 'bool' : 'int64', shape, data }
}

const kindNames = new Map(Object.entries(kinds).map(([name, number]) => [Number(number), name.toLowerCase()]))

/** Raw bytes of a tensor, in the file or beside it; undefined where its elements are a list. */
function bytesOf(tensor: TensorProto, external?: ReadExternal): Uint8Array | undefined {
  if (tensor.dataLocation !== onnx.TensorProto.DataLocation.EXTERNAL) {
    const bytes = tensor.rawData
    return bytes === null || bytes === undefined || bytes.byteLength === 0 ? undefined : bytes
  }
  const entry = (key: string): string | undefined => tensor.externalData?.find((each) => each.key === key)?.value ?? undefined
  const location = entry('location') ?? ''
  if (external === undefined) {
    throw new DataError(
      `import: the weights of ${tensor.name} are in another file, ${location} — expected it beside the model (give the model by its path)`,
    )
  }
  const length = entry('length')
  return external(location, Number(entry('offset') ?? 0), length === undefined ? undefined : Number(length))
}

/** Elements that are listed one by one. Halves are listed by their bits. */
function lists(tensor: TensorProto, type: number): readonly number[] {
  if (type === kinds.FLOAT) return tensor.floatData ?? []
  if (type === kinds.DOUBLE) return tensor.doubleData ?? []
  if (type === kinds.INT64) return (tensor.int64Data ?? []).map(Number)
  const numbers = (tensor.int32Data ?? []).map(Number)
  if (type === kinds.FLOAT16) return numbers.map(halfToNumber)
  return type === kinds.BFLOAT16 ? numbers.map(topToNumber) : numbers
}

/** IEEE 754 half precision. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** bfloat16: the upper half of a float32. */
function topToNumber(bits: number): number {
  const view = new DataView(new ArrayBuffer(4))
  view.setUint32(0, bits << 16)
  return view.getFloat32(0)
}
