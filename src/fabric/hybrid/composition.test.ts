import { describe, expect, it } from 'vitest'
import type { CollectiveOperation } from '../core/header.ts'
import { plannedComposition } from './composition.ts'

const data = new Float32Array(100)
const bytes = data.byteLength

/** Bytes by `from→to` over all ranks of processes with two ranks each. */
function links(operation: CollectiveOperation, numProcesses: number, perProcess = 2): Record<string, number> {
  const sent: Record<string, number> = {}
  for (let process = 0; process < numProcesses; process++) {
    for (let local = 0; local < perProcess; local++) {
      const { sends } = plannedComposition(operation, { process, numProcesses, perProcess }, local)
      for (const { to, bytes } of sends) {
        const link = `${process * perProcess + local}→${to}`
        sent[link] = (sent[link] ?? 0) + bytes
      }
    }
  }
  return sent
}

describe('what a composed collective sends', () => {
  it('allReduce: to the first of each process, a ring of the firsts, and back', () => {
    const operation: CollectiveOperation = { kind: 'allReduce', data, op: 'sum' }
    expect(links(operation, 2)).toEqual({ '1→0': bytes, '3→2': bytes, '0→2': bytes, '2→0': bytes, '0→1': bytes, '2→3': bytes })
    const planned = [0, 1].map((local) => plannedComposition(operation, { process: 1, numProcesses: 2, perProcess: 2 }, local))
    // One round in, two between, one out, for those that only wait as well.
    expect(planned.map(({ rounds }) => rounds)).toEqual([4, 4])
    expect(planned[0]?.algorithm).toBe('ring between processes')
  })

  it('broadcast and reduce cross from process to process, whatever thread the root is', () => {
    expect(links({ kind: 'broadcast', data, root: 3 }, 2)).toEqual({ '3→2': bytes, '2→0': bytes, '0→1': bytes })
    expect(links({ kind: 'reduce', data, op: 'sum', root: 1 }, 2)).toEqual({ '1→0': bytes, '3→2': bytes, '2→0': bytes, '0→1': bytes })
  })

  it('is that of the processes alone where each has one rank', () => {
    const { algorithm, sends } = plannedComposition(
      { kind: 'allReduce', data, op: 'sum' },
      { process: 0, numProcesses: 4, perProcess: 1 },
      0,
    )
    expect({ algorithm, sends }).toEqual({ algorithm: 'ring', sends: [{ to: 1, bytes: (2 * bytes * 3) / 4, messages: 6 }] })
  })
})
