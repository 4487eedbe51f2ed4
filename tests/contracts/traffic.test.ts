import { describe, expect, it } from 'vitest'
import type { LinkTraffic } from '../../src/fabric/index.ts'
import type { WireJob, WireResult } from '../hosts/wire-rank.ts'
import { fabric, hasMpi, rankModule } from './built.ts'

const module = await rankModule('../hosts/wire-rank.ts')

describe.skipIf(!hasMpi())('traffic on hybrid', () => {
  it('crosses between processes once, by the first thread of each', { timeout: 40_000 }, async () => {
    const job: WireJob = { length: 1000, algorithm: 'native', times: 3 }
    const result = await fabric.launch<WireJob, WireResult>({ fabric: 'hybrid', workers: 4, threadsPerProcess: 2, module, job })
    expect(result.error).toBeUndefined()
    const links = result.traffic.flatMap((counters) => counters?.links ?? []).filter(({ phase }) => phase === 'allReduce')
    const bytes = (from: number, to: number) => links.find((link: LinkTraffic) => link.from === from && link.to === to)?.bytes ?? 0
    const processOf = (rank: number) => Math.floor(rank / 2)
    const between = links.filter(({ from, to }) => processOf(from) !== processOf(to)).map(({ from, to }) => [from, to])
    expect(between).toEqual([
      [0, 2],
      [2, 0],
    ])
    // A ring of two processes sends the array once each way; inside it goes to the first thread and back.
    for (const [from, to] of [
      [0, 2],
      [2, 0],
      [1, 0],
      [0, 1],
      [3, 2],
      [2, 3],
    ] as const)
      expect(bytes(from, to)).toBe(3 * 4000)
  })
})
