import type { CorpusId } from './corpora/index.ts'
import type { CifarOptions } from './readers/cifar.ts'
import type { CsvOptions } from './readers/csv.ts'
import type { IdxOptions } from './readers/idx.ts'
import type { LibsvmOptions } from './readers/libsvm.ts'
import type { Task } from './task.ts'

/** One file of a registered data set. */
export interface RegistryFile {
  /** As it is named in a data folder; a file without or with `.gz` is found too. */
  readonly name: string
  /** SHA-256 (hex) of the uncompressed content, so that every compression of it is accepted. */
  readonly sha256: string
  /** Bytes of the uncompressed content. */
  readonly contentBytes: number
  /** Addresses whose content has this checksum. Empty: the file has to be put into a data folder. */
  readonly urls: readonly string[]
}

/** A file of a registered data set; see {@link RegistryFile}. Without addresses it has to be put into a data folder. */
export function file(name: string, contentBytes: number, sha256: string, urls: readonly string[] = []): RegistryFile {
  return { name, sha256, contentBytes, urls }
}

/** How one part (training or evaluation rows) is read out of the files. */
export interface RegistryPart<O> {
  /** Index in `files`. */
  readonly file: number
  /** Index of the file of labels, for `idx`. */
  readonly labels?: number
  readonly rows: number
  readonly options: O
}

interface EntryBase {
  readonly id: string
  readonly title: string
  readonly task: Task
  /** Where the rows come from. */
  readonly origin: string
  readonly licence: string
  /** Folder names under a data root. */
  readonly folders: readonly string[]
  readonly files: readonly RegistryFile[]
  /** Training rows of the suite's sizes. */
  readonly sizes?: { readonly S: number; readonly M: number }
}

interface EntryOf<R extends string, O> extends EntryBase {
  readonly reader: R
  readonly train: RegistryPart<O>
  readonly test?: RegistryPart<O>
}

/** A real data set of files of one format: where it lies, what it must contain, how it is read. */
export type FileEntry =
  | EntryOf<'idx', IdxOptions>
  | EntryOf<'cifar', CifarOptions>
  | EntryOf<'csv', CsvOptions>
  | EntryOf<'libsvm', LibsvmOptions>

/** A real data set that is made out of several files (`corpora/`). */
export interface CorpusEntry extends EntryBase {
  readonly reader: 'corpus'
  readonly corpus: CorpusId
  /** Rows that it has by default. */
  readonly train: { readonly rows: number }
  readonly test: { readonly rows: number }
  /** What the suite's sizes count (default rows). */
  readonly sizesAre?: 'tokens'
}

/** A real data set. */
export type RegistryEntry = FileEntry | CorpusEntry
