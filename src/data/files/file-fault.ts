import { DataError } from '../../errors.ts'

/** The parts of a sentence about a bad file. */
export interface FileFault {
  /** `csv`, `idx`, … */
  readonly area: string
  readonly path: string
  /** 1-based line of a text file. */
  readonly line?: number
  /** 0-based byte of the (uncompressed) content of a binary file. */
  readonly byte?: number
  readonly what: string
  readonly expected: string
  readonly got: string
  /** How to mend it. */
  readonly mend: string
}

/** `area: file line n: what — expected …, got … (how to mend)`, on one line whatever the file contained. */
export function fileFault(fault: FileFault, cause?: unknown): DataError {
  const { area, path, line, byte, what, expected, got, mend } = fault
  const where = line !== undefined ? ` line ${line}` : byte !== undefined ? ` byte ${byte}` : ''
  const message = `${area}: ${path}${where}: ${what} — expected ${expected}, got ${got} (${mend})`
  return new DataError(message.replaceAll(/\s*[\r\n]+\s*/g, ' '), { ...fault }, cause)
}

/** A piece of a file for an error message: quoted, at most 40 characters, without control characters. */
export function excerpt(text: string): string {
  const clean = text.replaceAll(/\p{Cc}/gu, ' ')
  return `'${clean.length > 40 ? `${clean.slice(0, 37)}…` : clean}'`
}
