import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { AbortError, DataError } from '../../errors.ts'
import type { ReadContext } from '../read-context.ts'
import { withFileLock } from './file-lock.ts'
import { isFile } from './search-path.ts'
import { hashContent } from './verify-file.ts'
import { faultText } from '../fault-text.ts'

/** How a file is fetched. */
export interface DownloadOptions extends ReadContext {
  /** SHA-256 (hex) of the content, uncompressed where the file is a gzip. */
  readonly sha256: string
  /** Further tries of each address after a broken connection (default 4); what has arrived is kept. */
  readonly retries?: number
  /** Pause before the first further try, doubled each time (default 500 ms). */
  readonly retryDelayMs?: number
  /** Longest silence of the server (default 30,000 ms). */
  readonly timeoutMs?: number
}

/**
 * Fetches a file from the first address that has it. It grows as `<path>.part`, from which a later call goes on (HTTP Range), and
 * gets its name only when its checksum is right. Several processes on one machine wait for each other. A file that is already at
 * `path` is left alone.
 * @throws {DataError} when no address gives the file; it says what each of them answered. {@link AbortError} when the signal is raised;
 * the part that has arrived stays.
 */
export async function download(urls: readonly string[], path: string, options: DownloadOptions): Promise<void> {
  await mkdir(dirname(path), { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw new DataError(
      faultText(
        `download: ${dirname(path)} cannot be made`,
        'a folder that can be written',
        error.code,
        'set XDG_CACHE_HOME or TUTTI_DATA',
      ),
      {},
      error,
    )
  })
  const answers: string[] = []
  const isDone = await withFileLock(`${path}.lock`, options.signal, async () => {
    // Another process may have fetched it while this one waited.
    if (await isFile(path)) return true
    for (const url of urls) {
      const answer = await fromAddress(url, path, options)
      if (answer === undefined) return true
      answers.push(`${url}: ${answer}`)
    }
    return false
  })
  if (isDone) return
  const got = answers.length === 0 ? 'no address to fetch it from' : answers.join('; ')
  throw new DataError(
    faultText(
      `download: ${basename(path)} could not be fetched`,
      `the file with SHA-256 ${options.sha256}`,
      got,
      `check the network, or put the file at ${path}`,
    ),
    {
      path,
      answers,
    },
  )
}

/** Tries one address; returns what went wrong, or undefined. */
async function fromAddress(url: string, path: string, options: DownloadOptions): Promise<string | undefined> {
  const { retries = 4, retryDelayMs = 500, signal, sha256 } = options
  const part = `${path}.part`
  let answer = ''
  let startedAfresh = false
  for (let attempt = 0; attempt <= retries; attempt++) {
    if (attempt > 0) await pause(retryDelayMs * 2 ** (attempt - 1), undefined, signal && { signal }).catch(() => undefined)
    if (signal?.aborted) throw new AbortError(`download: ${basename(path)} was stopped`)
    const had = await sizeOf(part)
    const result = await fetchRest(url, part, had, options)
    if (result.state === 'refused') return result.answer
    if (result.state === 'unreachable' || result.state === 'broken') {
      answer = result.answer
      // Without a network every try ends like the first, and whoever waits has another way (generated data).
      if (result.state === 'unreachable' && attempt >= 1) return answer
      // Progress earns a new set of tries: a slow line that drops now and then still ends.
      if ((await sizeOf(part)) > had) attempt = 0
      continue
    }
    const found = await hashContent(part, options).catch((error: unknown) => {
      if (error instanceof AbortError) throw error
      return error instanceof Error ? error.message : String(error)
    })
    if (found === sha256) {
      await rename(part, path)
      return undefined
    }
    await rm(part, { force: true })
    answer = `another content, SHA-256 ${found}`
    // A part of an older version of the file is no reason to give the address up.
    if (had === 0 || startedAfresh) return answer
    startedAfresh = true
  }
  return answer
}

type Outcome = { readonly state: 'complete' } | { readonly state: 'broken' | 'refused' | 'unreachable'; readonly answer: string }

async function fetchRest(url: string, part: string, had: number, options: DownloadOptions): Promise<Outcome> {
  const { timeoutMs = 30_000, signal } = options
  const silence = new AbortController()
  let timer = setTimeout(() => silence.abort(), timeoutMs)
  const signals = signal ? AbortSignal.any([signal, silence.signal]) : silence.signal
  let file: FileHandle | undefined
  try {
    const headers: Record<string, string> = { 'accept-encoding': 'identity' }
    if (had > 0) headers['range'] = `bytes=${had}-`
    const response = await fetch(url, { headers, signal: signals, redirect: 'follow' })
    const goesOn = response.status === 206 && response.headers.get('content-range')?.startsWith(`bytes ${had}-`) === true
    if (response.status === 416) {
      await response.body?.cancel()
      return await afterUnsatisfiable(response, part, had)
    }
    if (!response.ok || !response.body) {
      await response.body?.cancel()
      const answer = `HTTP ${response.status} ${response.statusText}`.trim()
      const isPassing = response.status >= 500 || response.status === 408 || response.status === 429
      return { state: isPassing ? 'broken' : 'refused', answer }
    }
    let position = goesOn ? had : 0
    const rest = Number(response.headers.get('content-length') ?? Number.NaN)
    const total = Number.isFinite(rest) ? position + rest : undefined
    // A server without Range sends everything: what was there is overwritten from the start.
    file = await open(part, goesOn ? 'r+' : 'w')
    for await (const piece of response.body) {
      clearTimeout(timer)
      timer = setTimeout(() => silence.abort(), timeoutMs)
      await file.write(piece, 0, piece.length, position)
      position += piece.length
      options.onProgress?.({
        phase: 'download',
        name: basename(part, '.part'),
        done: position,
        ...(total !== undefined && { total }),
        unit: 'bytes',
      })
    }
    if (total !== undefined && position < total)
      return { state: 'broken', answer: `the connection ended after ${position} of ${total} bytes` }
    return { state: 'complete' }
  } catch (error) {
    if (signal?.aborted) throw new AbortError(`download: ${basename(part, '.part')} was stopped`)
    if (isDiskError(error))
      throw new DataError(
        faultText(`download: ${part} cannot be written`, 'room for the file', error.code, 'free some space, or set XDG_CACHE_HOME'),
        {},
        error,
      )
    const state = !file && unreachable.has(causeCode(error)) ? 'unreachable' : 'broken'
    return { state, answer: silence.signal.aborted ? `no answer for ${timeoutMs} ms` : reasonOf(error) }
  } finally {
    clearTimeout(timer)
    await file?.close()
  }
}

// The part is already as long as the file (it was stopped before the check), or longer than another version of it.
async function afterUnsatisfiable(response: Response, part: string, had: number): Promise<Outcome> {
  if (response.headers.get('content-range') === `bytes */${had}`) return { state: 'complete' }
  await rm(part, { force: true })
  return { state: 'broken', answer: 'the part that was there does not belong to this file' }
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0
}

function isDiskError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && ['write', 'open', 'ftruncate'].includes((error as NodeJS.ErrnoException).syscall ?? '')
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const inner = causeCode(error)
  return inner ? `${error.message} (${inner})` : error.message
}

/** Failures of finding or reaching the machine at all. */
const unreachable: ReadonlySet<string> = new Set(['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'ENETUNREACH', 'EHOSTUNREACH'])

function causeCode(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? cause.message) : ''
}
