/**
 * The first part of a model segment: what the threads of one process tell each other without messages. A *lane* is one thread: the rank
 * threads first, then their service threads. All words are int32.
 *
 *   [ head: cancel, stop, reason text ]
 *   [ lane 0: doorbell | state | text ] [ lane 1 ] …          one cache line or more each
 *   [ group table: members and 16 slots of collectives each ]
 *   [ mailboxes: for each source lane, how many messages wait for each destination, and its message slots ]
 *   [ lane 0: exchange | scratch ] [ lane 1 ] …
 *
 * Everything is zero at the start, which is a valid empty state. Pages that nobody touches cost no memory.
 * @packageDocumentation
 */

/** Words of one cache line. */
const line = 16

/** Head: what concerns the whole process. */
export const head = {
  cancel: 0,
  stop: 1,
  reasonLength: 2,
  /** Group table entries in use are marked in the table itself; this word guards taking one. */
  groupLock: 3,
  reason: line,
} as const
/** Bytes of the reason's text. */
export const reasonBytes = 8192
const headWords = line + reasonBytes / 4

/** Words of one lane. The doorbell and the sleep flag are written by others, so they have a line of their own. */
export const lane = {
  doorbell: 0,
  sleeping: 1,
  state: line,
  /** Communications started by this thread. */
  operations: line + 1,
  /** 1 while parameters are being written. */
  committing: line + 2,
  step: line + 3,
  timeoutMs: line + 4,
  /** Counts waits, so that the watchdog can tell one long wait from many short ones. */
  waits: line + 5,
  labelLength: line + 6,
  textLength: line + 7,
  numMissing: line + 8,
  /** What a native call that blocks is doing: kind, number, peer, tag. */
  blocking: line + 9,
  label: 2 * line,
  text: 4 * line,
  missing: 6 * line,
} as const
export const laneTextBytes = 2 * line * 4
/** Most missing ranks that a lane names. */
export const maxMissing = line
const laneWords = 7 * line

/** What a lane is doing. */
export const laneState = { idle: 0, running: 1, waiting: 2, ended: 3, hanging: 4 } as const

/** Groups of ranks (communicators) that can be open at once in one process. */
export const maxGroups = 64
/** Collectives of one group that can be under way at once; the next ones wait. */
export const slotsPerGroup = 16
/** One rank's words in one slot: phase, header (7), array offsets (2), flags, split words. */
export const slot = { phase: 0, header: 1, dataOffset: 8, intoOffset: 9, external: 10, color: 11, key: 12, result: 13, hash: 14 } as const
export const slotWords = line

/** Words of a group before its slots. */
export const groupHead = { inUse: 0, open: 1, generation: 2 } as const
export const groupHeadWords = line

/** A message slot of a source lane. */
export const message = { state: 0, context: 1, tag: 2, order: 3, dtype: 4, length: 5, offset: 6, chunkBytes: 7, destination: 8 } as const
export const messageWords = line
/** Messages of one lane that can be posted at once; the next ones wait. */
export const slotsPerMailbox = 1024

/** Bytes of the staging buffer of a lane, for arrays outside the segment. */
export const exchangeBytes = 65536
/** Largest message of a schedule, and how many scratch arrays of it a lane has. */
export const pieceBytes = 262144
export const numPieces = 4

/** Where everything lies, in bytes from the start of the control part. */
export interface ControlLayout {
  readonly numLanes: number
  readonly sizeBytes: number
  lane(index: number): number
  group(index: number): number
  readonly groupBytes: number
  /** Message slots of a source lane. */
  mailbox(source: number): number
  /** How many messages of a source lane wait for a destination. */
  waiting(source: number, destination: number): number
  exchange(index: number): number
  scratch(index: number): number
}

/** The layout for `numLanes` threads. */
export function controlLayout(numLanes: number): ControlLayout {
  const lanesAt = headWords * 4
  const groupsAt = lanesAt + numLanes * laneWords * 4
  const groupBytes = (groupHeadWords + slotsPerGroup * numLanes * slotWords) * 4
  const mailboxesAt = groupsAt + maxGroups * groupBytes
  const countsBytes = Math.ceil(numLanes / line) * line * 4
  const mailboxBytes = countsBytes + slotsPerMailbox * messageWords * 4
  const buffersAt = mailboxesAt + numLanes * mailboxBytes
  const bufferBytes = exchangeBytes + numPieces * pieceBytes
  return {
    numLanes,
    sizeBytes: buffersAt + numLanes * bufferBytes,
    groupBytes,
    lane: (index) => lanesAt + index * laneWords * 4,
    group: (index) => groupsAt + index * groupBytes,
    mailbox: (source) => mailboxesAt + source * mailboxBytes + countsBytes,
    waiting: (source, destination) => mailboxesAt + source * mailboxBytes + destination * 4,
    exchange: (index) => buffersAt + index * bufferBytes,
    scratch: (index) => buffersAt + index * bufferBytes + exchangeBytes,
  }
}
