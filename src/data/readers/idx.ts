import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { DType } from '../../memory/dtype.ts'
import type { Dataset } from '../dataset.ts'
import { openByteStream } from '../files/byte-stream.ts'
import { fileFault } from '../files/file-fault.ts'
import { makeDataset } from '../make-dataset.ts'
import type { ReadContext } from '../read-context.ts'
import { LabelColumn } from './label-column.ts'
import type { Reader, ReadOptions } from './reader.ts'

/** How IDX files (MNIST's format) are read. */
export interface IdxOptions extends ReadOptions {
  /** File of labels, itself IDX. Default `auto`: the sibling named with `labels` for `images` and `idx1` for `idx3`, if there. */
  readonly labels?: 'auto' | 'none' | (string & {})
}

/** An array as an IDX file holds it, in the element kind that keeps its values exactly. */
export interface IdxArray {
  readonly dtype: Exclude<DType, 'bool'>
  readonly shape: readonly number[]
  /** Bytes of one element in the file. */
  readonly fileBytes: number
  readonly values: Uint8Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>
}

interface Element {
  readonly sizeBytes: number
  readonly dtype: IdxArray['dtype']
  readonly read: (view: DataView, byte: number) => number
}

/** By the third byte of the file. All numbers are big-endian. */
const elements: Readonly<Record<number, Element>> = {
  8: { sizeBytes: 1, dtype: 'uint8', read: (view, byte) => view.getUint8(byte) },
  9: { sizeBytes: 1, dtype: 'int32', read: (view, byte) => view.getInt8(byte) },
  11: { sizeBytes: 2, dtype: 'int32', read: (view, byte) => view.getInt16(byte) },
  12: { sizeBytes: 4, dtype: 'int32', read: (view, byte) => view.getInt32(byte) },
  13: { sizeBytes: 4, dtype: 'float32', read: (view, byte) => view.getFloat32(byte) },
  14: { sizeBytes: 8, dtype: 'float64', read: (view, byte) => view.getFloat64(byte) },
}

const arrays = { uint8: Uint8Array, int32: Int32Array, float32: Float32Array, float64: Float64Array } as const
const largestBytes = 2 ** 32 - 2 ** 16

/**
 * Reads IDX images (or any IDX array of rows), with their labels from a second file. Bytes stay bytes.
 * @see Y. LeCun, C. Cortes, C. Burges, The MNIST database of handwritten digits (description of the format)
 */
export const idx: Reader<IdxOptions> = {
  id: 'idx',
  title: 'IDX arrays (MNIST), labels in a second file',
  extensions: ['-ubyte', '.idx', '.idx1', '.idx3'],
  detect: (head) => head.length >= 4 && head[0] === 0 && head[1] === 0 && head[2]! in elements && head[3]! >= 1 && head[3]! <= 8,
  read: readImages,
}

async function readImages(path: string, options: IdxOptions = {}, context: ReadContext = {}): Promise<Dataset> {
  const images = await readIdxArray(path, options, context)
  const labelPath = labelFile(path, options.labels ?? 'auto')
  const labels = labelPath === undefined ? undefined : await readLabels(labelPath, options, images.shape[0]!, context)
  // Images of bytes are pixels; other integers have no natural scale.
  const isImage = images.dtype === 'uint8' && images.shape.length >= 3
  const features = images.dtype === 'int32' ? { ...images, dtype: 'float64', values: Float64Array.from(images.values) } : images
  return makeDataset({
    name: options.name ?? basename(path),
    features: { dtype: features.dtype, shape: features.shape, values: features.values } as Dataset['features'],
    target: labels?.target,
    classes: labels?.classes,
    normalize: options.normalize ?? { scale: isImage ? 1 / 255 : 1, shift: 0 },
  })
}

async function readLabels(
  path: string,
  options: IdxOptions,
  rows: number,
  context: ReadContext,
): Promise<ReturnType<LabelColumn['finish']>> {
  const { shape, values, fileBytes } = await readIdxArray(path, options, context)
  if (shape.length !== 1 || shape[0] !== rows) {
    const got = `an array of ${shape.join(' × ')}`
    throw fileFault({
      area: 'idx',
      path,
      byte: 4,
      what: 'the labels do not fit the images',
      expected: `${rows} labels`,
      got,
      mend: 'give the label file of the same set',
    })
  }
  const column = new LabelColumn({ task: 'classification', ...options })
  for (let row = 0; row < rows; row++) {
    const expected = column.add(String(values[row]!))
    if (expected === undefined) continue
    const byte = 8 + (row + (options.skipRows ?? 0)) * fileBytes
    throw fileFault({
      area: 'idx',
      path,
      byte,
      what: `label ${row} cannot be used`,
      expected,
      got: `${values[row]}`,
      mend: 'fetch the file again, or correct classes',
    })
  }
  return column.finish('float32')
}

