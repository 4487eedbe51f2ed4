import { AbortError } from '../errors.ts'

/** How far a long piece of work is. */
export interface DataProgress {
  readonly phase: 'download' | 'verify' | 'read' | 'generate'
  /** File name or data set id. */
  readonly name: string
  readonly done: number
  /** Absent when it is not known beforehand (the bytes of a gzip's content). */
  readonly total?: number
  readonly unit: 'bytes' | 'rows'
}

/** What belongs to one call and never travels to another process: its signal and its listener. */
export interface ReadContext {
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: DataProgress) => void
}

/** @throws {AbortError} when the caller's signal has been raised. */
export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) throw new AbortError(`data: ${what} was stopped`)
}
