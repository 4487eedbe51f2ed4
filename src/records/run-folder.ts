/**
 * `runs/<id>/` on disk. Rows of metrics are appended while the run goes on, so that a killed driver loses at most the last line; the other files are
 * written at its end.
 * @packageDocumentation
 */
import { accessSync, appendFileSync, constants, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError, DataError } from '../errors.ts'
import { type MetricRow, recordVersion, type RunConfig, type RunRecord } from './record.ts'
import { makeFolder, replaceFile } from './replace-file.ts'

/** Files of a record; metrics.jsonl has one row a line. */
const files = {
  config: 'config.json',
  summary: 'summary.json',
  metrics: 'metrics.jsonl',
  ranks: 'ranks.json',
  traffic: 'traffic.json',
  trace: 'trace.json',
} as const

/** The folder of one run, while it is written. */
export class RunFolder {
  readonly dir: string

  /** Makes the folder. @throws {ConfigError} when it cannot be written. */
  constructor(dir: string) {
    this.dir = dir
    try {
      makeFolder(dir)
      accessSync(dir, constants.W_OK)
    } catch (cause) {
      const reason = cause instanceof Error && 'code' in cause ? cause.code : cause
      throw new ConfigError(`out: cannot write to ${dir} — ${reason} (choose another folder with --out)`, { dir })
    }
  }

  writeConfig(config: RunConfig): void {
    this.#writeJSON(files.config, config)
  }

  /** Appends one row. */
  append(row: MetricRow): void {
    appendFileSync(join(this.dir, files.metrics), `${JSON.stringify(row)}\n`)
  }

  /** Writes everything that is known at the end. */
  finish(record: RunRecord): void {
    this.#writeJSON(files.config, record.config)
    this.#writeJSON(files.ranks, record.ranks)
    this.#writeJSON(files.traffic, record.traffic)
    this.#writeJSON(files.trace, { traceEvents: record.trace, displayTimeUnit: 'ms' })
    this.#writeText(files.metrics, record.metrics.map((row) => `${JSON.stringify(row)}\n`).join(''))
    this.#writeJSON(files.summary, record.summary)
  }

  #writeJSON(name: string, value: unknown): void {
    this.#writeText(name, `${JSON.stringify(value, undefined, 2)}\n`)
  }

  #writeText(name: string, text: string): void {
    replaceFile(join(this.dir, name), new TextEncoder().encode(text))
  }
}

/** Reads a record back. @throws {DataError} naming the file that is missing, damaged or of another form. */
export function readRun(dir: string): RunRecord {
  const text = (name: string): string => {
    const path = join(dir, name)
    if (!existsSync(path)) throw new DataError(`run: ${dir} has no ${name} — expected the folder of a run that has ended`, { path })
    return readFileSync(path, 'utf8')
  }
  const json = <T>(name: string): T => {
    try {
      return JSON.parse(text(name)) as T
    } catch (cause) {
      if (cause instanceof DataError) throw cause
      throw new DataError(`run: ${join(dir, name)} is not JSON`, { dir, name }, cause)
    }
  }
  const config = json<RunConfig>(files.config)
  if (config.recordVersion !== recordVersion) {
    throw new DataError(
      `run: ${dir} has form ${config.recordVersion} — expected ${recordVersion} (read it with the version that wrote it)`,
      { dir },
    )
  }
  const metrics = text(files.metrics)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as MetricRow)
  return {
    config,
    summary: json(files.summary),
    metrics,
    ranks: json(files.ranks),
    traffic: json(files.traffic),
    trace: json<{ traceEvents: RunRecord['trace'] }>(files.trace).traceEvents,
  }
}
