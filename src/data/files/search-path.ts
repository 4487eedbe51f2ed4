import { stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'

/** The user's cache folder: `$XDG_CACHE_HOME/tutti`, else `~/.cache/tutti`. */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  return join(environment['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'tutti')
}

/**
 * Folders in which data sets are looked for, in this order: those of `TUTTI_DATA` (several are separated as in PATH), `./data`,
 * `../shared/data`, the user's cache.
 */
export function dataRoots(environment: NodeJS.ProcessEnv = process.env, workingFolder: string = process.cwd()): string[] {
  const own = (environment['TUTTI_DATA'] ?? '').split(delimiter).filter((folder) => folder !== '')
  const roots = [...own, 'data', join('..', 'shared', 'data')].map((folder) => resolve(workingFolder, folder))
  return [...new Set([...roots, cacheFolder(environment)])]
}

/**
 * Places where a data set's file may lie: `<root>/<folder>/<file>` for each of the folder names, then `<root>/<file>`, each as
 * written and with or without `.gz`.
 */
export function candidates(root: string, folders: readonly string[], file: string): string[] {
  const names = file.endsWith('.gz') ? [file, file.slice(0, -3)] : [file, `${file}.gz`]
  return [...folders.map((folder) => join(root, folder)), root].flatMap((folder) => names.map((name) => join(folder, name)))
}

/** Whether a path is a file (links are followed). */
export async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}
