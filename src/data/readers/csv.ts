import { basename } from 'node:path'
import type { Dataset } from '../dataset.ts'
import { openByteStream } from '../files/byte-stream.ts'
import { fileFault } from '../files/file-fault.ts'
import { imputeMean } from '../impute-mean.ts'
import { makeDataset } from '../make-dataset.ts'
import type { ReadContext } from '../read-context.ts'
import { findDelimiter, findLayout } from './csv-layout.ts'
import { recordSplitter, type SplitRecord } from './csv-record.ts'
import { CsvTable, defaultMissingValues } from './csv-table.ts'
import { LabelColumn } from './label-column.ts'
import type { Reader, ReadOptions } from './reader.ts'
import { textLines } from './text-lines.ts'

/** How a table of text is read. Everything has a default that fits most files. */
export interface CsvOptions extends ReadOptions {
  /** Whether the first line names the columns (default `auto`: when none of its fields is a number but a column below is). */
  readonly header?: boolean | 'auto'
  /** One character; `' '` stands for runs of blanks and tabs (default `auto`: comma, tab, semicolon, bar or blanks, whichever fits). */
  readonly delimiter?: string
  /**
   * Which column is the target: `first`, `last` (default), `none`, its name in the header, or its number from 0 (negative: from the
   * end). A column that is called first, last or none is named by its number.
   */
  readonly label?: 'first' | 'last' | 'none' | (string & {}) | number
  /** Names of all columns of the file, where it has no header. */
  readonly columns?: readonly string[]
  /** Columns to leave out, by name or number. */
  readonly ignore?: readonly (string | number)[]
  /**
   * Columns whose fields are categories, by name or number; all others must be numbers (default `auto`: those in which fewer than
   * half of the first 1,000 fields are numbers).
   */
  readonly categorical?: 'auto' | readonly (string | number)[]
  /** By feature column, the categories in the order of their codes, for instance those of the training file; another is an error. */
  readonly categories?: readonly (readonly string[] | null)[]
  /** Fields that stand for a missing value (default: empty, `?`, `NA`, `N/A`, `NaN`, `nan`, `null`). */
  readonly missingValues?: readonly string[]
  /**
   * What becomes of a missing value: `nan` (default; counted in `Dataset.missingValues`), `mean` of its column in this file (of a
   * categorical column: the most frequent), `drop` the row, or `error`.
   */
  readonly missing?: 'nan' | 'mean' | 'drop' | 'error'
  /** Text that is cut off the end of a label (UCI Adult's test file writes `>50K.`). */
  readonly stripLabel?: string
  /** Element kind of features and regression targets (default float32). */
  readonly dtype?: 'float32' | 'float64'
}

const sniffedRecords = 1000
const longestRecordLines = 1000

/**
 * Reads comma-, tab-, semicolon-, bar- or blank-separated text. Categorical columns become codes whose names are kept in
 * `Dataset.categories`; text labels become class numbers whose names are kept in `Dataset.classes`, both in sorted order.
 */
export const csv: Reader<CsvOptions> = {
  id: 'csv',
  title: 'separated text (comma, tab, semicolon, bar, blanks), with or without header',
  extensions: ['.csv', '.data', '.txt', '.dat'],
  detect: (head) => head.length > 0 && !head.includes(0),
  read: readTable,
}

/** {@link csv} with a tab as delimiter, whatever the fields contain. */
export const tsv: Reader<CsvOptions> = {
  id: 'tsv',
  title: 'tab-separated text, with or without header',
  extensions: ['.tsv', '.tab'],
  detect: (head) => csv.detect(head) && head.includes(9),
  read: (path, options, context) => readTable(path, { delimiter: '\t', ...options }, context),
}

