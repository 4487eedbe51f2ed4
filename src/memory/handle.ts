import type { DType } from './dtype.ts'
import { bytesPerElement } from './dtype.ts'

/** Where an array lies: what crosses threads in its place, never a view (posting a view would copy the whole segment). */
export interface Handle {
  /** `Segment.id`. */
  readonly segment: string
  /** From the start of the segment; a multiple of the element size. */
  readonly byteOffset: number
  /** Elements. */
  readonly length: number
  readonly dtype: DType
}

/** Every allocation starts at a multiple of this many bytes: a cache line, and the widest vector that a native library loads. */
export const alignmentBytes = 64

/** Bytes that an allocation of `length` elements takes out of a segment, alignment included: what a caller sums to size one. */
export function allocationBytes(dtype: DType, length: number): number {
  return Math.ceil((length * bytesPerElement(dtype)) / alignmentBytes) * alignmentBytes
}

/** The handle of `length` elements from element `start` of `handle`. */
export function slice<D extends DType>(
  handle: Handle & { readonly dtype: D },
  start: number,
  length: number,
): Handle & { readonly dtype: D } {
  return { ...handle, byteOffset: handle.byteOffset + start * bytesPerElement(handle.dtype), length }
}
