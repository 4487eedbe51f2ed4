import koffi from 'koffi'
import { arrayConstructor } from '../../memory/dtype.ts'
import type { DType, NumericArray } from '../../memory/dtype.ts'
import { planMemory } from './memory-plan.ts'
import type { MemoryPlan } from './memory-plan.ts'
import type { Slot, Step } from './step.ts'

const alignment = 64

/** Bytes that begin at a cache line. */
interface Place {
  readonly buffer: ArrayBuffer
  readonly start: number
  readonly address: bigint
}

function placeOf(bytes: number): Place {
  const buffer = new ArrayBuffer(bytes + alignment)
  const address = koffi.address(new Uint8Array(buffer)) as bigint
  const start = -address & BigInt(alignment - 1)
  return { buffer, start: Number(start), address: address + start }
}

/** The place that blocks of this thread share, as soon as one of them is used: with room for the largest of those that are open. */
let shared: Place | undefined
const sharers = new Set<Block>()
let sharedBytes = 0

/**
 * The memory of an executable: one allocation that its steps share, and, if told so, with the steps of other executables. Those of one thread
 * run one after the other, and nothing of a run is needed when it has ended.
 */
export class Block {
  readonly #plan: MemoryPlan
  readonly #own: Place | undefined

  constructor(steps: readonly Step[], isShared: boolean) {
    this.#plan = planMemory(steps)
    if (!isShared) {
      this.#own = placeOf(this.#plan.bytes)
      return
    }
    sharers.add(this)
    if (this.#plan.bytes <= sharedBytes) return
    sharedBytes = this.#plan.bytes
    shared = undefined
  }

  /** Size in bytes. */
  get bytes(): number {
    return this.#plan.bytes
  }

  /** Another object as soon as the slots lie elsewhere, because a larger block has come to share its place. */
  get place(): object {
    return this.#place
  }

  get #place(): Place {
    if (this.#own !== undefined) return this.#own
    shared ??= placeOf(sharedBytes)
    return shared
  }

  /** Where a slot of the block lies. */
  addressOf(slot: Slot): bigint {
    return this.#place.address + BigInt(this.#plan.offsetOf(slot))
  }

  /** A slot of the block, from `offset` bytes on, as an array. */
  arrayOf(slot: Slot, offset: number, dtype: DType, length: number): NumericArray {
    const Constructor = arrayConstructor(dtype) as unknown as new (buffer: ArrayBuffer, offset: number, length: number) => NumericArray
    const { buffer, start } = this.#place
    return new Constructor(buffer, start + this.#plan.offsetOf(slot) + offset, length)
  }

  /** Gives back its share. Idempotent. */
  close(): void {
    if (!sharers.delete(this) || sharers.size > 0) return
    shared = undefined
    sharedBytes = 0
  }
}
