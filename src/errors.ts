/**
 * Every error that a caller can act on. Message form (docs/errors.md has one section per code):
 * `area: what failed — expected …, got … (how to mend)`.
 * Errors cross threads and sockets as plain data (`toJSON`) and are rebuilt as the same class (`errorFromJSON`).
 * @packageDocumentation
 */

/** What went wrong, from a closed list; stable across minor versions. */
export type ErrorCode =
  | 'SHAPE'
  | 'DTYPE'
  | 'CONFIG'
  | 'DATA'
  | 'MEMORY'
  | 'NOT_FITTED'
  | 'BACKEND'
  | 'TRANSPORT'
  | 'PEER_LOST'
  | 'COLLECTIVE_TIMEOUT'
  | 'PROTOCOL'
  | 'CHECKPOINT'
  | 'ABORT'
  | 'DIVERGED'
  | 'RANK_FAILED'

/** The serialisable form of a {@link TuttiError}. */
export interface ErrorJSON {
  readonly code: ErrorCode
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
}

/** Base class of all errors of this package. `details` is plain data and names ranks, steps and sizes where they apply. */
export class TuttiError extends Error {
  readonly code: ErrorCode
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = new.target.name
    this.code = code
    this.details = details
  }

  /** True when the input or the configuration is at fault (command line: exit code 2), false when a run failed (1). */
  get isUsage(): boolean {
    return usageCodes.has(this.code)
  }

  toJSON(): ErrorJSON {
    return { code: this.code, message: this.message, details: this.details }
  }
}

const usageCodes: ReadonlySet<ErrorCode> = new Set(['SHAPE', 'DTYPE', 'CONFIG', 'DATA', 'MEMORY', 'NOT_FITTED'])

/** A tensor has another shape than the operator, layer or collective needs. */
export class ShapeError extends TuttiError {
  constructor(message: string, details?: Record<string, unknown>) {
    super('SHAPE', message, details)
  }
}

/** An element type that the operation does not take. */
export class DTypeError extends TuttiError {
  constructor(message: string, details?: Record<string, unknown>) {
    super('DTYPE', message, details)
  }
}

/** An option, or a relation between options, that cannot be. */
export class ConfigError extends TuttiError {
  constructor(message: string, details?: Record<string, unknown>) {
    super('CONFIG', message, details)
  }
}

/** A file or data set that cannot be read; names file and line or byte. */
export class DataError extends TuttiError {
  constructor(message: string, details?: Record<string, unknown>, cause?: unknown) {
    super('DATA', message, details, cause)
  }
}

/** Not enough memory in a segment or on the machine; `details` has `askedBytes`, `usedBytes`, `freeBytes`. */
export class MemoryError extends TuttiError {
  constructor(message: string, details?: Record<string, unknown>) {
    super('MEMORY', message, details)
  }
}

/** `predict` before `fit`. */
export class NotFittedError extends TuttiError {
  constructor(message: string, details?: Record<string, unknown>) {
    super('NOT_FITTED', message, details)
  }
}

/** The native runtime refused a graph or failed while running it. */
export class BackendError extends TuttiError {
  constructor(message: string, details?: Record<string, unknown>, cause?: unknown) {
    super('BACKEND', message, details, cause)
  }
}

/** A transport could not start or broke (no mpirun, wrong library, no connection). */
export class TransportError extends TuttiError {
  constructor(message: string, details?: Record<string, unknown>, cause?: unknown) {
    super('TRANSPORT', message, details, cause)
  }
}

/** One or more ranks ended before the run did; `details.ranks` names them. What recovers: resume from the checkpoint. */
export class PeerLostError extends TuttiError {
  constructor(message: string, details?: Record<string, unknown>) {
    super('PEER_LOST', message, details)
  }
}

/** A rank waited longer than its time-out; `details.ranks` names the ranks that did not arrive. */
export class CollectiveTimeoutError extends TuttiError {
  constructor(message: string, details?: Record<string, unknown>) {
    super('COLLECTIVE_TIMEOUT', message, details)
  }
}

/** Ranks disagree (on a collective, a Program, a version, a hash). Nothing recovers but a corrected program. */
export class ProtocolError extends TuttiError {
  constructor(message: string, details?: Record<string, unknown>) {
    super('PROTOCOL', message, details)
  }
}

/** A checkpoint that is missing, damaged or does not fit the run. */
export class CheckpointError extends TuttiError {
  constructor(message: string, details?: Record<string, unknown>, cause?: unknown) {
    super('CHECKPOINT', message, details, cause)
  }

  override get isUsage(): boolean {
    return true
  }
}

/** The caller's `AbortSignal` or Ctrl-C stopped the work. */
export class AbortError extends TuttiError {
  constructor(message = 'the run was stopped', details?: Record<string, unknown>) {
    super('ABORT', message, details)
  }
}

/** The loss or a parameter is no longer a finite number; `details.step` is the first such step. */
export class DivergedError extends TuttiError {
  constructor(message: string, details?: Record<string, unknown>) {
    super('DIVERGED', message, details)
  }
}

/** Code on a rank threw something that is none of the above; `details.rank` names it, `cause` is the original. */
export class RankFailedError extends TuttiError {
  constructor(message: string, details?: Record<string, unknown>, cause?: unknown) {
    super('RANK_FAILED', message, details, cause)
  }
}

const classes = {
  SHAPE: ShapeError,
  DTYPE: DTypeError,
  CONFIG: ConfigError,
  DATA: DataError,
  MEMORY: MemoryError,
  NOT_FITTED: NotFittedError,
  BACKEND: BackendError,
  TRANSPORT: TransportError,
  PEER_LOST: PeerLostError,
  COLLECTIVE_TIMEOUT: CollectiveTimeoutError,
  PROTOCOL: ProtocolError,
  CHECKPOINT: CheckpointError,
  ABORT: AbortError,
  DIVERGED: DivergedError,
  RANK_FAILED: RankFailedError,
} satisfies Record<ErrorCode, new (message: string, details?: Record<string, unknown>) => TuttiError>

/** Rebuilds an error that crossed a thread or a socket. */
export function errorFromJSON(json: ErrorJSON): TuttiError {
  return new classes[json.code](json.message, { ...json.details })
}

/** The serialisable form of anything that was thrown; `rank` is named when it is not one of our own errors. */
export function errorToJSON(thrown: unknown, rank?: number): ErrorJSON {
  if (thrown instanceof TuttiError) return thrown.toJSON()
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  const stack = thrown instanceof Error ? thrown.stack : undefined
  const where = rank === undefined ? '' : `rank ${rank}: `
  return { code: 'RANK_FAILED', message: `${where}${message}`, details: { rank, stack } }
}
