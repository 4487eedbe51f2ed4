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
 * Undefined for a record without a trace. A lone rank communicates with nobody: its exchanges are `other`.
 */
export function timelineOf(record: RunRecord, windowSeconds: number): Timeline | undefined {
  const events = [...record.trace].filter((event) => event.dur > 0).sort((a, b) => a.ts - b.ts || a.tid - b.tid)
  if (events.length === 0) return undefined
  const window = windowSeconds * 1e6
  const alone = record.config.workers === 1
  const from = busiestStart(events, window)
  const inside = events.filter((event) => event.ts + event.dur > from && event.ts < from + window).slice(0, maxEvents)
  return {
    ranks: record.config.workers,
    seconds: windowSeconds,
    events: inside.map((event) => ({
      rank: event.tid,
      category: alone && (event.cat === 'communicate' || event.cat === 'wait') ? 'other' : event.cat,
      name: event.name,
      start: Math.max(0, event.ts - from) / 1e6,
      seconds: (Math.min(event.ts + event.dur, from + window) - Math.max(event.ts, from)) / 1e6,
    })),
  }
}

/** Start of the event from which a window holds most booked time; the last of those that are as good, so that no gap leads. */
function busiestStart(events: readonly TraceEvent[], window: number): number {
  let end = 0
  let booked = 0
  const starts: { from: number; booked: number }[] = []
  for (const event of events) {
    while (end < events.length && (events[end] as TraceEvent).ts < event.ts + window) booked += (events[end++] as TraceEvent).dur
    starts.push({ from: event.ts, booked })
    booked -= event.dur
  }
  const most = Math.max(...starts.map((start) => start.booked))
  return (starts.findLast((start) => start.booked >= 0.99 * most) as (typeof starts)[number]).from
}
