import type { RunRecord, TraceEvent } from '../../records/record.ts'

/** A piece of a trace: events of all ranks inside one window, times in seconds from the window's start. */
export interface Timeline {
  readonly ranks: number
  readonly seconds: number
  readonly events: readonly {
    readonly rank: number
    readonly category: TraceEvent['cat']
    readonly name: string
    readonly start: number
    readonly seconds: number
  }[]
}

const maxEvents = 400

/**
 * The busiest window of `windowSeconds` in a record's trace, so that a trace with gaps between sampled steps shows steps and not gaps.
 * Undefined for a record without a trace.
 */
export function timelineOf(record: RunRecord, windowSeconds: number): Timeline | undefined {
  const events = [...record.trace].filter((event) => event.dur > 0).sort((a, b) => a.ts - b.ts || a.tid - b.tid)
  if (events.length === 0) return undefined
  const window = windowSeconds * 1e6
  const from = busiestStart(events, window)
  const inside = events.filter((event) => event.ts >= from && event.ts < from + window).slice(0, maxEvents)
  return {
    ranks: record.config.workers,
    seconds: windowSeconds,
    events: inside.map((event) => ({
      rank: event.tid,
      category: event.cat,
      name: event.name,
      start: (event.ts - from) / 1e6,
      seconds: Math.min(event.dur, from + window - event.ts) / 1e6,
    })),
  }
}

/** Start of the event from which a window holds most booked time; the first of several. */
function busiestStart(events: readonly TraceEvent[], window: number): number {
  let end = 0
  let booked = 0
  let best = { from: (events[0] as TraceEvent).ts, booked: -1 }
  for (const event of events) {
    while (end < events.length && (events[end] as TraceEvent).ts < event.ts + window) booked += (events[end++] as TraceEvent).dur
    if (booked > best.booked * (1 + 1e-9)) best = { from: event.ts, booked }
    booked -= event.dur
  }
  return best.from
}
