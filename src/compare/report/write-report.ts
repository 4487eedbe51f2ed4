import { existsSync, statSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConfigError } from '../../errors.ts'
import type { RunRecord } from '../../records/record.ts'
import { type RunRow, summarizeRun } from '../summary.ts'
import { groupCases } from '../verdict/case.ts'
import { count } from '../verdict/format-quantity.ts'
import { judge } from '../verdict/judge.ts'
import type { Skipped } from '../verdict/missing.ts'
import { overallVerdicts } from '../verdict/overall.ts'
import { renderPage } from './page.ts'
import { type ResultsDocument, resultsDocument } from './results.ts'
import { buildView } from './view.ts'

/** Options of {@link buildReport}. */
export interface ReportOptions {
  /** Heading (default: what was compared, counted). */
  readonly title?: string
  /** Command that made the records, shown so that it can be repeated. */
  readonly command?: string
  /** Ways of running that were left out, with the reason. */
  readonly skipped?: readonly Skipped[]
  /** Folder of the report: paths in it are shown relative to that (default: as the records have them). */
  readonly folder?: string
}

/** Options of {@link writeReport}. */
export interface WriteReportOptions extends Omit<ReportOptions, 'folder'> {
  /** Folder of `report.html` and `results.json`; made when absent. */
  readonly out: string
  /** The page's script (default: `client.js` beside this module, which the build puts there). */
  readonly clientScript?: URL
}

/** Where the report is, and what it says. */
export interface WrittenReport {
  readonly reportPath: string
  readonly resultsPath: string
  readonly results: ResultsDocument
}

/** The report as text: the page with everything inline, and the document of `results.json`. Pure and deterministic. */
export function buildReport(
  records: readonly RunRecord[],
  script: string,
  options: ReportOptions = {},
): { html: string; results: ResultsDocument } {
  if (records.length === 0) throw nothingToReport(options.skipped ?? [])
  const rows = records.map((record) => shortPaths(summarizeRun(record), options.folder))
  const cases = groupCases(rows)
  const judged = cases.map(judge)
  const overall = overallVerdicts(judged)
  const skipped = options.skipped ?? []
  const title =
    options.title ?? `${cases.length === 1 ? cases[0]?.title : count(cases.length, 'case')} compared in ${count(rows.length, 'run')}`
  const results = resultsDocument(records, rows, judged, overall, { title, skipped })
  const view = buildView(cases, new Map(rows.map((row, i) => [row, records[i] as RunRecord])))
  const html = renderPage({
    records,
    judged,
    overall,
    view,
    title,
    skipped,
    script,
    ...(options.command === undefined ? {} : { command: options.command }),
  })
  return { html, results }
}

/**
 * Writes `report.html` (one file: no network, opened from disk) and `results.json` into a folder.
 * @throws {ConfigError} CONFIG without records, when the folder cannot be written, or when the page's script was not built.
 */
export async function writeReport(records: readonly RunRecord[], options: WriteReportOptions): Promise<WrittenReport> {
  const { html, results } = buildReport(records, await readScript(options.clientScript), { ...options, folder: options.out })
  const reportPath = join(options.out, 'report.html')
  const resultsPath = join(options.out, 'results.json')
  try {
    await mkdir(options.out, { recursive: true })
    await writeFile(reportPath, html)
    await writeFile(resultsPath, `${JSON.stringify(results, null, 2)}\n`)
  } catch (error) {
    const got = isFile(options.out) ? 'a file' : (error as Error).message
    throw new ConfigError(`report: cannot write to ${options.out} — expected a writable folder, got ${got} (choose another --out)`)
  }
  return { reportPath, resultsPath, results }
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile()
}

function nothingToReport(skipped: readonly Skipped[]): ConfigError {
  const reasons = [
    ...new Set(skipped.map(({ workload, paradigm, reason }) => [workload, `${paradigm}: ${reason}`].filter(Boolean).join(' '))),
  ]
  return reasons.length === 0
    ? new ConfigError('report: no records — expected at least one run, got none (run `tutti compare` first)')
    : new ConfigError(`compare: every case was left out — ${reasons.join('; ')}`)
}

/** A row whose checkpoint is named as seen from the report's folder. */
function shortPaths(row: RunRow, folder: string | undefined): RunRow {
  if (folder === undefined || row.checkpoint === undefined) return row
  const checkpoint = relative(resolve(folder), resolve(row.checkpoint))
  return { ...row, checkpoint, ...(row.loss?.checkpoint === undefined ? {} : { loss: { ...row.loss, checkpoint } }) }
}

async function readScript(location: URL = new URL('./client.js', import.meta.url)): Promise<string> {
  try {
    return await readFile(location, 'utf8')
  } catch {
    throw new ConfigError(`report: the script of the page is missing — expected ${fileURLToPath(location)} (run \`npm run build\`)`)
  }
}
