import koffi from 'koffi'
import { elementCount } from '../../graph/graph.ts'
import type { TensorType } from '../../graph/graph.ts'
import { arrayConstructor } from '../../memory/dtype.ts'
import type { NumericArray } from '../../memory/dtype.ts'
import { DnnError } from '../drivers/onednn/library.ts'
import { args } from '../drivers/onednn/operations.ts'
import type { ArgumentName, Pointer } from '../drivers/onednn/operations.ts'
import type { Resources } from '../drivers/onednn/resources.ts'
import type { OrtSession, OrtTensor } from '../ort.ts'
import type { Block } from './block.ts'
import { wholeOf } from './step.ts'
import type { LoopStep, Operand, PrimitiveStep, SessionStep, Slot, Step } from './step.ts'

/** What steps are bound to. */
export interface Binding {
  readonly resources: Resources
  readonly sessions: ReadonlyMap<Step, OrtSession>
  readonly block: Block
  /** The caller's arrays, by the name of the slot. */
  readonly arrays: ReadonlyMap<string, NumericArray>
}

/** Fixes all addresses. @returns What runs the steps in order; it allocates nothing */
export function bindSteps(steps: readonly Step[], binding: Binding): () => void {
  const calls = steps.map((step) => bindStep(step, binding))
  return () => {
    for (const call of calls) call()
  }
}

function bindStep(step: Step, binding: Binding): () => void {
  if (step.kind === 'primitive') return bindPrimitive(step, binding)
  if (step.kind === 'session') return bindSession(step, binding)
  if (step.kind === 'loop') return bindLoop(step, binding)
  const bytesAt = (slot: Slot): Uint8Array => bytesIn(arrayOf(slot, { shape: [slot.bytes], dtype: 'uint8' }, binding))
  if (step.kind === 'fill') {
    const { value } = step
    const filled = arrayOf(step.slot, { shape: [step.slot.bytes / Float32Array.BYTES_PER_ELEMENT], dtype: 'float32' }, binding)
    return () => filled.fill(value)
  }
  const [source, target] = [bytesAt(step.from), bytesAt(step.to)]
  return () => target.set(source)
}

function bytesIn({ buffer, byteOffset, byteLength }: NumericArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

function bindLoop({ operands, bind }: LoopStep, binding: Binding): () => void {
  return bind(Object.fromEntries(Object.entries(operands).map(([name, { slot, ...type }]) => [name, arrayOf(slot, type, binding)])))
}

function bindSession(step: SessionStep, binding: Binding): () => void {
  const tensors = (values: readonly (TensorType & { readonly name: string })[]): Map<string, OrtTensor> =>
    new Map(
      values.map(({ name, shape, dtype }) => {
        const data = arrayOf(step.slots.get(name) as Slot, { shape, dtype }, binding)
        return [name, { shape: shape.map(Number), type: dtype, data }]
      }),
    )
  const session = binding.sessions.get(step) as OrtSession
  return session.bind(tensors(step.graph.inputs), tensors(step.graph.outputs))
}

/** Size of `dnnl_exec_arg_t`: a number, padding, an address. */
const argumentBytes = 16

function bindPrimitive({ primitive, operands }: PrimitiveStep, binding: Binding): () => void {
  const { functions, stream } = binding.resources.library
  const list = new DataView(new ArrayBuffer(Math.max(argumentBytes * operands.length, 128)))
  operands.forEach(([name, operand], i) => {
    list.setInt32(argumentBytes * i, args[name satisfies ArgumentName], true)
    list.setBigUint64(argumentBytes * i + 8, memoryOf(operand, binding), true)
  })
  const bytes = new Uint8Array(list.buffer)
  const [pointer, count] = [primitive.pointer, operands.length]
  return () => {
    const status = functions.execute(pointer, stream, count, bytes) as number
    if (status !== 0) throw new DnnError('dnnl_primitive_execute', status)
  }
}

function memoryOf({ slot: part, descriptor }: Operand, { resources, block, arrays }: Binding): Pointer {
  const { slot, offset } = wholeOf(part)
  const start = slot.bound === undefined ? block.addressOf(slot) : (koffi.address(arrays.get(slot.bound) as NumericArray) as Pointer)
  return resources.memory(descriptor, start + BigInt(offset))
}

function arrayOf(part: Slot, { shape, dtype }: TensorType, { block, arrays }: Binding): NumericArray {
  const { slot, offset } = wholeOf(part)
  const length = elementCount(shape.map(Number))
  if (slot.bound === undefined) return block.arrayOf(slot, offset, dtype, length)
  const { buffer, byteOffset } = arrays.get(slot.bound) as NumericArray
  const Constructor = arrayConstructor(dtype) as unknown as new (buffer: ArrayBuffer, offset: number, length: number) => NumericArray
  return new Constructor(buffer, byteOffset + offset, length)
}
