import { describe, expect, it } from 'vitest'
import type { TuttiError } from '../../errors.ts'
import type { RankTask } from '../launch.ts'
import { runInProcess } from './in-process.ts'

const costs = { latencySeconds: 1, secondsPerByte: 0.25 }

describe('virtual clocks', () => {
  it('carry a message for its latency and its bytes', async () => {
    const { endedAt } = await runInProcess(
      2,
      function* (comm, world): RankTask {
        if (comm.rank === 0) {
          world.advance(10)
          yield comm.start({ kind: 'send', data: new Float32Array(1), to: 1, tag: 0 })
        } else yield comm.start({ kind: 'recv', into: new Float32Array(1), from: 0, tag: 0 })
      },
      { costs },
    )
    expect(endedAt).toEqual([12, 12])
  })

  it('let communication run behind computation', async () => {
    const { endedAt } = await runInProcess(
      2,
      function* (comm, world): RankTask {
        const request = comm.start({ kind: 'allReduce', data: new Float32Array(1), op: 'sum', algorithm: 'tree' })
        world.advance(100)
        yield request
      },
      { costs },
    )
    expect(endedAt).toEqual([100, 100])
  })

  it('make messages of one rank follow each other on its way out', async () => {
    const { endedAt } = await runInProcess(
      3,
      function* (comm): RankTask {
        if (comm.rank === 0) {
          const sends = [1, 2].map((to) => comm.start({ kind: 'send', data: new Float32Array(4), to, tag: 0 }))
          for (const send of sends) yield send
        } else yield comm.start({ kind: 'recv', into: new Float32Array(4), from: 0, tag: 0 })
      },
      { costs },
    )
    expect(endedAt).toEqual([9, 5, 9])
  })

  it('give the same order in every run', async () => {
    const once = async () => {
      const order: string[] = []
      await runInProcess(4, function* (comm, world): RankTask {
        for (let step = 0; step < 5; step++) {
          world.advance(((comm.rank * 7 + step * 3) % 5) * 0.1)
          yield world.until('turn', () => true)
          order.push(`${comm.rank}@${world.now.toFixed(1)}`)
        }
      })
      return order
    }
    const first = await once()
    const times = first.map((entry) => Number(entry.split('@')[1]))
    expect(times).toEqual([...times].sort((a, b) => a - b))
    expect(await once()).toEqual(first)
  })

  it('wake a condition at the time of whoever made it true', async () => {
    let open = false
    const { endedAt } = await runInProcess(2, function* (comm, world): RankTask {
      if (comm.rank === 0) yield world.until('open', () => open)
      else {
        world.advance(3)
        yield world.until('later', () => true)
        open = true
      }
    })
    expect(endedAt).toEqual([3, 3])
  })

  it('stand still while a rank awaits a promise', async () => {
    const { outcomes, endedAt } = await runInProcess(2, function* (): RankTask<unknown> {
      return yield Promise.resolve(7)
    })
    expect(outcomes.map((outcome) => outcome.result)).toEqual([7, 7])
    expect(endedAt).toEqual([0, 0])
  })
})

describe('ranks that cannot go on', () => {
  const codeOf = (error: unknown) => (error as TuttiError | undefined)?.code

  it('are a deadlock at once, naming who waits for what', async () => {
    const { outcomes } = await runInProcess(2, function* (comm): RankTask {
      yield comm.start({ kind: 'recv', into: new Float32Array(1), from: 1 - comm.rank, tag: 5 })
    })
    expect(outcomes.map((outcome) => codeOf(outcome.error))).toEqual(['PROTOCOL', 'PROTOCOL'])
    expect((outcomes[0]!.error as Error).message).toContain('rank 0 waits for recv from 1 tag 5, rank 1 waits for recv from 0 tag 5')
  })

  it('name the rank that has ended before', async () => {
    const { outcomes } = await runInProcess(3, function* (comm): RankTask {
      if (comm.rank !== 2) yield comm.start({ kind: 'barrier' })
    })
    expect(outcomes.map((outcome) => codeOf(outcome.error))).toEqual(['PEER_LOST', 'PEER_LOST', undefined])
    expect((outcomes[0]!.error as TuttiError).details['ranks']).toEqual([2])
  })

  it('get told when another one throws', async () => {
    const { outcomes } = await runInProcess(2, function* (comm): RankTask {
      if (comm.rank === 1) throw new Error('boom')
      yield comm.start({ kind: 'barrier' })
    })
    expect(codeOf(outcomes[0]?.error)).toBe('PEER_LOST')
    expect((outcomes[0]!.error as Error).message).toContain('boom')
  })

  it('may not block', async () => {
    const { outcomes } = await runInProcess(2, function* (comm): RankTask {
      if (comm.rank === 0) comm.run({ kind: 'barrier' })
      yield comm.start({ kind: 'barrier' })
    })
    expect(codeOf(outcomes[0]?.error)).toBe('CONFIG')
  })
})