async function readTable(path: string, options: CsvOptions = {}, context: ReadContext = {}): Promise<Dataset> {
  const missing: ReadonlySet<string> = new Set(options.missingValues ?? defaultMissingValues)
  const label = new LabelColumn(options)
  const sniffed: { fields: string[]; line: number }[] = []
  let table: CsvTable | undefined
  let names: readonly string[] | undefined
  let skip = options.skipRows ?? 0
  const limit = options.rows ?? Number.POSITIVE_INFINITY
  const splitter: Splitter = { delimiter: options.delimiter === 'auto' ? undefined : options.delimiter }

  const take = (fields: string[], line: number): boolean => {
    if (skip > 0) skip--
    else table!.add(fields, line)
    return table!.rows < limit
  }
  const settle = (): boolean => {
    const sniffedFields = sniffed.map(({ fields }) => fields)
    const layout = findLayout(sniffedFields, splitter.delimiter ?? ',', options, missing)
    names = layout.names
    table = new CsvTable(path, layout, options, missing, label)
    if (table.width === 0) {
      const got = `${layout.roles.length} column(s), none of them a feature`
      const mend = "give the delimiter, or label: 'none'"
      throw fileFault({
        area: 'csv',
        path,
        line: sniffed[0]!.line,
        what: 'there are no features',
        expected: 'at least one column beside the label',
        got,
        mend,
      })
    }
    if (layout.header) sniffed.shift()
    return sniffed.every(({ fields, line }) => take(fields, line))
  }

  for await (const { fields, line } of records(path, splitter, context)) {
    if (table) {
      if (!take(fields, line)) break
      continue
    }
    sniffed.push({ fields, line })
    if (sniffed.length > sniffedRecords && !settle()) break
  }
  if (!table && sniffed.length > 0) settle()
  if (!table || table.rows === 0) {
    const got = sniffed.length > 0 || table ? 'only a header, or rows that were all left out' : 'an empty file'
    throw fileFault({
      area: 'csv',
      path,
      line: 1,
      what: 'there are no rows',
      expected: 'at least one',
      got,
      mend: 'check the path, header, skipRows and missing',
    })
  }
  return datasetOf(path, table, label, names, options)
}

function datasetOf(path: string, table: CsvTable, label: LabelColumn, names: readonly string[] | undefined, options: CsvOptions): Dataset {
  const { values, categories } = table.finish()
  const dtype = options.dtype ?? 'float32'
  const isCategorical = categories.some((column) => column !== null)
  const labelled = label.rows > 0 ? label.finish(dtype) : undefined
  const dataset = makeDataset({
    name: options.name ?? basename(path),
    features: { dtype, shape: [table.rows, table.width], values } as Dataset['features'],
    target: labelled?.target,
    classes: labelled?.classes,
    featureNames: names && table.columns.map((column) => names[column]!),
    categories: isCategorical ? categories : undefined,
    missingValues: table.missingCount > 0 ? table.missingCount : undefined,
    normalize: options.normalize ?? { scale: 1, shift: 0 },
    source: undefined,
    test: undefined,
  })
  return options.missing === 'mean' && table.missingCount > 0 ? imputeMean(dataset) : dataset
}

/** How lines become fields: undefined until it is settled. */
export interface Splitter {
  delimiter: string | undefined
}

/** Records with the line in which each begins, without blank ones. Settles the delimiter on the first lines where none is given. */
export async function* records(path: string, splitter: Splitter, context: ReadContext): AsyncGenerator<{ fields: string[]; line: number }> {
  let split: SplitRecord | undefined
  let open: { text: string; line: number; lines: number } | undefined
  for await (const { first, lines } of textLines(await openByteStream(path, context))) {
    if (!split) {
      splitter.delimiter ??= findDelimiter(lines.filter((line) => line.trim() !== '').slice(0, 20))
      split = recordSplitter(splitter.delimiter)
    }
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i]!
      if (open) {
        open.text += `\n${line}`
        open.lines++
        const fields = split(open.text)
        if (!fields && open.lines > longestRecordLines) throw openQuote(path, open.line)
        if (fields) {
          yield { fields, line: open.line }
          open = undefined
        }
        continue
      }
      if (line.trim() === '') continue
      const fields = split(line)
      if (fields) yield { fields, line: first + i }
      else open = { text: line, line: first + i, lines: 1 }
    }
  }
  if (open) throw openQuote(path, open.line)
}

function openQuote(path: string, line: number): Error {
  return fileFault({
    area: 'csv',
    path,
    line,
    what: 'a quoted field does not end',
    expected: 'a closing quote',
    got: 'none',
    mend: 'close the quote in this line',
  })
}
