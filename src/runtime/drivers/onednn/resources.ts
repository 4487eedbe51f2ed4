/// <reference lib="esnext.disposable" preserve="true" />
import { created } from './created.ts'
import { plainStrides } from './dims.ts'
import { requireLibrary } from './library.ts'
import type { Library } from './library.ts'
import { queries } from './operations.ts'
import type { Activation, Descriptor, Operation, Pointer } from './operations.ts'

/** A primitive with what it was made of. */
export interface Primitive {
  readonly pointer: Pointer
  /** Of the operation: what backward operations take as their hint. */
  readonly operation: Pointer
  /** The order in memory of an argument, as the kernel has chosen it; undefined where it has none. */
  query(what: keyof typeof queries): Descriptor | undefined
}

/**
 * Native objects of one executable: descriptors, primitives, memory objects. They live until `close`, which is idempotent. Made and used in
 * one thread.
 */
export class Resources implements Disposable {
  readonly library: Library = requireLibrary()
  readonly #frees: (() => void)[] = []
  readonly #plain = new Map<string, Descriptor>()
  readonly #any = new Map<string, Descriptor>()
  readonly #orders = new Map<string, Descriptor>()
  readonly #strided = new Map<string, Descriptor>()
  readonly #attributes = new Map<string, Pointer>()
  #isOpen = true

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** A float32 tensor as the rest of the library stores it: dense, last dim fastest. */
  plain(shape: readonly number[]): Descriptor {
    return this.#described(this.#plain, shape, plainStrides(shape))
  }

  /** A float32 tensor whose elements lie so far apart along its dims. */
  strided(shape: readonly number[], strides: readonly number[]): Descriptor {
    return this.#described(this.#strided, shape, strides)
  }

  /** A float32 tensor in the order that a kernel likes best. */
  any(shape: readonly number[]): Descriptor {
    return this.#described(this.#any, shape, undefined)
  }

  /**
   * A box within a tensor, in the tensor's own order.
   * @throws {DnnError} BACKEND where the box cuts through the blocks of that order
   */
  part(whole: Descriptor, shape: readonly number[], offsets: readonly number[]): Descriptor {
    const { pointer, free } = this.library.binding.part(whole, shape, offsets)
    this.#frees.push(free)
    return pointer
  }

  /** The order in which convolutions like to write an image. */
  imageOrder(shape: readonly number[]): Descriptor {
    const key = shape.join(' ')
    const existing = this.#orders.get(key)
    if (existing !== undefined) return existing
    const [, channels] = shape as [number, number]
    const along = (extent: number): number[] => shape.slice(2).map(() => extent)
    const primitive = this.primitive({
      kind: 'convolution',
      training: true,
      src: this.any(shape),
      weights: this.any([channels, channels, ...along(1)]),
      bias: null,
      dst: this.any(shape),
      stride: along(1),
      dilation: along(0),
      padding: along(0),
    })
    const order = primitive.query('dst') ?? this.plain(shape)
    this.#orders.set(key, order)
    return order
  }

  /** Bytes that a tensor takes, padding of blocks included. */
  bytesOf(descriptor: Descriptor): number {
    return Number(this.library.functions.sizeOf(descriptor))
  }

  isEqual(left: Descriptor, right: Descriptor): boolean {
    return left === right || (this.library.functions.isEqual(left, right) as boolean)
  }

  /**
   * @param followedBy - A function that is applied to what the operation computes
   * @param factor - What it computes is multiplied by this, before that function (default 1)
   * @throws {DnnError} BACKEND when oneDNN has no kernel for it
   */
  primitive(operation: Operation, followedBy?: Activation, factor = 1): Primitive {
    return this.#primitive(this.library.binding.operation(operation, this.#attributesOf(followedBy, factor)))
  }

  /** Copies from one order of memory to another. */
  reorder(from: Descriptor, to: Descriptor): Primitive {
    const { functions, engine } = this.library
    const attributes = this.#attributesOf(undefined, 1)
    return this.#primitive(created((out) => functions.createReorder(out, from, engine, to, engine, attributes)))
  }

  /** A tensor at an address. */
  memory(descriptor: Descriptor, address: Pointer): Pointer {
    const { functions, engine } = this.library
    const memory = created((out) => functions.createMemory(out, descriptor, engine, address))
    this.#frees.push(() => functions.destroyMemory(memory))
    return memory
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    for (const free of this.#frees.reverse()) free()
    this.#frees.length = 0
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #described(known: Map<string, Descriptor>, shape: readonly number[], strides: readonly number[] | undefined): Descriptor {
    const key = `${shape.join(' ')} by ${strides?.join(' ')}`
    const existing = known.get(key)
    if (existing !== undefined) return existing
    const { pointer, free } = this.library.binding.describe(shape, strides)
    this.#frees.push(free)
    known.set(key, pointer)
    return pointer
  }

  #primitive(operation: Pointer): Primitive {
    const { functions } = this.library
    this.#frees.push(() => functions.destroyOperation(operation))
    const pointer = created((out) => functions.createPrimitive(out, operation))
    this.#frees.push(() => functions.destroyPrimitive(pointer))
    const query = (what: keyof typeof queries): Descriptor | undefined => {
      const descriptor = functions.query(operation, queries[what], 0) as Pointer | null
      return descriptor === null || this.bytesOf(descriptor) === 0 ? undefined : descriptor
    }
    return { pointer, operation, query }
  }

  /** Scratch memory is ours, so that it is shared by all primitives of an executable. */
  #attributesOf(followedBy: Activation | undefined, factor: number): Pointer {
    const key = `${followedBy} ${factor}`
    const existing = this.#attributes.get(key)
    if (existing !== undefined) return existing
    const { functions, binding } = this.library
    const attributes = created((out) => functions.createAttributes(out))
    this.#frees.push(() => functions.destroyAttributes(attributes))
    functions.setScratchpadMode(attributes, userScratchpad)
    if (followedBy !== undefined || factor !== 1) {
      const postOps = created((out) => functions.createPostOps(out))
      if (factor !== 1) binding.appendActivation(postOps, 'linear', factor)
      if (followedBy !== undefined) binding.appendActivation(postOps, followedBy, 0)
      // Copied into the attributes.
      functions.setPostOps(attributes, postOps)
      functions.destroyPostOps(postOps)
    }
    this.#attributes.set(key, attributes)
    return attributes
  }
}

const userScratchpad = 1
