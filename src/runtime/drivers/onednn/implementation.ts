import koffi from 'koffi'
import type { Declare } from './library.ts'
import type { Pointer } from './operations.ts'

const nameQuery = 8

/** Tells the names of kernels: several can serve an operation, and the library offers them one after the other. */
export function implementationNames(declare: Declare): (descriptor: Pointer) => string {
  const query = declare('int dnnl_primitive_desc_query(void *descriptor, int what, int index, void *out)')
  return (descriptor) => {
    const out = new BigUint64Array(1)
    query(descriptor, nameQuery, 0, out)
    return koffi.decode(out[0] as bigint, 'char', -1) as unknown as string
  }
}

/** True for an operation that is better served by the kernel that packs its operands than by the one that the library offers first. */
export function wantsPacking(operation: { readonly kind: string; readonly packs?: boolean }): boolean {
  return operation.kind === 'matmul' && operation.packs === true
}

/** Part of the name of the kernels that pack their operands. */
export const packing = 'gemm'
