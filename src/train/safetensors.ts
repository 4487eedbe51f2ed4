/**
 * The safetensors file form: u64 little-endian header length, JSON header `{name: {dtype, shape, data_offsets}}`, raw bytes. Readable by every
 * framework; nothing in it is ever evaluated.
 * @packageDocumentation
 */
import { CheckpointError } from '../errors.ts'
import { arrayConstructor, type DType, dtypeOf, type NumericArray } from '../memory/dtype.ts'

const codes = { float32: 'F32', float64: 'F64', int32: 'I32', uint8: 'U8', bool: 'BOOL' } as const satisfies Record<DType, string>
const dtypes = new Map<string, DType>(Object.entries(codes).map(([dtype, code]) => [code, dtype as DType]))

/** A named array with its shape. */
export interface NamedTensor {
  readonly shape: readonly number[]
  readonly values: NumericArray
}

/** Encodes tensors and string metadata. */
export function encodeSafetensors(
  tensors: Readonly<Record<string, NamedTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata }
  let offset = 0
  for (const [name, { shape, values }] of Object.entries(tensors)) {
    header[name] = { dtype: codes[dtypeOf(values)], shape, data_offsets: [offset, offset + values.byteLength] }
    offset += values.byteLength
  }
  let text = JSON.stringify(header)
  text = text.padEnd(Math.ceil(text.length / 8) * 8, ' ')
  const head = new TextEncoder().encode(text)
  const bytes = new Uint8Array(8 + head.length + offset)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(head.length), true)
  bytes.set(head, 8)
  let at = 8 + head.length
  for (const { values } of Object.values(tensors)) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at)
    at += values.byteLength
  }
  return bytes
}

/** Decodes a file's bytes. @throws {CheckpointError} naming `path` when they are not whole. */
export function decodeSafetensors(
  bytes: Uint8Array,
  path: string,
): { tensors: Record<string, NamedTensor>; metadata: Record<string, string> } {
  const damaged = (what: string) => new CheckpointError(`checkpoint: ${path} is damaged — ${what} (use an older checkpoint)`, { path })
  if (bytes.length < 8) throw damaged(`expected at least 8 bytes, got ${bytes.length}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const headLength = Number(view.getBigUint64(0, true))
  if (8 + headLength > bytes.length) throw damaged(`header of ${headLength} bytes is longer than the file`)
  let header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headLength)))
  } catch {
    throw damaged('its header is not JSON')
  }
  const metadata = (header.__metadata__ ?? {}) as unknown as Record<string, string>
  delete header.__metadata__
  const tensors: Record<string, NamedTensor> = {}
  for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(header)) {
    const kind = dtypes.get(dtype)
    if (kind === undefined) throw damaged(`${name} has element kind ${dtype}, known are ${[...dtypes.keys()].join(', ')}`)
    const [start, end] = offsets
    if (8 + headLength + end > bytes.length) throw damaged(`${name} ends at byte ${8 + headLength + end}, the file at ${bytes.length}`)
    // Not `slice`: that of a Buffer shares its memory.
    const copy = new Uint8Array(bytes.subarray(8 + headLength + start, 8 + headLength + end))
    const Constructor = arrayConstructor(kind)
    tensors[name] = { shape, values: new Constructor(copy.buffer, 0, copy.length / Constructor.BYTES_PER_ELEMENT) }
  }
  return { tensors, metadata }
}
