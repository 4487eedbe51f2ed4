/** Options for files of other programs. */
export interface ForeignOptions {
  /** Name of the model (default the file's own). */
  readonly name?: string
  /** Extents of free dims by their name in the file, such as `{ sequence: 64 }`; the first dim is the batch and stays free. */
  readonly dims?: Readonly<Record<string, number>>
  /** The output that becomes the model's, where the file has several (default the first). */
  readonly output?: string
}

/** Reads bytes of a file beside the model: big models keep their weights there. */
export type ReadExternal = (location: string, offset: number, length: number | undefined) => Uint8Array
