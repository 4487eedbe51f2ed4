import { MemoryError, ShapeError } from '../errors.ts'
import type { ArrayOf, DType } from './dtype.ts'
import { allocationBytes } from './handle.ts'
import type { Segment } from './segment.ts'

/**
 * A stretch of a segment that one rank fills front to back: ranks that make the same calls get the same offsets, so the plan can add up
 * what a rank needs before it starts. Arrays are 64-byte aligned and zero until written.
 */
export class Region {
  readonly segment: Segment
  readonly byteOffset: number
  readonly sizeBytes: number
  readonly label: string
  #used = 0

  constructor(segment: Segment, byteOffset: number, sizeBytes: number, label: string) {
    this.segment = segment
    this.byteOffset = byteOffset
    this.sizeBytes = sizeBytes
    this.label = label
  }

  get usedBytes(): number {
    return this.#used
  }

  /** @throws {MemoryError} with asked, used and free bytes; {@link ShapeError} when `length` is no number of elements. */
  allocate<D extends DType>(dtype: D, length: number, label: string): ArrayOf[D] {
    if (!Number.isSafeInteger(length) || length < 0)
      throw new ShapeError(`${this.label}: cannot allocate ${label} — expected a whole number of elements, got ${length}`)
    const askedBytes = allocationBytes(dtype, length)
    const freeBytes = this.sizeBytes - this.#used
    if (askedBytes > freeBytes) {
      throw new MemoryError(
        `${this.label}: no room for ${label} — asked ${askedBytes} bytes, used ${this.#used}, free ${freeBytes} (the plan of this run is too small)`,
        { askedBytes, usedBytes: this.#used, freeBytes },
      )
    }
    const byteOffset = this.byteOffset + this.#used
    this.#used += askedBytes
    return this.segment.view({ segment: this.segment.id, byteOffset, length, dtype })
  }
}
