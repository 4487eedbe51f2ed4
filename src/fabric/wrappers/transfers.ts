import type { Steps } from '../core/progress.ts'
import type { LinkShape, Transfer } from '../launch.ts'
import type { TrafficCounter } from './counting.ts'

/** Counts messages under `phase` as their two ends would; returns where the waiting for them goes. */
export function bookTransfers(
  traffic: TrafficCounter,
  transfers: readonly Transfer[],
  phase: string,
): ((seconds: number) => void) | undefined {
  for (const { from, to, bytes } of transfers) {
    const link = traffic.link(from, to, phase)
    link.bytes += bytes
    link.messages++
  }
  const counter = traffic.phase(phase)
  const ends = 2 * transfers.length
  // They are on the way together: one wait for all.
  counter.operations += ends - 1
  return counter.begin(
    ends,
    transfers.reduce((sum, { bytes }) => sum + bytes, 0),
  )
}

/** Lasts as long as a link of this shape needs for the messages that leave their rank. */
export function* lasting(
  transfers: readonly Transfer[],
  { latencyMs = 0, bandwidthBytesPerS = Number.POSITIVE_INFINITY }: LinkShape,
): Steps {
  const leaving = transfers.filter(({ from, to }) => from !== to)
  if (leaving.length === 0) return
  const bytes = leaving.reduce((sum, each) => sum + each.bytes, 0)
  const due = performance.now() + latencyMs + (1000 * bytes) / bandwidthBytesPerS
  while (performance.now() < due) yield undefined
}