function labelFile(path: string, labels: string): string | undefined {
  if (labels === 'none') return undefined
  if (labels !== 'auto') return labels
  const name = basename(path)
  const sibling = join(dirname(path), name.replace('images', 'labels').replace('idx3', 'idx1'))
  return sibling !== path && name.includes('images') && existsSync(sibling) ? sibling : undefined
}

/**
 * Reads one IDX file as an array.
 * @throws {DataError} naming the byte when the magic number is wrong, or the file is shorter or longer than its header says.
 */
export async function readIdxArray(
  path: string,
  options: Pick<ReadOptions, 'rows' | 'skipRows'> = {},
  context: ReadContext = {},
): Promise<IdxArray> {
  const stream = await openByteStream(path, context)
  const iterator = stream[Symbol.asyncIterator]()
  const fault = (byte: number, what: string, expected: string, got: string, mend = 'check that this is the right file, and whole'): Error =>
    fileFault({ area: 'idx', path, byte, what, expected, got, mend })
  try {
    let pending: Uint8Array = new Uint8Array(0)
    let position = 0
    const fill = async (into: Uint8Array, what: string): Promise<void> => {
      for (let filled = 0; filled < into.length; ) {
        if (pending.length === 0) {
          const next = await iterator.next()
          if (next.done) throw fault(position, `the file ends inside ${what}`, `${into.length - filled} more bytes`, 'the end of the file')
          pending = next.value
        }
        const piece = pending.subarray(0, into.length - filled)
        into.set(piece, filled)
        filled += piece.length
        position += piece.length
        pending = pending.subarray(piece.length)
      }
    }
    const magic = new Uint8Array(4)
    await fill(magic, 'its magic number')
    const element = elements[magic[2]!]
    const rank = magic[3]!
    if (magic[0] !== 0 || magic[1] !== 0 || !element || rank < 1 || rank > 8) {
      const got = `0x${Buffer.from(magic).toString('hex')}`
      throw fault(0, 'the magic number is wrong', '0x00000803 (images), 0x00000801 (labels) or another IDX type', got)
    }
    const header = new Uint8Array(4 * rank)
    await fill(header, 'its header')
    const sizes = Array.from({ length: rank }, (_, axis) => new DataView(header.buffer).getUint32(4 * axis))
    const total = sizes[0]!
    const rowElements = sizes.slice(1).reduce((a, b) => a * b, 1)
    const skip = options.skipRows ?? 0
    const rows = Math.max(0, Math.min(total - skip, options.rows ?? total))
    if (rows === 0 || rowElements === 0)
      throw fault(4, 'there are no rows', 'at least one', `${sizes.join(' × ')} in the header, ${skip} left out`)
    const sizeBytes = rows * rowElements * element.sizeBytes
    if (sizeBytes > largestBytes) throw fault(4, 'the header asks for too much', 'at most 4 GiB', `${sizes.join(' × ')} elements`)
    for (let left = skip * rowElements * element.sizeBytes; left > 0; left -= 1 << 20)
      await fill(new Uint8Array(Math.min(left, 1 << 20)), 'its rows')
    const bytes = new Uint8Array(sizeBytes)
    await fill(bytes, 'its rows')
    if (rows + skip === total && (pending.length > 0 || !(await iterator.next()).done)) {
      throw fault(position, 'the file goes on after its last row', `${position} bytes as its header says`, 'more')
    }
    return { dtype: element.dtype, shape: [rows, ...sizes.slice(1)], fileBytes: element.sizeBytes, values: decode(bytes, element) }
  } finally {
    await iterator.return?.()
    await stream.close()
  }
}

function decode(bytes: Uint8Array<ArrayBuffer>, element: Element): IdxArray['values'] {
  if (element.dtype === 'uint8') return bytes
  const values = new arrays[element.dtype](bytes.length / element.sizeBytes)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < values.length; i++) values[i] = element.read(view, i * element.sizeBytes)
  return values
}
