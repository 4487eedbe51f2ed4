import koffi from 'koffi'
import { arrayConstructor } from '../../memory/dtype.ts'
import type { DType, NumericArray } from '../../memory/dtype.ts'
import { planMemory } from './memory-plan.ts'
import type { MemoryPlan } from './memory-plan.ts'
import type { Slot, Step } from './step.ts'

const alignment = 64

/** The memory of an executable: one allocation that its steps share. */
export class Block {
  readonly #plan: MemoryPlan
  readonly #buffer: ArrayBuffer
  readonly #start: number
  readonly #address: bigint

  constructor(steps: readonly Step[]) {
    this.#plan = planMemory(steps)
    this.#buffer = new ArrayBuffer(this.#plan.bytes + alignment)
    const address = koffi.address(new Uint8Array(this.#buffer)) as bigint
    this.#start = Number(-address & BigInt(alignment - 1))
    this.#address = address + BigInt(this.#start)
  }

  /** Size in bytes. */
  get bytes(): number {
    return this.#plan.bytes
  }

  /** Where a slot of the block lies. */
  addressOf(slot: Slot): bigint {
    return this.#address + BigInt(this.#plan.offsetOf(slot))
  }

  /** A slot of the block, from `offset` bytes on, as an array. */
  arrayOf(slot: Slot, offset: number, dtype: DType, length: number): NumericArray {
    const Constructor = arrayConstructor(dtype) as unknown as new (buffer: ArrayBuffer, offset: number, length: number) => NumericArray
    return new Constructor(this.#buffer, this.#start + this.#plan.offsetOf(slot) + offset, length)
  }
}
