import type { Graph, TensorType } from '../../graph/graph.ts'
import type { NumericArray } from '../../memory/dtype.ts'
import type { ArgumentName, Descriptor } from '../drivers/onednn/operations.ts'
import type { Primitive } from '../drivers/onednn/resources.ts'

/** A piece of memory: an array that the caller binds, or a part of the executable's own block. Two slots are the same when they are one object. */
export interface Slot {
  readonly bytes: number
  /** The bound array that it is; absent for slots of the block. */
  readonly bound?: string
  /** The slot that it is a part of, and where that part begins, in bytes. */
  readonly within?: { readonly slot: Slot; readonly offset: number }
}

/** The slot that a part belongs to, and where it begins in there. */
export function wholeOf(slot: Slot): { readonly slot: Slot; readonly offset: number } {
  if (slot.within === undefined) return { slot, offset: 0 }
  const whole = wholeOf(slot.within.slot)
  return { slot: whole.slot, offset: whole.offset + slot.within.offset }
}

/** A slot, and how a tensor lies in it. */
export interface Operand {
  readonly slot: Slot
  readonly descriptor: Descriptor
}

/** One primitive of oneDNN. */
export interface PrimitiveStep {
  readonly kind: 'primitive'
  readonly primitive: Primitive
  readonly operands: readonly (readonly [ArgumentName, Operand])[]
  /** The second may take the place of the first, if nobody reads that afterwards. */
  readonly inPlace?: readonly [from: Slot, to: Slot]
}

/** One session of ONNX Runtime. */
export interface SessionStep {
  readonly kind: 'session'
  readonly graph: Graph
  /** Slots by the names of the graph's inputs and outputs. */
  readonly slots: ReadonlyMap<string, Slot>
}

/** One copy of bytes. */
export interface CopyStep {
  readonly kind: 'copy'
  readonly from: Slot
  readonly to: Slot
}

/** One float32 number, everywhere. */
export interface FillStep {
  readonly kind: 'fill'
  readonly slot: Slot
  readonly value: number
}

/** A slot, and what a loop sees in it. */
export type LoopOperand = TensorType & { readonly slot: Slot }

/** A loop of our own: for what no primitive computes and concerns few elements. */
export interface LoopStep {
  readonly kind: 'loop'
  readonly operands: Readonly<Record<string, LoopOperand>>
  /** Takes the operands' arrays. @returns The loop; it allocates nothing */
  bind(arrays: Readonly<Record<string, NumericArray>>): () => void
}

/** One instruction of a partitioned executable. */
export type Step = PrimitiveStep | SessionStep | CopyStep | FillStep | LoopStep

/** Every slot that a step reads or writes, whole. */
export function slotsOf(step: Step): readonly Slot[] {
  return partsOf(step).map((slot) => wholeOf(slot).slot)
}

function partsOf(step: Step): readonly Slot[] {
  switch (step.kind) {
    case 'primitive':
      return step.operands.map(([, { slot }]) => slot)
    case 'loop':
      return Object.values(step.operands).map(({ slot }) => slot)
    case 'session':
      return [...step.slots.values()]
    case 'copy':
      return [step.from, step.to]
    case 'fill':
      return [step.slot]
  }
}
