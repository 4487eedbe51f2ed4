/**
 * The fixed-shape description of one collective that ranks compare before they exchange anything. MPI itself does not notice a
 * disagreement: other counts return success on one rank, other operations return wrong numbers on both.
 *
 *   word   0      1      2   3          4     5       6
 *          kind   dtype  op  algorithm  root  length  block
 *
 * `length` is the n of the block rule and −1 where a rank cannot know it (gather and scatter away from the root); `block` is what this rank
 * brings or takes and is compared with `blockRange(n, p, rank)` then.
 * @packageDocumentation
 */
import { ProtocolError } from '../../errors.ts'
import { type DType, dtypeOf } from '../../memory/dtype.ts'
import { allReduceAlgorithms, blockRange, type CollectiveKind, type Operation, type ReduceOp } from '../communicator.ts'

/** Every operation except send and recv. */
export type CollectiveOperation = Exclude<Operation, { kind: 'send' | 'recv' }>

/** Number of int32 words of a header. */
export const headerWords = 7

const kinds = [
  'barrier',
  'broadcast',
  'reduce',
  'allReduce',
  'reduceScatter',
  'allGather',
  'gather',
  'scatter',
  'allToAll',
  'agree',
  'split',
] as const satisfies readonly (CollectiveKind | 'agree' | 'split')[]
const dtypes = ['float32', 'float64', 'int32', 'uint8'] as const satisfies readonly DType[]
const ops = ['sum', 'max', 'min'] as const satisfies readonly ReduceOp[]

/** Writes the header of `operation` at `at`. */
export function writeHeader(operation: CollectiveOperation, into: Int32Array, at = 0): void {
  const array = arrayOf(operation)
  into[at] = kinds.indexOf(operation.kind)
  into[at + 1] = array === undefined ? -1 : (dtypes as readonly string[]).indexOf(dtypeOf(array))
  into[at + 2] = 'op' in operation ? ops.indexOf(operation.op) : -1
  into[at + 3] = operation.kind === 'allReduce' ? allReduceAlgorithms.indexOf(operation.algorithm ?? 'native') : -1
  into[at + 4] = 'root' in operation ? operation.root : -1
  into[at + 5] = lengthOf(operation)
  into[at + 6] = blockOf(operation)
}

/** Header of `agree`: the fingerprint's hash stands where the length does. */
export function writeAgreeHeader(fingerprint: string, into: Int32Array, at = 0): void {
  into.fill(-1, at, at + headerWords)
  into[at] = kinds.indexOf('agree')
  into[at + 5] = hash(fingerprint, 0x811c9dc5)
  into[at + 6] = hash(fingerprint, 0x050c5d1f)
}

/** Header of `split`; colours and keys differ between ranks and are not compared. */
export function writeSplitHeader(into: Int32Array, at = 0): void {
  into.fill(-1, at, at + headerWords)
  into[at] = kinds.indexOf('split')
}

/** FNV-1a over UTF-16 units, from two different starts. */
function hash(text: string, start: number): number {
  let value = start
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  return value | 0
}

function arrayOf(operation: CollectiveOperation): ArrayBufferView | undefined {
  if (operation.kind === 'barrier') return undefined
  return operation.kind === 'scatter' ? operation.into : operation.data
}

function lengthOf(operation: CollectiveOperation): number {
  switch (operation.kind) {
    case 'barrier':
      return 0
    case 'allGather':
      return operation.into.length
    case 'gather':
      return operation.into?.length ?? -1
    case 'scatter':
      return operation.data?.length ?? -1
    default:
      return operation.data.length
  }
}

function blockOf(operation: CollectiveOperation): number {
  if (operation.kind === 'gather') return operation.data.length
  return operation.kind === 'scatter' ? operation.into.length : -1
}

/** True when the headers of two ranks (at word offsets `a` and `b`) cannot belong to different operations; root and blocks are checked by {@link disagreement}. */
export function sameHeader(words: Int32Array, a: number, b: number): boolean {
  for (let word = 0; word < 6; word++) if (words[a + word] !== words[b + word]) return false
  return true
}

