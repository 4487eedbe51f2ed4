import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { allReduceAlgorithms, blockRange, type Communicator, type Operation } from '../communicator.ts'
import type { CollectiveOperation } from '../core/header.ts'
import type { RankTask } from '../launch.ts'
import { runInProcess } from '../virtual/in-process.ts'
import { plannedTraffic } from './costs.ts'

const value = (rank: number, i: number): number => ((i * 31 + rank * 17) % 64) - 32

/** Runs one collective per rank; ranks arrive at the given virtual times. */
async function collect(size: number, hostOf: number[], delays: readonly number[], operation: (comm: Communicator) => Operation) {
  const arrays: Operation[] = []
  const result = await runInProcess(
    size,
    function* (comm, world): RankTask {
      world.advance(delays[comm.rank % delays.length] as number)
      const own = operation(comm)
      arrays[comm.rank] = own
      yield comm.start(own)
    },
    { hostOf },
  )
  for (const outcome of result.outcomes) if (outcome.error !== undefined) throw outcome.error
  return { ...result, arrays }
}

describe('all-reduce schedules', () => {
  const cases = {
    size: fc.integer({ min: 1, max: 9 }),
    length: fc.integer({ min: 0, max: 40 }),
    perHost: fc.integer({ min: 1, max: 4 }),
    delays: fc.array(fc.double({ min: 0, max: 1e-3, noNaN: true }), { minLength: 1, maxLength: 9 }),
  }

  it.each(allReduceAlgorithms)('%s is the plain fold for any size, length and order of arrival', async (algorithm) => {
    await fc.assert(
      fc.asyncProperty(fc.record(cases), fc.constantFrom('sum', 'max', 'min'), async ({ size, length, perHost, delays }, op) => {
        const hostOf = Array.from({ length: size }, (_, rank) => Math.floor(rank / perHost))
        const { arrays } = await collect(size, hostOf, delays, (comm) => ({
          kind: 'allReduce',
          op,
          algorithm,
          data: Float64Array.from({ length }, (_, i) => value(comm.rank, i)),
        }))
        const fold = { sum: (a: number, b: number) => a + b, max: Math.max, min: Math.min }[op]
        const wanted = Array.from({ length }, (_, i) =>
          Array.from({ length: size }, (_, rank) => value(rank, i)).reduce((a, b) => fold(a, b)),
        )
        for (const each of arrays) expect(Array.from((each as { data: Float64Array }).data)).toEqual(wanted)
      }),
      { numRuns: 60 },
    )
  })

  it.each(allReduceAlgorithms)('%s sends what the formula says', async (algorithm) => {
    for (const [size, perHost] of [
      [2, 2],
      [4, 4],
      [4, 2],
      [6, 3],
      [8, 2],
      [5, 5],
      [7, 7],
    ] as const) {
      const hostOf = Array.from({ length: size }, (_, rank) => Math.floor(rank / perHost))
      // Divisible by every size and by the halves, so that the formula has no remainders.
      const length = 840 * 8
      const operation = (): CollectiveOperation => ({ kind: 'allReduce', op: 'sum', algorithm, data: new Float32Array(length) })
      const { traffic } = await collect(size, hostOf, [0], operation)
      for (let rank = 0; rank < size; rank++) {
        const planned = plannedTraffic(operation(), rank, size, hostOf)
        const bytes = planned.sends.reduce((sum, send) => sum + send.bytes, 0)
        const messages = planned.sends.reduce((sum, send) => sum + send.messages, 0)
        const links = traffic[rank]?.links ?? []
        expect([algorithm, size, rank, links.reduce((sum, link) => sum + link.bytes, 0)]).toEqual([algorithm, size, rank, bytes])
        expect([algorithm, size, rank, links.reduce((sum, link) => sum + link.messages, 0)]).toEqual([algorithm, size, rank, messages])
      }
    }
  })

  it('takes as many rounds as the formula says when a message costs its latency only', async () => {
    for (const size of [2, 4, 8]) {
      for (const algorithm of ['ring', 'halving-doubling', 'tree'] as const) {
        const operation: CollectiveOperation = { kind: 'allReduce', op: 'sum', algorithm, data: new Float32Array(64) }
        const { endedAt } = await runInProcess(
          size,
          function* (comm): RankTask {
            yield comm.start({ kind: 'allReduce', op: 'sum', algorithm, data: new Float32Array(64) })
          },
          { costs: { latencySeconds: 1, secondsPerByte: 0 } },
        )
        expect([algorithm, size, Math.max(...endedAt)]).toEqual([algorithm, size, plannedTraffic(operation, 0, size, []).rounds])
      }
    }
  })
})

describe('the other collectives', () => {
  it('place blocks by the block rule for any size, length and root', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 0, max: 30 }), fc.nat(), async (size, length, at) => {
        const root = at % size
        const blockOf = (rank: number) => blockRange(length, size, rank)
        const slice = (rank: number, from: number) =>
          Float32Array.from({ length: blockOf(rank).end - blockOf(rank).start }, (_, i) => value(from, blockOf(rank).start + i))
        const whole = (from: number) => Float32Array.from({ length }, (_, i) => value(from, i))

        const gathered = await collect(size, new Array<number>(size).fill(0), [0], (comm) =>
          comm.rank === root
            ? { kind: 'gather', data: slice(comm.rank, 9), into: new Float32Array(length), root }
            : { kind: 'gather', data: slice(comm.rank, 9), root },
        )
        expect((gathered.arrays[root] as { into: Float32Array }).into).toEqual(whole(9))
        const scattered = await collect(size, new Array<number>(size).fill(0), [0], (comm) => {
          const into = new Float32Array(blockOf(comm.rank).end - blockOf(comm.rank).start)
          return comm.rank === root ? { kind: 'scatter', data: whole(3), into, root } : { kind: 'scatter', into, root }
        })
        for (const [rank, each] of scattered.arrays.entries()) expect((each as { into: Float32Array }).into).toEqual(slice(rank, 3))
      }),
      { numRuns: 60 },
    )
  })

  it('send nothing, and name no link, with one rank alone', async () => {
    const { traffic } = await runInProcess(1, function* (comm): RankTask {
      const [data, into] = [new Float32Array(6), new Float32Array(6)]
      yield comm.start({ kind: 'barrier' })
      yield comm.start({ kind: 'broadcast', data, root: 0 })
      yield comm.start({ kind: 'reduce', data, op: 'sum', root: 0 })
      yield comm.start({ kind: 'allReduce', data, op: 'sum' })
      yield comm.start({ kind: 'reduceScatter', data, into, op: 'sum' })
      yield comm.start({ kind: 'allGather', data, into })
      yield comm.start({ kind: 'gather', data, into, root: 0 })
      yield comm.start({ kind: 'scatter', data, into, root: 0 })
      yield comm.start({ kind: 'allToAll', data, into })
    })
    expect(traffic[0]?.links).toEqual([])
  })
})
