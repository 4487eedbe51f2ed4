import { describe, expect, it } from 'vitest'
import type { FabricName } from '../../src/fabric/index.ts'
import { fabric, hasMpi, rankModule } from './built.ts'
import type { ServiceJob, ServiceResult } from './service-rank.ts'

const module = await rankModule('service-rank.ts')
const cases: readonly { fabric: FabricName; workers: number; threadsPerProcess?: number }[] = [
  { fabric: 'threads', workers: 3 },
  ...(hasMpi()
    ? [
        { fabric: 'mpi' as const, workers: 3 },
        { fabric: 'hybrid' as const, workers: 4, threadsPerProcess: 2 },
      ]
    : []),
]

describe('service threads', () => {
  it.each(cases)('$fabric, $workers ranks', { timeout: 60_000 }, async (each) => {
    const result = await fabric.launch<ServiceJob, ServiceResult>({ ...each, module, job: { idleMs: 0 }, timeoutMs: 20_000 })
    expect(result.error).toBeUndefined()
    const ranks = Array.from({ length: each.workers }, (_, rank) => rank)
    const sum = (each.workers * (each.workers + 1)) / 2
    for (const rank of ranks) {
      expect(result.results[rank]).toEqual({
        ranksSum: sum,
        servicesSum: 10 * sum,
        answers: each.fabric === 'threads' ? [] : ranks.map((other) => 100 * other + rank),
      })
      // 50 sums of 37 numbers by the services beside 50 of 100 by the ranks.
      const phases = result.traffic[rank]?.phases ?? {}
      expect(phases['allReduce']?.operations).toBe(100)
      const sent = result.traffic[rank]?.links.filter((link) => link.phase === 'allReduce') ?? []
      const bytes = sent.reduce((sum, link) => sum + link.bytes, 0)
      expect(bytes).toBeGreaterThan(50 * 4 * 100)
      if (each.fabric !== 'threads') expect(phases['send']?.operations).toBe(2 * each.workers)
    }
  })

  it.each(cases)('$fabric: a service may wait for work longer than the time-out', { timeout: 60_000 }, async (each) => {
    const { error } = await fabric.launch<ServiceJob, ServiceResult>({ ...each, module, job: { idleMs: 2500 }, timeoutMs: 1000 })
    expect(error).toBeUndefined()
  })
})
