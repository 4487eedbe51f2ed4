import { basename } from 'node:path'
import { csvRows } from '../../data/readers/csv-rows.ts'
import type { CsvRowOptions } from '../../data/readers/csv-rows.ts'
import { readFile } from '../../data/readers/read-file.ts'
import type { ReadContext } from '../../data/read-context.ts'
import { ShapeError } from '../../errors.ts'

/** Rows as the model takes them, one block after the other. */
export interface Rows {
  readonly count: number
  /** Row after row; used again for the next block. */
  readonly values: ArrayLike<number>
}

/** How files are read. */
export interface RowOptions extends CsvRowOptions {
  /** What turns an element into the model's input: value·scale + shift (default what the file's format says: bytes of images / 255). */
  readonly scale?: number
  readonly shift?: number
}

/** The input of the model that gets the rows. */
export interface InputWidth {
  readonly name: string
  readonly width: number
}

/** Files that are read line by line. */
const textFile = /\.(csv|tsv|tab|data|txt|dat)(\.gz)?$/i

/**
 * The rows of a file in blocks: text line by line, images (IDX, CIFAR) from memory.
 * @throws {ShapeError} when a row has another number of elements than the model takes
 */
export async function* rowBlocks(
  path: string,
  input: InputWidth,
  blockRows: number,
  { scale, shift, ...options }: RowOptions,
  context: ReadContext,
): AsyncGenerator<Rows> {
  if (textFile.test(path)) {
    const delimiter = options.delimiter ?? (/\.(tsv|tab)(\.gz)?$/i.test(path) ? '\t' : 'auto')
    for await (const { rows, values } of csvRows(path, input.width, blockRows, { ...options, delimiter }, context)) {
      const block = values.subarray(0, rows * input.width)
      yield { count: rows, values: scaled(block, scale ?? 1, shift ?? 0) }
    }
    return
  }
  const { rows, features, normalize } = await readFile(path, undefined, context)
  const width = features.values.length / rows
  if (width !== input.width) {
    throw new ShapeError(
      `predict: the rows of ${basename(path)} do not fit — expected ${input.width} elements for the input ${input.name}, got [${features.shape.slice(1).join(', ')}] = ${width}`,
    )
  }
  for (let first = 0; first < rows; first += blockRows) {
    const count = Math.min(blockRows, rows - first)
    const block = features.values.subarray(first * width, (first + count) * width)
    yield { count, values: scaled(block, scale ?? normalize.scale, shift ?? normalize.shift) }
  }
}

function scaled(values: ArrayLike<number>, scale: number, shift: number): ArrayLike<number> {
  return scale === 1 && shift === 0 ? values : Float32Array.from(values, (value) => value * scale + shift)
}
