import type { Dataset } from '../dataset.ts'
import type { ReadContext } from '../read-context.ts'

/** What every reader takes. Plain data, so that another process can read the same rows by the same options. */
export interface ReadOptions {
  /** Name of the data set (default: the file's name). */
  readonly name?: string
  /** Read only the first so many rows (after `skipRows`; default: all). */
  readonly rows?: number
  /** Leave out the first so many rows (default 0). */
  readonly skipRows?: number
  /** Class names in the order of their numbers, for instance the training file's; another label is an error. Default: found, sorted. */
  readonly classes?: readonly string[]
  /**
   * What the label is (default `auto`: text is a class; whole numbers with at most 20 different values are classes, other numbers
   * are regression targets).
   */
  readonly task?: 'auto' | 'classification' | 'regression'
  /** What turns a stored element into the model's input (default: 1, 0; images of bytes: 1/255, 0). */
  readonly normalize?: { readonly scale: number; readonly shift: number }
}

/** A file format. Each one passes `testReader` of tests/contracts/reader-contract.ts. */
export interface Reader<O extends ReadOptions = ReadOptions> {
  readonly id: string
  /** One line for the command line's help. */
  readonly title: string
  /** Ends of file names, without `.gz`. */
  readonly extensions: readonly string[]
  /** Whether the first bytes of the (uncompressed) content look like this format. */
  detect(head: Uint8Array): boolean
  /**
   * Reads a file, gzip or not.
   * @throws {DataError} naming file and line or byte when the content is not what the format and the options say.
   */
  read(path: string, options?: O, context?: ReadContext): Promise<Dataset>
}
