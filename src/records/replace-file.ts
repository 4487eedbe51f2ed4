import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { threadId } from 'node:worker_threads'
import { ConfigError } from '../errors.ts'

/** Makes a folder and those above it. Level by level, because Node's own recursive form never returns where the system refuses with ENOENT (/proc). */
export function makeFolder(dir: string): void {
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory()) return
  if (dirname(dir) !== dir) makeFolder(dirname(dir))
  try {
    mkdirSync(dir)
  } catch (error) {
    // Another process may have been first.
    if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory()) throw error
  }
}

/** Name beside `path` that no other writer uses, on a shared folder neither: threads have one process id, and hosts count alike. */
export function temporaryName(path: string): string {
  return `${path}.${hostname()}.${process.pid}.${threadId}.tmp`
}

/**
 * Writes beside the target and renames: readers see the old file or the new one, never half of it. Makes the folder where there is none.
 * @throws {ConfigError} when the file cannot be written there.
 */
export function replaceFile(path: string, bytes: Uint8Array): void {
  const temporary = temporaryName(path)
  try {
    makeFolder(dirname(path))
    writeFileSync(temporary, bytes)
    renameSync(temporary, path)
  } catch (cause) {
    try {
      rmSync(temporary, { force: true })
    } catch {
      // Where a part of the path is a file there is nothing to remove.
    }
    const reason = cause instanceof Error && 'code' in cause ? cause.code : cause
    throw new ConfigError(`out: cannot write ${path} — ${reason} (choose another place)`, { path })
  }
}
