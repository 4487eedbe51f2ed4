/** Most dims that a descriptor can have. */
const maximumRank = 12

/** `dnnl_dims_t`. */
export function dims(extents: readonly number[]): BigInt64Array {
  const all = new BigInt64Array(maximumRank)
  extents.forEach((extent, d) => {
    all[d] = BigInt(extent)
  })
  return all
}

/** Numbers that describe tensors, the same in all versions. */
export const strided = {
  float32: 3,
  /** The order that the kernel likes best. */
  any: 1,
} as const

/** Strides of a dense tensor in the usual order. */
export function plainStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1)
  for (let d = shape.length - 2; d >= 0; d--) strides[d] = (strides[d + 1] as number) * (shape[d + 1] as number)
  return strides
}
