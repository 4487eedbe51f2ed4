/**
 * `runs/<id>/` on disk. Rows of metrics are appended while the run goes on, so that a killed driver loses at most the last line; the other files are
 * written at its end.
 * @packageDocumentation
 */
import { accessSync, appendFileSync, constants, existsSync, readFileSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ConfigError, DataError } from '../errors.ts'
import { type MetricRow, recordVersion, type RunConfig, type RunRecord, type RunSummary } from './record.ts'
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

/** The file that stands where a folder, or one above it, should be. */
function fileInTheWay(dir: string): string | undefined {
  let path = dir
  while (!existsSync(path) && dirname(path) !== path) path = dirname(path)
  return existsSync(path) && statSync(path).isFile() ? path : undefined
}

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
      const code = cause instanceof Error && 'code' in cause ? cause.code : cause
      const file = fileInTheWay(dir)
      const reason = file === undefined ? code : `expected a folder, got the file ${file}`
      throw new ConfigError(`out: cannot write to ${dir} — ${reason} (choose another folder with --out)`, { dir })
    }
  }

  /** Starts the record: what a run before this one left here goes, but for the `earlier` rows that a resumed run goes on from. */
  begin(config: RunConfig, earlier: readonly MetricRow[]): void {
    this.#writeJSON(files.config, config)
    this.#writeMetrics(earlier)
    for (const name of [files.summary, files.ranks, files.traffic, files.trace]) rmSync(join(this.dir, name), { force: true })
  }

  /** Appends one row. A folder that vanished meanwhile is no reason to lose a run: {@link finish} writes everything again, and says what it cannot. */
  append(row: MetricRow): void {
    try {
      appendFileSync(join(this.dir, files.metrics), `${JSON.stringify(row)}\n`)
    } catch {
      // Written at the end.
    }
  }

  /** Writes everything that is known at the end. */
  finish(record: RunRecord): void {
    this.#writeJSON(files.config, record.config)
    this.#writeJSON(files.ranks, record.ranks)
    this.#writeJSON(files.traffic, record.traffic)
    this.#writeJSON(files.trace, { traceEvents: record.trace, displayTimeUnit: 'ms' })
    this.#writeMetrics(record.metrics)
    this.#writeJSON(files.summary, record.summary)
  }

  #writeMetrics(rows: readonly MetricRow[]): void {
    this.#writeText(files.metrics, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
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
  return {
    config,
    summary: json(files.summary),
    metrics: readMetrics(dir),
    ranks: json(files.ranks),
    traffic: json(files.traffic),
    trace: json<{ traceEvents: RunRecord['trace'] }>(files.trace).traceEvents,
  }
}

/** Rows of a run, whether it has ended or not; none where it had written none. A last line that was cut off is left out. */
export function readMetrics(dir: string): MetricRow[] {
  const path = join(dir, files.metrics)
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n')
  // What follows the last line break is empty, or a line that a killed driver began.
  return lines.slice(0, -1).map((line, index) => {
    try {
      return JSON.parse(line) as MetricRow
    } catch (cause) {
      throw new DataError(`run: ${path}, line ${index + 1} is not JSON`, { path, line: index + 1 }, cause)
    }
  })
}

/** How a run ended, or undefined where it has not (or its driver was killed). */
export function readSummary(dir: string): RunSummary | undefined {
  const path = join(dir, files.summary)
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as RunSummary) : undefined
}
