/** One column of {@link formatTable}. */
export interface Column<Row> {
  readonly title: string
  /** Text of the cell; undefined is shown as `–`. */
  readonly value: (row: Row) => string | undefined
  /** Text that takes the place of this cell and of all after it. */
  readonly rest?: (row: Row) => string | undefined
  /** Numbers are easier to compare with their ends in line. Default left. */
  readonly align?: 'left' | 'right'
}

/** A plain-text table: head, rule, one line a row, two blanks between columns, no trailing blanks. */
export function formatTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const ends = rows.map((row) => columns.findIndex((column) => column.rest?.(row) !== undefined))
  const cells = rows.map((row, i) => columns.slice(0, ends[i] === -1 ? undefined : ends[i]).map((column) => column.value(row) ?? '–'))
  const widths = columns.map((column, j) => Math.max(width(column.title), ...cells.map((line) => width(line[j] ?? ''))))
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, j) => pad(text, widths[j]!, columns[j]!.align ?? 'left'))
      .join('  ')
      .trimEnd()
  const head = line(columns.map((column) => column.title))
  const rule = widths.map((size) => '─'.repeat(size)).join('  ')
  const lines = rows.map((row, i) => line([...cells[i]!, ...(ends[i] === -1 ? [] : [columns[ends[i]!]!.rest!(row)!])]))
  return [head, rule, ...lines].join('\n')
}

/** `title  text` lines with the texts in one column, wrapped and hanging. */
export function formatFacts(facts: readonly (readonly [title: string, text: string])[]): string {
  const size = Math.max(0, ...facts.map(([title]) => width(title)))
  const hanging = `\n${' '.repeat(size + 2)}`
  return facts
    .map(([title, text]) => `${pad(title, size, 'left')}  ${wrapText(text, lineWidth - size - 2).replaceAll('\n', hanging)}`.trimEnd())
    .join('\n')
}

/** Widest line of running text. */
const lineWidth = 110

/** Breaks running text at blanks. A word longer than a line stays whole. */
export function wrapText(text: string, columns = lineWidth): string {
  const lines: string[] = []
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1)
    if (last !== undefined && width(last) + 1 + width(word) <= columns) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines.join('\n')
}

function pad(text: string, size: number, align: 'left' | 'right'): string {
  const blanks = ' '.repeat(Math.max(0, size - width(text)))
  return align === 'left' ? text + blanks : blanks + text
}

/** Code points, so that `µ` and `–` count as one column. */
function width(text: string): number {
  return [...text].length
}
