import { type FileHandle, open } from 'node:fs/promises'
import { basename } from 'node:path'
import { Readable, type Transform } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { type ReadContext, throwIfAborted } from '../read-context.ts'
import { fileFault } from './file-fault.ts'

const chunkBytes = 1 << 18

/** An opened file: its content (gunzipped where its first two bytes say so), piece by piece. */
export interface ByteStream extends AsyncIterable<Uint8Array> {
  readonly path: string
  /** True when the file starts with gzip's magic number; its name does not matter. */
  readonly isGzip: boolean
  /** Bytes on disk. */
  readonly fileBytes: number
  close(): Promise<void>
}

/**
 * Opens a file for one pass over its content. Closing is done by the loop that reads it, also when it stops early.
 * @throws {DataError} when the file cannot be opened, is empty, or is a gzip that is cut short or damaged (while it is read).
 */
export async function openByteStream(path: string, context: ReadContext = {}): Promise<ByteStream> {
  const file = await openFile(path)
  let fileBytes: number
  let isGzip: boolean
  try {
    const stats = await file.stat()
    if (stats.isDirectory())
      throw fileFault({ area: 'data', path, what: 'cannot be read', expected: 'a file', got: 'a folder', mend: 'name the file in it' })
    fileBytes = stats.size
    const magic = new Uint8Array(2)
    await file.read(magic, 0, 2, 0)
    isGzip = magic[0] === 0x1f && magic[1] === 0x8b
  } catch (error) {
    await file.close()
    throw error
  }
  const close = once(() => file.close())
  return {
    path,
    isGzip,
    fileBytes,
    close,
    async *[Symbol.asyncIterator]() {
      try {
        const raw = rawChunks(file, path, fileBytes, context)
        yield* isGzip ? gunzipped(raw, path) : raw
      } finally {
        await close()
      }
    },
  }
}

/** The whole content of a file, at most `limit` bytes of it. */
export async function readHead(path: string, limit: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let length = 0
  try {
    for await (const piece of await openByteStream(path)) {
      pieces.push(piece)
      length += piece.length
      if (length >= limit) break
    }
  } catch (error) {
    // A damaged tail is the reader's to report; the head is enough to choose the reader.
    if (length === 0) throw error
  }
  return Buffer.concat(pieces).subarray(0, limit)
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'an error'
    const got = code === 'ENOENT' ? 'no such file' : code
    throw fileFault({ area: 'data', path, what: 'cannot be opened', expected: 'a readable file', got, mend: 'check the path' }, error)
  }
}

async function* rawChunks(file: FileHandle, path: string, fileBytes: number, context: ReadContext): AsyncGenerator<Uint8Array> {
  const name = basename(path)
  let position = 0
  for (;;) {
    throwIfAborted(context.signal, `reading ${name}`)
    // A fresh buffer per piece: a consumer (the inflater's queue) may still hold the previous one.
    const chunk = new Uint8Array(chunkBytes)
    const { bytesRead } = await file.read(chunk, 0, chunkBytes, position)
    if (bytesRead === 0) return
    position += bytesRead
    context.onProgress?.({ phase: 'read', name, done: position, total: fileBytes, unit: 'bytes' })
    yield chunk.subarray(0, bytesRead)
  }
}

async function* gunzipped(raw: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<Uint8Array> {
  const gunzip: Transform = createGunzip({ chunkSize: chunkBytes })
  const source = Readable.from(raw, { objectMode: false })
  // Not `pipeline`: when the consumer stops early it would report a premature close that nobody waits for.
  source.on('error', (error) => gunzip.destroy(error))
  source.pipe(gunzip)
  let bytes = 0
  try {
    for await (const piece of gunzip as AsyncIterable<Buffer>) {
      bytes += piece.length
      yield new Uint8Array(piece.buffer, piece.byteOffset, piece.length)
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === undefined || !code.startsWith('Z_')) throw error
    const cut = code === 'Z_BUF_ERROR'
    const what = cut ? 'the gzip file ends too early' : 'the gzip file is damaged'
    throw fileFault(
      {
        area: 'gzip',
        path,
        byte: bytes,
        what,
        expected: 'more compressed data',
        got: cut ? 'the end of the file' : message,
        mend: 'fetch the file again',
      },
      error,
    )
  } finally {
    source.destroy()
    gunzip.destroy()
  }
}

function once(action: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => {
    done ??= action()
    return done
  }
}
