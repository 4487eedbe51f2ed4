/** Fields of one record. Blank runs count as one delimiter when it is `' '`. */
export type SplitRecord = (line: string) => string[] | undefined

/**
 * Splits a record into fields by a delimiter. Unquoted fields lose surrounding blanks; a field that begins with `"` reaches to its
 * closing quote, with `""` standing for a quote (RFC 4180). The function returns `undefined` when a quote is still open at the end
 * of the line: the record goes on in the next one.
 */
export function recordSplitter(delimiter: string): SplitRecord {
  if (delimiter === ' ') {
    return (line) => (line.includes('"') ? splitQuoted(line.trim(), ' ') : line.trim().split(/[ \t]+/))
  }
  return (line) => (line.includes('"') ? splitQuoted(line, delimiter) : line.split(delimiter))
}

function splitQuoted(line: string, delimiter: string): string[] | undefined {
  const fields: string[] = []
  const blanks = delimiter === ' '
  let at = 0
  for (;;) {
    let start = at
    while (line[start] === ' ' && (blanks || line[start + 1] !== undefined)) start++
    if (line[start] !== '"') {
      const end = line.indexOf(delimiter, start)
      fields.push(line.slice(start, end < 0 ? undefined : end).trim())
      if (end < 0) return fields
      at = end + 1
      continue
    }
    let text = ''
    let from = start + 1
    for (;;) {
      const quote = line.indexOf('"', from)
      if (quote < 0) return undefined
      text += line.slice(from, quote)
      if (line[quote + 1] !== '"') {
        from = quote + 1
        break
      }
      text += '"'
      from = quote + 2
    }
    const end = line.indexOf(delimiter, from)
    // Whatever stands between the closing quote and the delimiter belongs to the field.
    fields.push(text + line.slice(from, end < 0 ? undefined : end).trimEnd())
    if (end < 0) return fields
    at = end + 1
  }
}
