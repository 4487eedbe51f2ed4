import type { ByteStream } from '../files/byte-stream.ts'

/** Consecutive lines, without their ends. */
export interface LineBlock {
  /** 1-based number of `lines[0]`. */
  readonly first: number
  readonly lines: readonly string[]
}

/**
 * The lines of a UTF-8 text, in blocks of the size in which the bytes arrive (one object per line would cost more than parsing it).
 * Ends of line may be LF or CR LF; a byte-order mark is dropped.
 */
export async function* textLines(bytes: ByteStream): AsyncGenerator<LineBlock> {
  const decoder = new TextDecoder('utf-8')
  let rest = ''
  let first = 1
  for await (const piece of bytes) {
    const text = rest + decoder.decode(piece, { stream: true })
    const lines = text.split('\n')
    rest = lines.pop()!
    if (lines.length === 0) continue
    yield { first, lines: withoutReturns(lines) }
    first += lines.length
  }
  rest += decoder.decode()
  if (rest !== '') yield { first, lines: withoutReturns([rest]) }
}

function withoutReturns(lines: string[]): string[] {
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!
    if (line.charCodeAt(line.length - 1) === 13) lines[i] = line.slice(0, -1)
  }
  return lines
}
