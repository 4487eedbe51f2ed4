/**
 * Collectives of all ranks as three parts: inside each process, between the processes, inside again. All threads of a process take part in the
 * first and the last; the first thread of each does the middle.
 *
 *   barrier     barrier                      barrier                  barrier
 *   broadcast   root's process: root → all   root's process → others  other processes: first → all
 *   reduce      fold to the first            reduce to root's process root's process: first → all (others' data is left over anyway)
 *   allReduce   fold to the first            allReduce                first → all
 *
 * @packageDocumentation
 */
import { type PlannedTraffic, plannedTraffic } from '../collectives/costs.ts'
import type { CollectiveOperation } from '../core/header.ts'
import { moved, type Steps } from '../core/progress.ts'
import type { MpiChannel } from '../mpi/mpi-channel.ts'
import type { ThreadChannel } from '../threads/thread-channel.ts'

/** What a process does before, between the processes, and after. */
interface Parts {
  readonly before?: CollectiveOperation | undefined
  readonly between: CollectiveOperation
  readonly after?: CollectiveOperation | undefined
}

/** A process among equal ones, each with the same number of ranks in a row. */
export interface ProcessPlace {
  readonly process: number
  readonly numProcesses: number
  readonly perProcess: number
}

/** The parts of `operation` in one process. */
export function partsOf(operation: CollectiveOperation, { process, perProcess }: ProcessPlace): Parts {
  const rootProcess = 'root' in operation ? Math.floor(operation.root / perProcess) : 0
  const rootLocal = 'root' in operation ? operation.root % perProcess : 0
  const atRoot = process === rootProcess
  switch (operation.kind) {
    case 'barrier':
      return { before: operation, between: operation, after: operation }
    case 'broadcast': {
      const { data } = operation
      const inside = { kind: 'broadcast', data, root: atRoot ? rootLocal : 0 } as const
      const between = { kind: 'broadcast', data, root: rootProcess } as const
      return atRoot ? { before: inside, between } : { between, after: inside }
    }
    case 'reduce': {
      const { data, op } = operation
      return {
        before: { kind: 'reduce', data, op, root: 0 },
        between: { kind: 'reduce', data, op, root: rootProcess },
        after: atRoot && rootLocal !== 0 ? { kind: 'broadcast', data, root: 0 } : undefined,
      }
    }
    case 'allReduce': {
      const { data, op } = operation
      return {
        before: { kind: 'reduce', data, op, root: 0 },
        between: { kind: 'allReduce', data, op },
        after: { kind: 'broadcast', data, root: 0 },
      }
    }
    default:
      throw new Error(`${operation.kind} has no composition`)
  }
}

/**
 * What local rank `local` of a process sends in all parts. Inside a process memory carries it, and the formulas count what messages in its place
 * would come to, as on `threads`.
 */
export function plannedComposition(operation: CollectiveOperation, place: ProcessPlace, local: number): PlannedTraffic {
  const { process, numProcesses, perProcess } = place
  const { before, between, after } = partsOf(operation, place)
  const inside = (part: CollectiveOperation | undefined): PlannedTraffic | undefined =>
    part && ranked(plannedTraffic(part, local, perProcess, []), (to) => process * perProcess + to)
  const middle = ranked(plannedTraffic(between, process, numProcesses, []), (to) => to * perProcess)
  // The others wait for the first thread's rounds.
  const parts = [inside(before), local === 0 ? middle : { ...middle, sends: [] }, inside(after)].filter((part) => part !== undefined)
  return {
    algorithm: perProcess === 1 ? middle.algorithm : `${middle.algorithm} between processes`,
    rounds: parts.reduce((sum, part) => sum + part.rounds, 0),
    sends: parts.flatMap((part) => part.sends),
  }
}

function ranked(planned: PlannedTraffic, rankOf: (to: number) => number): PlannedTraffic {
  return { ...planned, sends: planned.sends.map((send) => ({ ...send, to: rankOf(send.to) })) }
}

/**
 * Runs the parts. The collectives of both sides are numbered in the order in which operations were started, but only once their headers agree:
 * an operation on which ranks disagree takes no numbers anywhere.
 */
export class Composition {
  readonly #inside: ThreadChannel
  readonly #between: MpiChannel | undefined
  readonly #place: ProcessPlace
  #insideNumber = 0
  #betweenNumber = 0
  #tickets = 0
  #turn = 0

  /** @param between - Only on the first thread of a process. */
  constructor(inside: ThreadChannel, between: MpiChannel | undefined, place: ProcessPlace) {
    this.#inside = inside
    this.#between = between
    this.#place = place
  }

  /** What this rank sends. */
  planned(operation: CollectiveOperation): PlannedTraffic {
    return plannedComposition(operation, this.#place, this.#inside.rank)
  }

  /** The steps of `operation`, after those of `check` (if any), which throw when ranks disagree. */
  start(operation: CollectiveOperation, check: Steps | undefined): Steps {
    return this.#inTurn(this.#tickets++, operation, check)
  }

  *#inTurn(ticket: number, operation: CollectiveOperation, check: Steps | undefined): Steps {
    let failure: { error: unknown } | undefined
    try {
      if (check !== undefined) yield* check
    } catch (error) {
      failure = { error }
    }
    while (this.#turn !== ticket) yield undefined
    const parts = failure === undefined ? this.#number(operation) : undefined
    this.#turn++
    if (failure !== undefined) throw failure.error
    yield moved
    yield* parts as Steps
  }

  #number(operation: CollectiveOperation): Steps {
    const { before, between, after } = partsOf(operation, this.#place)
    const first = before && this.#inside.collective(before, this.#insideNumber++).steps
    const middle = this.#between?.collective(between, this.#betweenNumber++).steps
    const last = after && this.#inside.collective(after, this.#insideNumber++).steps
    return sequence(first, middle, last)
  }
}

function* sequence(...parts: readonly (Steps | undefined)[]): Steps {
  for (const part of parts) if (part !== undefined) yield* part
}
