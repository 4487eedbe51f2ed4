import { ConfigError } from '../../errors.ts'
import type { CsvOptions } from './csv.ts'
import { recordSplitter } from './csv-record.ts'
import { faultText } from '../fault-text.ts'

/** What a column is read as. */
export type ColumnRole = 'numeric' | 'categorical' | 'label' | 'ignored'

/** How a table is to be read, settled on its first records. */
export interface CsvLayout {
  readonly delimiter: string
  /** Whether the first record names the columns. */
  readonly header: boolean
  /** Names by column; absent where neither header nor option gives them. */
  readonly names: readonly string[] | undefined
  readonly roles: readonly ColumnRole[]
}

const delimiters = [',', '\t', ';', '|', ' '] as const

/**
 * The delimiter that cuts the first lines into the same number of fields, more than one; where several do, the one that makes
 * most. `','` when there is a single column.
 */
export function findDelimiter(lines: readonly string[]): string {
  let best: string = ','
  let most = 1
  for (const delimiter of delimiters) {
    const split = recordSplitter(delimiter)
    const counts = lines.map((line) => split(line)?.length).filter((count) => count !== undefined)
    const fields = counts[0] ?? 0
    // Blanks also stand inside text: they count only where no other delimiter fits.
    if (delimiter === ' ' && most > 1) break
    const steady = counts.filter((count) => count === fields).length
    if (fields > most && steady * 10 >= counts.length * 9) {
      best = delimiter
      most = fields
    }
  }
  return best
}

/** True for a field that is a finite number. */
export function isNumber(field: string): boolean {
  return field.trim() !== '' && Number.isFinite(Number(field))
}

/**
 * Settles header, names and roles on the first records.
 * @throws {ConfigError} when an option names a column that is not there.
 */
export function findLayout(
  records: readonly (readonly string[])[],
  delimiter: string,
  options: CsvOptions,
  missing: ReadonlySet<string>,
): CsvLayout {
  const first = records[0]!
  const header = options.header === undefined || options.header === 'auto' ? looksLikeHeader(records, options, missing) : options.header
  const names = options.columns ?? (header ? first.map((field) => field.trim()) : undefined)
  const body = header ? records.slice(1) : records
  const columnOf = (column: string | number): number => columnIndex(column, first.length, names)
  const label = labelColumn(options.label, first.length, columnOf)
  const ignored = new Set((options.ignore ?? []).map(columnOf))
  if (ignored.has(label))
    throw new ConfigError(faultText(`csv: column ${label} is the label and ignored`, 'one of the two', 'both', 'change label or ignore'))
  const categorical =
    options.categorical === undefined || options.categorical === 'auto' ? undefined : new Set(options.categorical.map(columnOf))
  const roles = first.map((_, column): ColumnRole => {
    if (column === label) return 'label'
    if (ignored.has(column)) return 'ignored'
    if (categorical) return categorical.has(column) ? 'categorical' : 'numeric'
    return mostlyNumbers(body, column, missing) ? 'numeric' : 'categorical'
  })
  return { delimiter, header, names, roles }
}

function looksLikeHeader(records: readonly (readonly string[])[], options: CsvOptions, missing: ReadonlySet<string>): boolean {
  if (options.columns) return false
  if (typeof options.label === 'string' && options.label !== 'first' && options.label !== 'last' && options.label !== 'none') return true
  const [first, ...body] = records
  if (!first || body.length === 0) return false
  const named = first.every((field) => !isNumber(field) && !missing.has(field.trim()))
  return named && first.some((_, column) => mostlyNumbers(body, column, missing))
}

// A column of numbers with a few bad fields is a numeric column with errors to report, not one of categories.
function mostlyNumbers(records: readonly (readonly string[])[], column: number, missing: ReadonlySet<string>): boolean {
  let present = 0
  let numbers = 0
  for (const record of records) {
    const field = record[column]?.trim()
    if (field === undefined || missing.has(field)) continue
    present++
    if (isNumber(field)) numbers++
  }
  return numbers * 2 >= present
}

function labelColumn(label: CsvOptions['label'], width: number, columnOf: (column: string | number) => number): number {
  if (label === undefined || label === 'last') return width - 1
  if (label === 'first') return 0
  if (label === 'none') return -1
  return columnOf(label)
}

function columnIndex(column: string | number, width: number, names: readonly string[] | undefined): number {
  if (typeof column === 'number') {
    const index = column < 0 ? column + width : column
    if (Number.isInteger(index) && index >= 0 && index < width) return index
    throw new ConfigError(faultText(`csv: there is no column ${column}`, `0 to ${width - 1}`, column, 'columns are counted from 0'))
  }
  const index = names?.indexOf(column) ?? -1
  if (index >= 0) return index
  const expected = names ? `one of ${names.slice(0, 20).join(', ')}` : 'a number, because the file has no header'
  throw new ConfigError(
    faultText(`csv: there is no column '${column}'`, expected, `'${column}'`, "give header: true, columns: [...] or the column's number"),
  )
}
