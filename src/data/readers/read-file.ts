import { basename, resolve } from 'node:path'
import { ConfigError } from '../../errors.ts'
import type { Dataset } from '../dataset.ts'
import { readHead } from '../files/byte-stream.ts'
import { fileFault } from '../files/file-fault.ts'
import { changeDataset } from '../make-dataset.ts'
import type { ReadContext } from '../read-context.ts'
import type { CsvOptions } from './csv.ts'
import type { IdxOptions } from './idx.ts'
import { readerById, readers, type ReaderId, type ReaderOptions } from './index.ts'
import type { LibsvmOptions } from './libsvm.ts'
import type { Reader, ReadOptions } from './reader.ts'
import { faultText } from '../fault-text.ts'

/** Options of {@link readFile}: those of the reader, and optionally which reader (default: by name, then by content). */
export type ReadFileOptions<R extends ReaderId = ReaderId> = { readonly reader?: R } & ReaderOptions[R]

/**
 * Reads a file of any known format, plain or gzip.
 * @throws {DataError} when no reader knows it, or its content is not what its format says.
 */
export async function readFile<R extends ReaderId = ReaderId>(
  path: string,
  options?: ReadFileOptions<R>,
  context: ReadContext = {},
): Promise<Dataset> {
  const { reader: id, ...rest } = { ...options } as { reader?: string } & ReadOptions
  const reader = id === undefined ? await findReader(path) : readerById(id)
  if (!reader)
    throw new ConfigError(
      faultText(`data: there is no reader '${id}'`, `one of ${Object.keys(readers).join(', ')}`, `'${id}'`, 'correct the option reader'),
    )
  return readWith(reader, path, rest, context)
}

/** Reads separated text with a header or without; see {@link CsvOptions}. */
export function readCsv(path: string, options?: CsvOptions, context: ReadContext = {}): Promise<Dataset> {
  return readWith(readers.csv, path, options ?? {}, context)
}

/** Reads an IDX file of rows (images) and the labels that belong to it; see {@link IdxOptions}. */
export function readIdx(path: string, options?: IdxOptions, context: ReadContext = {}): Promise<Dataset> {
  return readWith(readers.idx, path, options ?? {}, context)
}

/** Reads LIBSVM text into dense rows; see {@link LibsvmOptions}. */
export function readLibsvm(path: string, options?: LibsvmOptions, context: ReadContext = {}): Promise<Dataset> {
  return readWith(readers.libsvm, path, options ?? {}, context)
}

async function readWith<O extends ReadOptions>(reader: Reader<O>, path: string, options: O, context: ReadContext): Promise<Dataset> {
  checkOptions(reader.id, options)
  const dataset = await reader.read(path, options, context)
  // Absolute, because another process may have another working directory.
  return changeDataset(dataset, {
    source: { kind: 'file', path: resolve(path), reader: reader.id, options: { ...options } as Record<string, unknown> },
  })
}

function checkOptions(area: string, { rows, skipRows }: ReadOptions): void {
  if (rows !== undefined && !(Number.isInteger(rows) && rows > 0)) {
    throw new ConfigError(faultText(`${area}: rows cannot be ${rows}`, 'a whole number from 1 on', rows, 'leave rows out to read all'))
  }
  if (skipRows !== undefined && !(Number.isInteger(skipRows) && skipRows >= 0)) {
    throw new ConfigError(
      faultText(
        `${area}: skipRows cannot be ${skipRows}`,
        'a whole number from 0 on',
        skipRows,
        'leave it out to begin with the first row',
      ),
    )
  }
}

async function findReader(path: string): Promise<Reader> {
  const name = basename(path).toLowerCase().replace(/\.gz$/, '')
  const head = await readHead(path, 65_536)
  if (head.length === 0)
    throw fileFault({
      area: 'data',
      path,
      byte: 0,
      what: 'there is nothing to read',
      expected: 'a data file',
      got: 'an empty file',
      mend: 'check the path',
    })
  const all: readonly Reader[] = Object.values(readers) as Reader[]
  const byName = all.find((reader) => reader.extensions.some((end) => name.endsWith(end)))
  // A name like `.data` or `.txt` says little: LIBSVM text goes by it too.
  const byContent = [readers.idx, readers.cifar, readers.libsvm, readers.csv].find((reader) => reader.detect(head)) as Reader | undefined
  const found = byName && byName.id !== 'csv' ? byName : (byContent ?? byName)
  if (found) return found
  const expected = all.map((reader) => reader.id).join(', ')
  throw fileFault({
    area: 'data',
    path,
    byte: 0,
    what: 'the format is not known',
    expected,
    got: 'binary content',
    mend: 'name the reader with the option reader',
  })
}
