/** A parameter server costs what its messages cost, whether they are sent or only saved by shared memory. */
import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import type { TrainRun } from '../../dist/index.js'
import { run } from './small-run.ts'

const systems = [
  ['asp', { servers: 2 }],
  ['ssp', { staleness: 2, servers: 4 }],
  ['bsp', { aggregate: 'parameter-server', servers: 1 }],
] as const

function hasMpi(): boolean {
  try {
    execFileSync('mpirun', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Bytes and messages of pushes and pulls by link. */
function storeLinks({ traffic }: TrainRun) {
  const links = traffic.links.filter(({ phase }) => phase === 'push' || phase === 'pull')
  return Object.fromEntries(links.map(({ from, to, phase, bytes, messages }) => [`${phase} ${from}→${to}`, { bytes, messages }]))
}

describe('the traffic of a parameter server', () => {
  const others = hasMpi() ? (['virtual', 'mpi'] as const) : (['virtual'] as const)
  it.each(systems)(`%s: the same on threads, ${others.join(' and ')}`, { timeout: 60_000 }, async (system, systemOptions) => {
    const links = storeLinks(await run({ system, systemOptions, fabric: 'threads', workers: 3 }))
    const owners = Math.min(systemOptions.servers, 3)
    for (let owner = 0; owner < owners; owner++) {
      // Every step, and what every rank reads at the end.
      expect(links[`push 2→${owner}`]?.messages).toBeGreaterThanOrEqual(24)
      expect(links[`pull ${owner}→2`]).toEqual(links[`push 2→${owner}`])
    }
    expect(links[`push 2→${owners}`]).toBeUndefined()
    for (const fabric of others) expect(storeLinks(await run({ system, systemOptions, fabric, workers: 3 }))).toEqual(links)
  })

  it('takes its time on virtual clocks: a slower network makes a longer run', async () => {
    const seconds = async (bandwidthBytesPerS: number) => {
      const { ranks, traffic } = await run({ system: 'asp', fabric: 'virtual', workers: 2, network: { latencyMs: 1, bandwidthBytesPerS } })
      const { bytes } = traffic.links.filter(({ from, to, phase }) => from !== to && phase === 'push')[0] as { bytes: number }
      return { bytes, train: Math.max(...ranks.map((rank) => rank.trainSeconds)) }
    }
    const [fast, slow] = [await seconds(1e9), await seconds(1e5)]
    // A push and a pull of every step, one after the other, with their delay.
    expect(fast.train).toBeGreaterThan(24 * 2 * 1e-3)
    expect(slow.train - fast.train).toBeGreaterThan((1.9 * slow.bytes) / 1e5)
  })

  it('takes its time on threads where the links are shaped', async () => {
    const { ranks } = await run({ system: 'asp', fabric: 'threads', workers: 2, network: { latencyMs: 3 } })
    expect(Math.min(...ranks.map((rank) => rank.trainSeconds))).toBeGreaterThan(24 * 2 * 3e-3)
  })
})
