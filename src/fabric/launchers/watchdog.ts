/**
 * Compares what all ranks are doing. A rank that has waited for longer than its time-out did so for somebody: the ranks that do not wait, or
 * those whose count of operations is behind.
 *
 *   rank   state     operations   waiting
 *   0      waiting   512          61 s      allReduce #512        ┐ time-out: blame 2, which computes (or hangs)
 *   1      waiting   512          61 s      allReduce #512        │
 *   2      running   511           0        "forward step 511"    ┘
 *
 * @packageDocumentation
 */
import type { ErrorJSON } from '../../errors.ts'
import type { Stall } from '../launch.ts'
import type { RankStatus } from './messages.ts'

/** A rank whose process has not said anything for this long is the first to be blamed, in ms (it says something every 200). */
const silentMs = 2500
/** How often a stall is reported again, in ms of waiting. */
const repeatMs = 5000

/** Keeps the last status of every rank thread. */
export class Watchdog {
  readonly #worldSize: number
  readonly #onStall: ((stall: Stall) => void) | undefined
  readonly #last = new Map<number, RankStatus>()
  /** When each rank was last heard of, in ms. */
  readonly #heard = new Map<number, number>()
  readonly #told = new Map<number, number>()

  constructor(worldSize: number, onStall: ((stall: Stall) => void) | undefined) {
    this.#worldSize = worldSize
    this.#onStall = onStall
  }

  /** Takes in new statuses; returns the error of the run when a rank has waited too long. */
  look(statuses: readonly RankStatus[], now = performance.now()): ErrorJSON | undefined {
    for (const status of statuses) {
      if (status.service) continue
      this.#last.set(status.rank, status)
      this.#heard.set(status.rank, now)
    }
    for (const status of statuses) {
      if (status.state !== 'waiting' || status.service) continue
      this.#tell(status)
      // A rank that sees by itself who is missing decides at its time-out; this is for those that are blocked in a native call.
      if (status.waitingMs > status.timeoutMs + graceMs) return this.#verdict(status, now)
    }
    return undefined
  }

  #tell(status: RankStatus): void {
    const told = this.#told.get(status.rank) ?? 0
    if (status.waitingMs < told) this.#told.set(status.rank, 0)
    if (status.waitingMs < Math.max(status.timeoutMs / 2, (this.#told.get(status.rank) ?? 0) + repeatMs)) return
    this.#told.set(status.rank, status.waitingMs)
    this.#onStall?.({
      rank: status.rank,
      waitingFor: status.label,
      waitingMs: status.waitingMs,
      missing: status.missing,
      busy: [...this.#last.values()].filter((each) => each.state !== 'waiting').map(({ rank, text, step }) => ({ rank, text, step })),
    })
  }

  #verdict(status: RankStatus, now: number): ErrorJSON {
    const ranks = this.#culprits(status, now)
    const ended = ranks.length > 0 && ranks.every((rank) => this.#last.get(rank)?.state === 'ended')
    const plural = ranks.length > 1 ? 's' : ''
    const who =
      ranks.length === 0
        ? 'all ranks wait for each other'
        : `rank${plural} ${ranks.join(', ')} ${ended ? 'ended before' : 'did not arrive'}`
    const doing = ranks.flatMap((rank) => {
      const text = this.#last.get(rank)?.text
      return text === undefined || text === '' ? [] : [`rank ${rank}: ${text}`]
    })
    const last = doing.length === 0 ? '' : `; last words of ${doing.join(', ')}`
    return {
      code: ended ? 'PEER_LOST' : 'COLLECTIVE_TIMEOUT',
      message: `${status.label}: no answer — expected all ranks within ${status.timeoutMs} ms, got none on rank ${status.rank}: ${who}${last} (a rank hangs, or timeoutMs is too short)`,
      details: { ranks, timeoutMs: status.timeoutMs, waitingFor: status.label },
    }
  }

  #culprits(status: RankStatus, now: number): number[] {
    const others = Array.from({ length: this.#worldSize }, (_, rank) => rank).filter((rank) => rank !== status.rank)
    const silent = others.filter((rank) => now - (this.#heard.get(rank) ?? now) > silentMs)
    if (silent.length > 0) return silent
    const named = status.missing.length > 0 ? others.filter((rank) => status.missing.includes(rank)) : others
    const waits = (rank: number) => this.#last.get(rank)?.state === 'waiting'
    for (const candidates of [named, others]) {
      const busy = candidates.filter((rank) => !waits(rank))
      if (busy.length > 0) return busy
    }
    const behind = others.filter((rank) => (this.#last.get(rank)?.operations ?? 0) < status.operations)
    return behind
  }
}

/** Beyond the time-out, so that a rank that can name the missing ones does so itself. */
const graceMs = 500
