import { DTypeError, ShapeError } from '../../errors.ts'
import { dtypeOf, type NumericArray } from '../../memory/dtype.ts'
import { blockRange, type Operation } from '../communicator.ts'

/** User tags are `[0, tagLimit)`; the schedules use the tags above. */
export const tagLimit = 2 ** 20

/**
 * Refuses what cannot be right whatever the other ranks do.
 * @throws {ShapeError} for a wrong length, rank or tag; {@link DTypeError} for elements that cannot be reduced or differ between the two arrays.
 */
export function validateOperation(operation: Operation, rank: number, size: number): void {
  switch (operation.kind) {
    case 'barrier':
    case 'broadcast':
      break
    case 'send':
      validatePeer(operation.to, operation.tag, size, 'send: no such receiver')
      return
    case 'recv':
      validatePeer(operation.from, operation.tag, size, 'recv: no such sender')
      return
    case 'reduce':
    case 'allReduce':
      validateReducible(operation.kind, operation.data)
      break
    case 'reduceScatter':
      validateReducible(operation.kind, operation.data)
      validateBlock(operation.kind, operation.into, operation.data, rank, size)
      break
    case 'allGather':
      validateBlock(operation.kind, operation.data, operation.into, rank, size)
      break
    case 'gather':
      if (rank === operation.root) validateBlock(operation.kind, operation.data, needed(operation.into, 'gather', 'into'), rank, size)
      break
    case 'scatter':
      if (rank === operation.root) validateBlock(operation.kind, operation.into, needed(operation.data, 'scatter', 'data'), rank, size)
      break
    case 'allToAll':
      validateAllToAll(operation.data, operation.into, size)
      break
  }
  if ('root' in operation && !(Number.isInteger(operation.root) && operation.root >= 0 && operation.root < size)) {
    throw new ShapeError(`${operation.kind}: no such root — expected a rank from 0 to ${size - 1}, got ${operation.root}`)
  }
}

function validatePeer(peer: number, tag: number, size: number, what: string): void {
  if (!(Number.isInteger(peer) && peer >= 0 && peer < size))
    throw new ShapeError(`${what} — expected a rank from 0 to ${size - 1}, got ${peer}`)
  if (!(Number.isInteger(tag) && tag >= 0 && tag < tagLimit))
    throw new ShapeError(`tag: out of range — expected 0 to ${tagLimit - 1}, got ${tag}`)
}

function validateReducible(kind: string, data: NumericArray): void {
  if (data instanceof Uint8Array) throw new DTypeError(`${kind}: bytes cannot be reduced — expected float32, float64 or int32, got uint8`)
}

function needed(array: NumericArray | undefined, kind: string, name: string): NumericArray {
  if (array === undefined) throw new ShapeError(`${kind}: the root has no array — expected \`${name}\` on the root, got nothing`)
  return array
}

function validateBlock(kind: string, block: NumericArray, whole: NumericArray, rank: number, size: number): void {
  if (dtypeOf(block) !== dtypeOf(whole)) throw mixed(kind, block, whole)
  const { start, end } = blockRange(whole.length, size, rank)
  if (block.length !== end - start) {
    throw new ShapeError(
      `${kind}: rank ${rank} has a block of another length — expected ${end - start} of ${whole.length} elements over ${size} ranks, got ${block.length} (cut with blockRange)`,
    )
  }
}

function validateAllToAll(data: NumericArray, into: NumericArray, size: number): void {
  if (dtypeOf(data) !== dtypeOf(into)) throw mixed('allToAll', data, into)
  if (data.length !== into.length || data.length % size !== 0) {
    throw new ShapeError(`allToAll: lengths do not fit — expected two equal multiples of ${size}, got ${data.length} and ${into.length}`)
  }
}

function mixed(kind: string, a: NumericArray, b: NumericArray): DTypeError {
  return new DTypeError(`${kind}: two element kinds — expected one, got ${dtypeOf(a)} and ${dtypeOf(b)}`)
}

/** Bytes of the array that decides what an operation costs. */
export function operationBytes(operation: Operation): number {
  switch (operation.kind) {
    case 'barrier':
      return 0
    case 'recv':
    case 'allGather':
      return operation.into.byteLength
    case 'gather':
      return operation.data.byteLength
    case 'scatter':
      return operation.data?.byteLength ?? 0
    default:
      return operation.data.byteLength
  }
}
