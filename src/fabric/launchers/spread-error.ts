import type { ErrorCode, ErrorJSON } from '../../errors.ts'

/** Errors that are about the run as a whole: every rank records the same. */
const shared: ReadonlySet<ErrorCode> = new Set(['PEER_LOST', 'COLLECTIVE_TIMEOUT', 'PROTOCOL', 'ABORT'])

/** What the other ranks are told when `rank` failed with `error`. */
export function spreadError(error: ErrorJSON, rank: number): ErrorJSON {
  if (shared.has(error.code)) return { ...error, details: { ranks: [rank], ...withoutOwn(error.details) } }
  return {
    code: 'PEER_LOST',
    message: `rank ${rank} failed — expected all ranks to run to the end, got: ${error.message}`,
    details: { ranks: [rank], cause: error.code },
  }
}

/** The error of the run: the first cause, with the rank in its message. */
export function causeError(error: ErrorJSON, rank: number): ErrorJSON {
  const named = (shared.has(error.code) && error.details['ranks'] !== undefined) || error.message.startsWith(`rank ${rank}`)
  const details = { ranks: [rank], ...error.details }
  return { code: error.code, message: named ? error.message : `rank ${rank}: ${error.message}`, details }
}

/** Details that are those of the rank that recorded the error. */
function withoutOwn(details: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { rank: _rank, step: _step, ...rest } = details
  return rest
}
