import { excerpt, fileFault } from '../files/file-fault.ts'
import type { ReadContext } from '../read-context.ts'
import { records } from './csv.ts'
import type { CsvOptions, Splitter } from './csv.ts'
import { findLayout } from './csv-layout.ts'
import { defaultMissingValues } from './csv-table.ts'

/** Consecutive rows of a table of numbers. */
export interface RowBlock {
  /** Number of rows. */
  readonly rows: number
  /** Row after row; used again for the next block. */
  readonly values: Float32Array
}

/** Options of {@link csvRows}: which columns are no features, and how the text is cut. */
export type CsvRowOptions = Pick<CsvOptions, 'header' | 'delimiter' | 'label' | 'columns' | 'ignore'>

/**
 * The features of a table of numbers, block by block: memory does not grow with the file. No column is the label unless one is named.
 * @param width - Features that every row must have
 * @param blockRows - Rows of a block; the last one may be shorter
 * @throws {DataError} naming file and line when a row has another width, or a field is no finite number
 */
export async function* csvRows(
  path: string,
  width: number,
  blockRows: number,
  options: CsvRowOptions = {},
  context: ReadContext = {},
): AsyncGenerator<RowBlock> {
  const layoutOptions: CsvOptions = { ...options, label: options.label ?? 'none', categorical: [] }
  const splitter: Splitter = { delimiter: options.delimiter === 'auto' ? undefined : options.delimiter }
  const missing: ReadonlySet<string> = new Set(defaultMissingValues)
  const values = new Float32Array(blockRows * width)
  let columns: readonly number[] | undefined
  let fieldCount = 0
  let rows = 0
  let total = 0
  const settle = (sample: readonly (readonly string[])[], line: number): boolean => {
    const layout = findLayout(sample, splitter.delimiter ?? ',', layoutOptions, missing)
    columns = layout.roles.flatMap((role, column) => (role === 'numeric' ? [column] : []))
    fieldCount = layout.roles.length
    if (columns.length !== width) {
      const got = `${columns.length} of ${fieldCount} columns`
      throw fileFault({
        area: 'csv',
        path,
        line,
        what: 'the rows do not fit',
        expected: `${width} features`,
        got,
        mend: 'name the label column, or ignore others',
      })
    }
    return layout.header
  }
  const take = (fields: readonly string[], line: number): void => {
    if (fields.length !== fieldCount) {
      throw fileFault({
        area: 'csv',
        path,
        line,
        what: 'the row has another width',
        expected: `${fieldCount} fields`,
        got: `${fields.length}`,
        mend: 'mend the line',
      })
    }
    for (let j = 0; j < width; j++) {
      const field = fields[columns?.[j] ?? 0] as string
      const value = field.trim() === '' ? Number.NaN : Number(field)
      if (!Number.isFinite(value)) {
        throw fileFault({
          area: 'csv',
          path,
          line,
          what: `column ${columns?.[j]} is no number`,
          expected: 'a finite number',
          got: excerpt(field),
          mend: 'mend the line',
        })
      }
      values[rows * width + j] = value
    }
    rows++
    total++
  }
  // Whether the first line names the columns is seen on the second.
  let first: { readonly fields: string[]; readonly line: number } | undefined
  for await (const { fields, line } of records(path, splitter, context)) {
    if (columns === undefined) {
      if (first === undefined) {
        first = { fields, line }
        continue
      }
      if (!settle([first.fields, fields], first.line)) take(first.fields, first.line)
    }
    if (rows === blockRows) {
      yield { rows, values }
      rows = 0
    }
    take(fields, line)
  }
  if (columns === undefined && first !== undefined && !settle([first.fields], first.line)) take(first.fields, first.line)
  if (total === 0) {
    throw fileFault({
      area: 'csv',
      path,
      line: 1,
      what: 'there are no rows',
      expected: 'at least one',
      got: first ? 'only a header' : 'an empty file',
      mend: 'check the path',
    })
  }
  if (rows > 0) yield { rows, values }
}
