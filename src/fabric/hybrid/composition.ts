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
import type { CollectiveOperation } from '../core/header.ts'
import { moved, type Steps } from '../core/progress.ts'
import type { MpiChannel } from '../mpi/mpi-channel.ts'
import type { ThreadChannel } from '../threads/thread-channel.ts'

/**
 * Runs the parts. The collectives of both sides are numbered in the order in which operations were started, but only once their headers agree:
 * an operation on which ranks disagree takes no numbers anywhere.
 */
export class Composition {
  readonly #inside: ThreadChannel
  readonly #between: MpiChannel | undefined
  readonly #process: number
  readonly #perProcess: number
  #insideNumber = 0
  #betweenNumber = 0
  #tickets = 0
  #turn = 0

  /** @param between - Only on the first thread of a process. */
  constructor(inside: ThreadChannel, between: MpiChannel | undefined, process: number, perProcess: number) {
    this.#inside = inside
    this.#between = between
    this.#process = process
    this.#perProcess = perProcess
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
    const rootProcess = 'root' in operation ? Math.floor(operation.root / this.#perProcess) : 0
    const rootLocal = 'root' in operation ? operation.root % this.#perProcess : 0
    const atRoot = this.#process === rootProcess
    switch (operation.kind) {
      case 'barrier':
        return this.#parts({ kind: 'barrier' }, { kind: 'barrier' }, { kind: 'barrier' })
      case 'broadcast': {
        const { data } = operation
        const inside = { kind: 'broadcast', data, root: atRoot ? rootLocal : 0 } as const
        return this.#parts(atRoot ? inside : undefined, { kind: 'broadcast', data, root: rootProcess }, atRoot ? undefined : inside)
      }
      case 'reduce': {
        const { data, op } = operation
        const back = { kind: 'broadcast', data, root: 0 } as const
        return this.#parts(
          { kind: 'reduce', data, op, root: 0 },
          { kind: 'reduce', data, op, root: rootProcess },
          atRoot && rootLocal !== 0 ? back : undefined,
        )
      }
      case 'allReduce': {
        const { data, op } = operation
        return this.#parts({ kind: 'reduce', data, op, root: 0 }, { kind: 'allReduce', data, op }, { kind: 'broadcast', data, root: 0 })
      }
      default:
        throw new Error(`${operation.kind} has no composition`)
    }
  }

  #parts(before: CollectiveOperation | undefined, between: CollectiveOperation, after: CollectiveOperation | undefined): Steps {
    const first = before === undefined ? undefined : this.#inside.collective(before, this.#insideNumber++).steps
    const middle = this.#between?.collective(between, this.#betweenNumber++).steps
    const last = after === undefined ? undefined : this.#inside.collective(after, this.#insideNumber++).steps
    return sequence(first, middle, last)
  }
}

function* sequence(...parts: readonly (Steps | undefined)[]): Steps {
  for (const part of parts) if (part !== undefined) yield* part
}
