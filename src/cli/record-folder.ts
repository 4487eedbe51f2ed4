import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from '../errors.ts'
import { readSummary } from '../records/run-folder.ts'

/**
 * That a run may write its record into a folder that was named.
 * @throws {ConfigError} where another run has left its record, whether it has ended or not
 */
export function requireFreeRunFolder(dir: string): void {
  if (!existsSync(join(dir, 'config.json'))) return
  const status = readSummary(dir)?.status
  const what = status === 'done' ? 'a finished run' : 'a run that has not ended'
  const goOn = status === 'done' ? '' : `tutti run --resume ${dir}, `
  throw taken(`run: ${dir} is the record of ${what}`, `${goOn}another folder, or --force to write over it`)
}

/** As {@link requireFreeRunFolder}, of a comparison. */
export function requireFreeComparisonFolder(dir: string): void {
  if (existsSync(join(dir, 'results.json')))
    throw taken(`compare: ${dir} holds the report of a comparison`, 'another folder, or --force to write over it')
}

function taken(what: string, mend: string): ConfigError {
  return new ConfigError(`${what} — expected a folder without one (${mend})`)
}
