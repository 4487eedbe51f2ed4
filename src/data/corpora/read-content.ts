import { openByteStream } from '../files/byte-stream.ts'
import type { ReadContext } from '../read-context.ts'
import { textLines } from '../readers/text-lines.ts'

/** Every line of a text file, gunzipped where it is a gzip. */
export async function readLines(path: string, context: ReadContext): Promise<string[]> {
  const all: string[] = []
  for await (const { lines } of textLines(await openByteStream(path, context))) for (const line of lines) all.push(line)
  return all
}

/** The whole content of a file, gunzipped where it is a gzip. */
export async function readBytes(path: string, context: ReadContext): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of await openByteStream(path, context)) pieces.push(piece)
  return Buffer.concat(pieces)
}
