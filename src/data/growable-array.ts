import { arrayConstructor, type ArrayOf, type DType } from '../memory/dtype.ts'

/** A typed array that doubles as values are appended; for rows whose number is not known before the file ends. */
export class GrowableArray<D extends DType> {
  readonly dtype: D
  #values: ArrayOf[D]
  #length = 0

  constructor(dtype: D, capacity = 1024) {
    this.dtype = dtype
    this.#values = new (arrayConstructor(dtype))(capacity) as ArrayOf[D]
  }

  get length(): number {
    return this.#length
  }

  /** Appends one value. */
  push(value: number): void {
    if (this.#length === this.#values.length) this.#grow(this.#length + 1)
    this.#values[this.#length++] = value
  }

  /** Appends all elements of an array. */
  append(values: ArrayLike<number>): void {
    if (this.#length + values.length > this.#values.length) this.#grow(this.#length + values.length)
    this.#values.set(values, this.#length)
    this.#length += values.length
  }

  /** Forgets everything from `length` on. */
  truncate(length: number): void {
    this.#length = Math.min(this.#length, length)
  }

  /** The values so far, as a view that the next `push` may leave behind. */
  view(): ArrayOf[D] {
    return this.#values.subarray(0, this.#length) as ArrayOf[D]
  }

  /** The values as an array of exactly their length. */
  toArray(): ArrayOf[D] {
    if (this.#length === this.#values.length) return this.#values
    return this.#values.slice(0, this.#length) as ArrayOf[D]
  }

  #grow(least: number): void {
    const grown = new (arrayConstructor(this.dtype))(Math.max(least, this.#values.length * 2, 16)) as ArrayOf[D]
    grown.set(this.#values.subarray(0, this.#length))
    this.#values = grown
  }
}
