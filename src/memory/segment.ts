/// <reference lib="esnext.disposable" preserve="true" />
/**
 * A segment is one shared `WebAssembly.Memory`, created with initial = maximum and never grown: pages cost nothing until they are touched,
 * every worker thread sees them, Wasm kernels and `Atomics` work on them, and an aliased plain `ArrayBuffer` (one per thread) gives them to
 * ONNX Runtime, MPI and oneDNN without a copy.
 *
 * Layout: `[0, 64 KiB)` is reserved (null, the kernels' constants, and the word that counts what is allocated), then bump allocation in
 * steps of 64 bytes; the last 64 bytes stay free. Nothing is freed one by one: what belongs together gets a segment of its own and goes
 * with it.
 * @packageDocumentation
 */
import { MemoryError, ShapeError } from '../errors.ts'
import { aliasOf } from './alias.ts'
import type { ArrayOf, DType, NumericArray } from './dtype.ts'
import { arrayConstructor, bytesPerElement, dtypeOf } from './dtype.ts'
import type { Handle } from './handle.ts'
import { alignmentBytes, allocationBytes } from './handle.ts'

export type { Handle } from './handle.ts'

/** What another thread needs to attach: can be posted, and shares the memory instead of copying it. */
export interface SegmentRef {
  readonly id: string
  readonly label: string
  readonly memory: WebAssembly.Memory
}

const pageBytes = 65536
const maximumPages = 65536
/** Bytes at the start of every segment that no allocation gets. */
const reservedBytes = pageBytes
/** Bytes at the end of every segment that no allocation gets: SIMD kernels may load a whole vector at an array's last element. */
const slackBytes = alignmentBytes
/** Word of the reserved part that holds the bump pointer, in steps of `alignmentBytes` (4 GiB fit). The kernels' constants lie above it. */
const usedWord = 4

/** The most bytes that one segment can hold (wasm32 and `ArrayBuffer` end at 4 GiB). */
export const maximumSegmentBytes = maximumPages * pageBytes - reservedBytes - slackBytes

const attached = new Map<string, WeakRef<Segment>>()
const byBuffer = new WeakMap<ArrayBufferLike, Segment>()
const collected = new FinalizationRegistry<string>((id) => {
  if (attached.get(id)?.deref() === undefined) attached.delete(id)
})

/** A block of memory that all threads of the process share. Make one with {@link Segment.create}, elsewhere with {@link Segment.attach}. */
export class Segment {
  readonly id: string
  /** What it is for, in error messages. */
  readonly label: string
  /** Bytes that can be allocated: what was asked for, or somewhat more, since memory comes in pages of 64 KiB. */
  readonly sizeBytes: number
  readonly memory: WebAssembly.Memory
  /** The alias of this thread. Arrays on it are what the rest of the library exchanges. */
  readonly buffer: ArrayBuffer
  readonly #creator: boolean
  readonly #header: Int32Array<SharedArrayBuffer>
  #closed = false

  private constructor(ref: SegmentRef, creator: boolean) {
    this.id = ref.id
    this.label = ref.label
    this.memory = ref.memory
    const shared = sharedBuffer(ref.memory)
    this.sizeBytes = shared.byteLength - reservedBytes - slackBytes
    this.#creator = creator
    this.#header = new Int32Array(shared, 0, reservedBytes / Int32Array.BYTES_PER_ELEMENT)
    this.buffer = aliasOf(ref.memory)
    attached.set(this.id, new WeakRef(this))
    byBuffer.set(this.buffer, this)
    collected.register(this, this.id)
  }

  /**
   * A new segment with room for `sizeBytes`, all zero. The room is address space: memory is used as pages are touched.
   *
   * @param sizeBytes - Sum of {@link allocationBytes} of what will be allocated, at most {@link maximumSegmentBytes}.
   * @throws {MemoryError} when it is larger than a segment can be, or the system has no address space left.
   */
  static create(sizeBytes: number, label: string): Segment {
    if (!(sizeBytes >= 0 && sizeBytes <= maximumSegmentBytes)) {
      throw new MemoryError(
        `segment "${label}": cannot be created — expected 0 to ${maximumSegmentBytes} bytes, got ${sizeBytes} ` +
          '(split it into several segments)',
        { label, askedBytes: sizeBytes, usedBytes: 0, freeBytes: maximumSegmentBytes },
      )
    }
    const pages = Math.ceil((reservedBytes + sizeBytes + slackBytes) / pageBytes)
    return new Segment({ id: globalThis.crypto.randomUUID(), label, memory: sharedMemory(pages, sizeBytes, label) }, true)
  }

  /** The segment behind `ref` in this thread: the same object however often it is called, and the creator's own in its thread. */
  static attach(ref: SegmentRef): Segment {
    return attached.get(ref.id)?.deref() ?? new Segment(ref, false)
  }

  /** The segment in which `array` lies, or undefined when it lies on the ordinary heap. */
  static of(array: ArrayBufferView): Segment | undefined {
    return byBuffer.get(array.buffer)
  }

