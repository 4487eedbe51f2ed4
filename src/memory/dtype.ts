/** Element kinds that live in memory. `bool` is one byte, 0 or 1. int64 exists only as casts in the ONNX lowering. */
export type DType = 'float32' | 'float64' | 'int32' | 'uint8' | 'bool'

/** The typed array of each element kind. */
export interface ArrayOf {
  float32: Float32Array<ArrayBuffer>
  float64: Float64Array<ArrayBuffer>
  int32: Int32Array<ArrayBuffer>
  uint8: Uint8Array<ArrayBuffer>
  bool: Uint8Array<ArrayBuffer>
}

/** A typed array of any element kind. */
export type NumericArray = ArrayOf[DType]

const constructors = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const

/** Bytes of one element. */
export function bytesPerElement(dtype: DType): number {
  return constructors[dtype].BYTES_PER_ELEMENT
}

/** The typed-array class of an element kind. */
export function arrayConstructor<D extends DType>(dtype: D): (typeof constructors)[D] {
  return constructors[dtype]
}

/** The element kind of a typed array (`uint8` for bytes: `bool` cannot be told apart). */
export function dtypeOf(array: ArrayBufferView): DType {
  if (array instanceof Float32Array) return 'float32'
  if (array instanceof Float64Array) return 'float64'
  if (array instanceof Int32Array) return 'int32'
  return 'uint8'
}
