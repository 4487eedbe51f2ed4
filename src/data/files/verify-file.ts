import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { ReadContext } from '../read-context.ts'
import { openByteStream } from './byte-stream.ts'

interface Verified {
  readonly sizeBytes: number
  readonly mtimeMs: number
  readonly sha256: string
}

const known = new Map<string, Verified>()

/**
 * SHA-256 (hex) of a file's content, gunzipped where it is a gzip: the same for every compression of the same data. The result is
 * remembered by path, size and time of change, in this process and (where the folder can be written) in `<cache>/verified.json`.
 */
export async function contentSha256(path: string, cache: string | undefined, context: ReadContext = {}): Promise<string> {
  const absolute = resolve(path)
  const { size: sizeBytes, mtimeMs } = await stat(absolute)
  const isCurrent = (entry: Verified | undefined): entry is Verified => entry?.sizeBytes === sizeBytes && entry.mtimeMs === mtimeMs
  const remembered = known.get(absolute)
  if (isCurrent(remembered)) return remembered.sha256
  const stored = cache === undefined ? {} : await readStore(cache)
  const entry = stored[absolute]
  if (isCurrent(entry)) {
    known.set(absolute, entry)
    return entry.sha256
  }
  const sha256 = await hashContent(absolute, context)
  const verified = { sizeBytes, mtimeMs, sha256 }
  known.set(absolute, verified)
  if (cache !== undefined) await writeStore(cache, { ...(await readStore(cache)), [absolute]: verified })
  return sha256
}

/** SHA-256 (hex) of a file's content, gunzipped where it is a gzip; always computed. */
export async function hashContent(path: string, context: ReadContext): Promise<string> {
  const hash = createHash('sha256')
  const { onProgress } = context
  const verifying: ReadContext = {
    ...context,
    ...(onProgress && { onProgress: (progress) => onProgress({ ...progress, phase: 'verify', name: basename(path) }) }),
  }
  for await (const piece of await openByteStream(path, verifying)) hash.update(piece)
  return hash.digest('hex')
}

function storePath(cache: string): string {
  return join(cache, 'verified.json')
}

async function readStore(cache: string): Promise<Record<string, Verified>> {
  try {
    const stored: unknown = JSON.parse(await readFile(storePath(cache), 'utf8'))
    return typeof stored === 'object' && stored !== null ? (stored as Record<string, Verified>) : {}
  } catch {
    return {}
  }
}

// The store only saves time: a folder that cannot be written costs a check per process, nothing else.
async function writeStore(cache: string, store: Record<string, Verified>): Promise<void> {
  const path = storePath(cache)
  const temporary = `${path}.${process.pid}.tmp`
  try {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(temporary, JSON.stringify(store))
    await rename(temporary, path)
  } catch {
    return
  }
}
