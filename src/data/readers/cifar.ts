import { basename } from 'node:path'
import type { Dataset } from '../dataset.ts'
import { openByteStream } from '../files/byte-stream.ts'
import { fileFault } from '../files/file-fault.ts'
import { makeDataset } from '../make-dataset.ts'
import type { ReadContext } from '../read-context.ts'
import type { Reader, ReadOptions } from './reader.ts'

/** How files of the binary CIFAR-10 version are read. */
export type CifarOptions = ReadOptions

const pixels = 3 * 32 * 32
const recordBytes = 1 + pixels
const names = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'] as const

/**
 * Reads records of one label byte and 3,072 bytes of a red, a green and a blue plane of 32 × 32 pixels. Bytes stay bytes; the model's input is
 * (x − 120)/64, unless `normalize` says otherwise.
 * @see A. Krizhevsky, Learning multiple layers of features from tiny images, 2009
 */
export const cifar: Reader<CifarOptions> = {
  id: 'cifar',
  title: 'CIFAR-10, the binary version: a label and three planes of 32 × 32 bytes',
  extensions: ['_batch.bin'],
  detect: isCifar,
  read: readCifar,
}

function isCifar(head: Uint8Array): boolean {
  if (head.length < recordBytes) return false
  for (let at = 0; at < head.length; at += recordBytes) if (head[at]! >= names.length) return false
  return true
}

async function readCifar(path: string, options: CifarOptions = {}, context: ReadContext = {}): Promise<Dataset> {
  const { skipRows = 0, rows: limit = Number.POSITIVE_INFINITY, classes = names } = options
  const { records, count } = await readRecords(path, skipRows, limit, context)
  if (count === 0) throw fault(path, 0, 'there are no rows', 'at least one', `none after ${skipRows} left out`)
  const values = new Uint8Array(count * pixels)
  const labels = new Int32Array(count)
  for (let row = 0; row < count; row++) {
    const at = row * recordBytes
    const label = records[at]!
    if (label >= classes.length) {
      const expected = `a label from 0 to ${classes.length - 1}`
      throw fault(path, (row + skipRows) * recordBytes, `label ${row} cannot be used`, expected, String(label))
    }
    labels[row] = label
    values.set(records.subarray(at + 1, at + recordBytes), row * pixels)
  }
  return makeDataset({
    name: options.name ?? basename(path),
    features: { dtype: 'uint8', shape: [count, 3, 32, 32], values },
    target: { dtype: 'int32', shape: [count], values: labels },
    classes,
    normalize: options.normalize ?? { scale: 1 / 64, shift: -120 / 64 },
  })
}

/** Up to `limit` records after `skip`; the rest of the file is not read. */
async function readRecords(
  path: string,
  skip: number,
  limit: number,
  context: ReadContext,
): Promise<{ records: Uint8Array; count: number }> {
  const pieces: Uint8Array[] = []
  const end = (skip + limit) * recordBytes
  let length = 0
  for await (const piece of await openByteStream(path, context)) {
    pieces.push(piece)
    length += piece.length
    if (length >= end) break
  }
  if (length === 0) throw fault(path, 0, 'there is nothing to read', `records of ${recordBytes} bytes`, 'an empty file')
  if (length < end && length % recordBytes !== 0) {
    throw fault(path, length, 'the file ends inside a record', `a multiple of ${recordBytes} bytes`, `${length} bytes`)
  }
  const records = Buffer.concat(pieces).subarray(skip * recordBytes, Math.min(length, end))
  return { records, count: Math.floor(records.length / recordBytes) }
}

function fault(path: string, byte: number, what: string, expected: string, got: string): Error {
  return fileFault({ area: 'cifar', path, byte, what, expected, got, mend: 'check that this is the right file, and whole' })
}
