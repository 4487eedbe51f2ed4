import { basename } from 'node:path'
import { DataError } from '../../errors.ts'
import type { Dataset } from '../dataset.ts'
import { openByteStream } from '../files/byte-stream.ts'
import { excerpt, fileFault } from '../files/file-fault.ts'
import { GrowableArray } from '../growable-array.ts'
import { makeDataset } from '../make-dataset.ts'
import type { ReadContext } from '../read-context.ts'
import { LabelColumn } from './label-column.ts'
import type { Reader, ReadOptions } from './reader.ts'
import { textLines } from './text-lines.ts'
import { faultText } from '../fault-text.ts'

/** How LIBSVM text is read. */
export interface LibsvmOptions extends ReadOptions {
  /** Number of features d (default: the largest index found). A larger index is an error. */
  readonly dims?: number
  /** What the first feature is numbered (default 1, as the format says). */
  readonly indexBase?: 0 | 1
  /** Element kind of features and regression targets (default float32). */
  readonly dtype?: 'float32' | 'float64'
}

const largestDenseBytes = 4 * 2 ** 30 - 2 ** 16

/**
 * Reads `label index:value index:value …` lines into a dense `[rows, d]` array; what a line does not name is 0. Text after `#` is a
 * comment. Indices must rise within a line.
 */
export const libsvm: Reader<LibsvmOptions> = {
  id: 'libsvm',
  title: 'LIBSVM / SVMlight text: label index:value …',
  extensions: ['.libsvm', '.svm', '.svmlight'],
  detect: (head) => /^\s*\S+([ \t]+\d+:\S+)+[ \t]*(#.*)?\r?(\n|$)/.test(new TextDecoder('latin1').decode(head.subarray(0, 65_536))),
  read: readLibsvmText,
}

async function readLibsvmText(path: string, options: LibsvmOptions = {}, context: ReadContext = {}): Promise<Dataset> {
  const rows = new SparseRows(path, options)
  let skip = options.skipRows ?? 0
  const limit = options.rows ?? Number.POSITIVE_INFINITY
  read: for await (const { first, lines } of textLines(await openByteStream(path, context))) {
    for (let i = 0; i < lines.length; i++) {
      const hash = lines[i]!.indexOf('#')
      const line = (hash < 0 ? lines[i]! : lines[i]!.slice(0, hash)).trim()
      if (line === '') continue
      if (skip > 0) {
        skip--
        continue
      }
      rows.add(line, first + i)
      if (rows.label.rows >= limit) break read
    }
  }
  if (rows.label.rows === 0) {
    throw fileFault({
      area: 'libsvm',
      path,
      line: 1,
      what: 'there are no rows',
      expected: 'at least one',
      got: 'an empty file',
      mend: 'check the path and skipRows',
    })
  }
  const dtype = options.dtype ?? 'float32'
  const { target, classes } = rows.label.finish(dtype)
  return makeDataset({
    name: options.name ?? basename(path),
    features: rows.dense(dtype),
    target,
    classes,
    normalize: options.normalize ?? { scale: 1, shift: 0 },
  })
}

/** Rows as (starts, indices, values) until their number of features is known. */
class SparseRows {
  readonly label: LabelColumn
  readonly #path: string
  readonly #base: number
  readonly #dims: number | undefined
  readonly #ends = new GrowableArray('int32')
  readonly #indices = new GrowableArray('int32', 1 << 14)
  readonly #values = new GrowableArray('float64', 1 << 14)
  #largest = -1

  constructor(path: string, options: LibsvmOptions) {
    this.#path = path
    this.#base = options.indexBase ?? 1
    this.#dims = options.dims
    this.label = new LabelColumn(options)
  }

  add(text: string, line: number): void {
    const [label, ...entries] = text.split(/[ \t]+/)
    if (label!.includes(':'))
      throw this.#fault(line, 'the line has no label', 'a label before the first index', excerpt(label!), 'put the label first')
    const expected = this.label.add(label!)
    if (expected !== undefined)
      throw this.#fault(line, 'the label cannot be used', expected, excerpt(label!), 'mend the line or give its class in classes')
    let previous = -1
    for (const entry of entries) {
      const colon = entry.indexOf(':')
      const index = Number(entry.slice(0, colon)) - this.#base
      const value = Number(entry.slice(colon + 1))
      if (colon <= 0 || colon === entry.length - 1 || !Number.isInteger(index) || !Number.isFinite(value)) {
        throw this.#fault(line, 'an entry cannot be read', 'index:value', excerpt(entry), 'mend the line; a file cut short ends like this')
      }
      if (index <= previous) {
        const got = index < 0 ? `index ${index + this.#base}` : `${index + this.#base} after ${previous + this.#base}`
        const mend = index < 0 ? 'files that count from 0 are read with indexBase: 0' : 'sort the entries of the line'
        throw this.#fault(line, 'the indices do not rise', `indices from ${this.#base} on, rising`, got, mend)
      }
      if (this.#dims !== undefined && index >= this.#dims) {
        throw this.#fault(
          line,
          'an index is too large',
          `at most ${this.#dims - 1 + this.#base}`,
          `${index + this.#base}`,
          `raise dims, or leave it out`,
        )
      }
      this.#indices.push(index)
      this.#values.push(value)
      previous = index
    }
    if (previous > this.#largest) this.#largest = previous
    this.#ends.push(this.#indices.length)
  }

  dense(dtype: 'float32' | 'float64'): Dataset['features'] {
    const rows = this.label.rows
    const dims = this.#dims ?? this.#largest + 1
    const sizeBytes = rows * dims * (dtype === 'float32' ? 4 : 8)
    if (sizeBytes > largestDenseBytes) {
      const got = `${rows} × ${dims} values, ${(sizeBytes / 2 ** 30).toFixed(1)} GiB`
      throw new DataError(
        faultText(
          `libsvm: ${this.#path} is too large as dense rows`,
          'at most 4 GiB',
          got,
          'read fewer rows, or reduce the features first',
        ),
      )
    }
    const values = dtype === 'float32' ? new Float32Array(rows * dims) : new Float64Array(rows * dims)
    const ends = this.#ends.view()
    const indices = this.#indices.view()
    const sparse = this.#values.view()
    for (let row = 0, entry = 0; row < rows; row++) {
      const offset = row * dims
      for (const end = ends[row]!; entry < end; entry++) values[offset + indices[entry]!] = sparse[entry]!
    }
    return { dtype, shape: [rows, dims], values } as Dataset['features']
  }

  #fault(line: number, what: string, expected: string, got: string, mend: string): Error {
    return fileFault({ area: 'libsvm', path: this.#path, line, what, expected, got, mend })
  }
}
