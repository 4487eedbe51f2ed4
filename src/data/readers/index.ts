import { cifar, type CifarOptions } from './cifar.ts'
import { csv, type CsvOptions, tsv } from './csv.ts'
import { idx, type IdxOptions } from './idx.ts'
import { libsvm, type LibsvmOptions } from './libsvm.ts'
import type { Reader, ReadOptions } from './reader.ts'

/** Options of each reader, by its id. */
export interface ReaderOptions {
  idx: IdxOptions
  cifar: CifarOptions
  csv: CsvOptions
  tsv: CsvOptions
  libsvm: LibsvmOptions
}

/** Id of a reader. */
export type ReaderId = keyof ReaderOptions

/** Every reader; each takes its files plain or as gzip. */
export const readers = { idx, cifar, csv, tsv, libsvm } satisfies { [K in ReaderId]: Reader<ReaderOptions[K]> }

/** The reader with an id, or undefined. Options are checked by whoever wrote them down, not by type. */
export function readerById(id: string): Reader<ReadOptions> | undefined {
  return Object.hasOwn(readers, id) ? (readers[id as ReaderId] as Reader<ReadOptions>) : undefined
}
