import { excerpt, fileFault } from '../files/file-fault.ts'
import { GrowableArray } from '../growable-array.ts'
import type { CsvLayout } from './csv-layout.ts'
import type { CsvOptions } from './csv.ts'
import type { LabelColumn } from './label-column.ts'

/** Fields that stand for a missing value unless `missingValues` says otherwise. */
export const defaultMissingValues = ['', '?', 'NA', 'N/A', 'NaN', 'nan', 'null'] as const

/** Collects parsed records into one row-major array, codes for categories, and labels. */
export class CsvTable {
  readonly width: number
  /** Feature columns by their place in the file. */
  readonly columns: readonly number[]
  missingCount = 0
  rows = 0
  readonly #path: string
  readonly #layout: CsvLayout
  readonly #options: CsvOptions
  readonly #label: LabelColumn
  readonly #features: GrowableArray<'float32' | 'float64'>
  readonly #missing: ReadonlySet<string>
  readonly #missingNumbers: ReadonlySet<number>
  /** By feature column: text → code in order of appearance (or as given), undefined for numeric ones. */
  readonly #codes: readonly (Map<string, number> | undefined)[]
  readonly #fixedCategories: boolean
  readonly #row: Float64Array

  constructor(path: string, layout: CsvLayout, options: CsvOptions, missing: ReadonlySet<string>, label: LabelColumn) {
    this.#path = path
    this.#layout = layout
    this.#options = options
    this.#label = label
    this.#missing = missing
    this.#missingNumbers = new Set([...missing].filter((text) => text.trim() !== '' && Number.isFinite(Number(text))).map(Number))
    this.columns = layout.roles.flatMap((role, column) => (role === 'numeric' || role === 'categorical' ? [column] : []))
    this.width = this.columns.length
    this.#features = new GrowableArray(options.dtype ?? 'float32', 1024 * Math.max(1, this.width))
    this.#row = new Float64Array(this.width)
    this.#fixedCategories = options.categories !== undefined
    this.#codes = this.columns.map((column, at) =>
      layout.roles[column] === 'categorical' ? new Map(options.categories?.[at]?.map((name, code) => [name, code])) : undefined,
    )
  }

  /** Takes one record, which began in `line`. */
  add(fields: readonly string[], line: number): void {
    const { roles } = this.#layout
    if (fields.length !== roles.length) {
      throw this.#fault(
        line,
        'another number of fields',
        `${roles.length} as in the first line`,
        `${fields.length}`,
        'mend the line; a file cut short ends like this',
      )
    }
    const policy = this.#options.missing ?? 'nan'
    const row = this.#row
    let missing = 0
    for (let at = 0; at < this.width; at++) {
      const field = fields[this.columns[at]!]!
      const codes = this.#codes[at]
      let value = codes ? this.#code(codes, at, field, line) : +field
      // `+''` is 0, so a zero is looked at again; everything else that is finite is what it seems.
      if (codes === undefined && (value - value !== 0 || (value === 0 && field.trim() === '') || this.#missingNumbers.has(value))) {
        if (!this.#missing.has(field.trim())) {
          const name = this.#nameOf(this.columns[at]!)
          throw this.#fault(
            line,
            `${name} is not a number`,
            'a number',
            excerpt(field),
            `mend the field, or list it in missingValues, or name the column in categorical`,
          )
        }
        value = Number.NaN
      }
      if (Number.isNaN(value)) missing++
      row[at] = value
    }
    if (missing > 0) {
      if (policy === 'error')
        throw this.#fault(line, `${missing} missing value(s)`, 'a value in every field', 'none', `choose missing: 'nan', 'mean' or 'drop'`)
      if (policy === 'drop') return
      this.missingCount += missing
    }
    if (!this.#addLabel(fields, line, policy === 'drop')) return
    this.#features.append(row)
    this.rows++
  }

  /** The values, with categories numbered in sorted order, and the names of each categorical column. */
  finish(): { values: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>; categories: readonly (readonly string[] | null)[] } {
    const values = this.#features.toArray()
    const categories = this.#codes.map((codes, at) => {
      if (!codes) return null
      const names = [...codes.keys()]
      if (this.#fixedCategories) return names
      const sorted = [...names].sort()
      const rank = new Map(sorted.map((name, position) => [name, position]))
      for (let i = at; i < values.length; i += this.width) {
        const code = values[i]!
        if (!Number.isNaN(code)) values[i] = rank.get(names[code]!)!
      }
      return sorted
    })
    return { values, categories }
  }

  #code(codes: Map<string, number>, at: number, field: string, line: number): number {
    const name = field.trim()
    if (this.#missing.has(name)) return Number.NaN
    const known = codes.get(name)
    if (known !== undefined) return known
    if (this.#fixedCategories) {
      const expected = `one of ${[...codes.keys()].slice(0, 12).join(', ')}`
      throw this.#fault(
        line,
        `${this.#nameOf(this.columns[at]!)} has an unknown category`,
        expected,
        excerpt(name),
        'add it to categories, or to missingValues',
      )
    }
    codes.set(name, codes.size)
    return codes.size - 1
  }

  #addLabel(fields: readonly string[], line: number, dropsMissing: boolean): boolean {
    const column = this.#layout.roles.indexOf('label')
    if (column < 0) return true
    let text = fields[column]!.trim()
    const { stripLabel } = this.#options
    if (stripLabel && text.endsWith(stripLabel)) text = text.slice(0, -stripLabel.length)
    const isMissing = this.#missing.has(text)
    if (isMissing && dropsMissing) return false
    const expected = isMissing ? 'a label' : this.#label.add(text)
    if (expected === undefined) return true
    const what = `${this.#nameOf(column)} cannot be used as label`
    throw this.#fault(
      line,
      what,
      expected,
      text === '' ? 'an empty field' : excerpt(text),
      `mend the line, or choose another column with label, or missing: 'drop'`,
    )
  }

  #nameOf(column: number): string {
    const name = this.#layout.names?.[column]
    return name === undefined ? `column ${column}` : `column ${column} (${name})`
  }

  #fault(line: number, what: string, expected: string, got: string, mend: string): Error {
    return fileFault({ area: 'csv', path: this.#path, line, what, expected, got, mend })
  }
}