  /** Bytes allocated so far, by the creator, as every thread sees it. */
  get usedBytes(): number {
    return Atomics.load(this.#header, usedWord) * alignmentBytes
  }

  /** What to post to another thread. */
  get ref(): SegmentRef {
    return { id: this.id, label: this.label, memory: this.memory }
  }

  /**
   * A zeroed array at the next multiple of 64 bytes. Only the thread that created the segment allocates; the others get a {@link Handle}.
   *
   * @param length - Elements.
   * @throws {MemoryError} with `askedBytes`, `usedBytes` and `freeBytes` when it does not fit.
   */
  allocate<D extends DType>(dtype: D, length: number, label = 'array'): ArrayOf[D] {
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new ShapeError(`segment "${this.label}": cannot allocate "${label}" — expected a whole number of elements, got ${length}`)
    }
    if (!this.#creator || this.#closed) {
      const why = this.#closed ? 'the segment is closed' : 'this thread is attached only'
      throw new MemoryError(
        `segment "${this.label}": cannot allocate "${label}" — expected the open segment of its creator, got a call where ${why} ` +
          '(allocate where it was created and pass a handle)',
        this.#figures(allocationBytes(dtype, length), label),
      )
    }
    const asked = allocationBytes(dtype, length)
    const used = this.usedBytes
    if (asked > this.sizeBytes - used) {
      throw new MemoryError(
        `segment "${this.label}": no room for "${label}" — expected at most ${this.sizeBytes - used} free bytes, got ${asked} asked with ` +
          `${used} of ${this.sizeBytes} used (make the segment larger)`,
        this.#figures(asked, label),
      )
    }
    Atomics.store(this.#header, usedWord, (used + asked) / alignmentBytes)
    return this.#viewAt(dtype, reservedBytes + used, length)
  }

  /**
   * The array that `handle` names, on this thread's alias.
   * @throws {MemoryError} when the handle is of another segment or reaches past the end.
   */
  view<D extends DType>(handle: Handle & { dtype: D }): ArrayOf[D] {
    this.#check(handle)
    return this.#viewAt(handle.dtype, handle.byteOffset, handle.length)
  }

  /**
   * What to post in place of `array`.
   * @param dtype - Needed for `bool` only, which shares its array class with `uint8`.
   * @throws {MemoryError} when it does not lie in this segment.
   */
  handleOf(array: NumericArray, dtype: DType = dtypeOf(array)): Handle {
    if (array.buffer !== this.buffer) {
      const place = Segment.of(array) ? 'of another segment' : 'on the heap'
      throw new MemoryError(
        `segment "${this.label}": no handle — expected an array on this segment, got one ${place} (allocate it here, or copy it)`,
      )
    }
    return { segment: this.id, byteOffset: array.byteOffset, length: array.length, dtype }
  }

  /**
   * The same bytes as int32 words on the shared buffer itself, which is where `Atomics` (wait and notify too) work.
   * @throws {MemoryError} as {@link view}; {@link ShapeError} when the handle is not of whole aligned words.
   */
  shared(handle: Handle): Int32Array<SharedArrayBuffer> {
    this.#check(handle)
    const bytes = handle.length * bytesPerElement(handle.dtype)
    if (handle.byteOffset % 4 !== 0 || bytes % 4 !== 0) {
      throw new ShapeError(
        `segment "${this.label}": no words for atomics — expected whole int32 words, got ${bytes} bytes at ${handle.byteOffset}`,
      )
    }
    return new Int32Array(sharedBuffer(this.memory), handle.byteOffset, bytes / 4)
  }

  /**
   * Lets go of the segment in this thread: nothing more can be allocated, and attaching again makes a new alias. Views that somebody still
   * holds stay valid; the memory goes when the last one in any thread is gone. Idempotent; called by the owner only.
   */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    if (attached.get(this.id)?.deref() === this) attached.delete(this.id)
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #viewAt<D extends DType>(dtype: D, byteOffset: number, length: number): ArrayOf[D] {
    const Constructor = arrayConstructor(dtype) as unknown as new (buffer: ArrayBuffer, byteOffset: number, length: number) => ArrayOf[D]
    return new Constructor(this.buffer, byteOffset, length)
  }

  #check(handle: Handle): void {
    const end = handle.byteOffset + handle.length * bytesPerElement(handle.dtype)
    const limit = reservedBytes + this.sizeBytes
    if (handle.segment === this.id && handle.byteOffset >= reservedBytes && handle.length >= 0 && end <= limit) return
    const got = handle.segment === this.id ? `bytes ${handle.byteOffset} to ${end}` : `a handle of segment ${handle.segment}`
    throw new MemoryError(
      `segment "${this.label}": no such array — expected bytes ${reservedBytes} to ${limit} of segment ${this.id}, got ${got}`,
      { label: this.label, segment: handle.segment },
    )
  }

  #figures(askedBytes: number, what: string): Record<string, unknown> {
    const usedBytes = this.usedBytes
    return { label: this.label, what, askedBytes, usedBytes, freeBytes: this.sizeBytes - usedBytes }
  }
}

function sharedMemory(pages: number, sizeBytes: number, label: string): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new MemoryError(
      `segment "${label}": cannot be created — expected ${sizeBytes} bytes of address space, got none: ${reason} ` +
        '(close segments that are no longer used, or lift the limit on virtual memory)',
      { label, askedBytes: sizeBytes, usedBytes: 0, freeBytes: 0 },
    )
  }
}

function sharedBuffer(memory: WebAssembly.Memory): SharedArrayBuffer {
  return memory.buffer as unknown as SharedArrayBuffer
}