/** Gather and scatter: the root knows the length, the others their block, so equal words alone prove nothing. */
export function needsBlocks(words: Int32Array, at: number): boolean {
  const kind = kinds[words[at] as number]
  return kind === 'gather' || kind === 'scatter' || kind === 'agree'
}

/**
 * What is wrong with the headers of all ranks, `stride` words apart, or undefined.
 * @param number - Sequence number of the collective on this communicator, for the message.
 */
export function disagreement(words: Int32Array, size: number, stride: number, number: number): ProtocolError | undefined {
  const kind = kinds[words[0] as number]
  if (kind === 'agree') return disagreementOnProgram(words, size, stride, number)
  const rooted = kind === 'gather' || kind === 'scatter'
  const odd: number[] = []
  for (let rank = 1; rank < size; rank++)
    if (!(rooted ? sameButLength(words, rank * stride) : sameHeader(words, 0, rank * stride))) odd.push(rank)
  if (odd.length === 0 && rooted) {
    const length = words[(words[4] as number) * stride + 5] as number
    for (let rank = 0; rank < size; rank++) {
      const { start, end } = blockRange(length, size, rank)
      if (words[rank * stride + 6] !== end - start) odd.push(rank)
    }
    if (odd.length === 0) return undefined
  }
  if (odd.length === 0) return undefined
  return unlike(words, size, stride, number)
}

function unlike(words: Int32Array, size: number, stride: number, number: number): ProtocolError {
  const described = Array.from({ length: size }, (_, rank) => describeHeader(words, rank * stride))
  const listed = described.map((text, rank) => `rank ${rank}: ${text}`).join('; ')
  return new ProtocolError(
    `collective #${number}: ranks disagree — expected the same call on every rank, got ${listed} (start the same collectives in the same order)`,
    { ranks: minority(described), number, operations: described },
  )
}

function disagreementOnProgram(words: Int32Array, size: number, stride: number, number: number): ProtocolError | undefined {
  const prints = Array.from({ length: size }, (_, rank) => `${words[rank * stride + 5]}:${words[rank * stride + 6]}`)
  if (Array.from({ length: size }, (_, rank) => words[rank * stride]).some((kind) => kind !== words[0]))
    return unlike(words, size, stride, number)
  const ranks = minority(prints)
  if (ranks.length === 0) return undefined
  return new ProtocolError(
    `agree: ranks have different programs — expected one fingerprint on all ${size} ranks, got another on rank${ranks.length > 1 ? 's' : ''} ` +
      `${ranks.join(', ')} (start the same version with the same options everywhere)`,
    { ranks },
  )
}

function sameButLength(words: Int32Array, at: number): boolean {
  for (let word = 0; word < 5; word++) if (words[word] !== words[at + word]) return false
  return true
}

/** `allReduce sum float32[1024] ring`. */
export function describeHeader(words: Int32Array, at = 0): string {
  const kind = kinds[words[at] as number] ?? 'nothing known'
  const dtype = dtypes[words[at + 1] as number]
  const parts: string[] = [kind]
  const op = ops[words[at + 2] as number]
  if (op !== undefined) parts.push(op)
  const length = words[at + 5] as number
  if (dtype !== undefined) parts.push(`${dtype}[${length < 0 ? words[at + 6] : length}]`)
  const algorithm = allReduceAlgorithms[words[at + 3] as number]
  if (algorithm !== undefined && algorithm !== 'native') parts.push(algorithm)
  if ((words[at + 4] as number) >= 0) parts.push(`root ${words[at + 4]}`)
  return parts.join(' ')
}

/** Ranks whose value is not the most common one; among equally common ones that of the lowest rank stands. */
export function minority(values: readonly string[]): number[] {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  let common = values[0]
  for (const [value, count] of counts) if (count > (counts.get(common as string) ?? 0)) common = value
  return values.flatMap((value, rank) => (value === common ? [] : [rank]))
}
