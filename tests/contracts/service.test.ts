import { describe, expect, it } from 'vitest'
import type { FabricName } from '../../src/fabric/index.ts'
import { fabric, hasMpi, rankModule } from './built.ts'
import type { ServiceResult } from './service-rank.ts'

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
    const result = await fabric.launch<null, ServiceResult>({ ...each, module, job: null, timeoutMs: 20_000 })
    expect(result.error).toBeUndefined()
    const ranks = Array.from({ length: each.workers }, (_, rank) => rank)
    const sum = (each.workers * (each.workers + 1)) / 2
    for (const rank of ranks) {
      expect(result.results[rank]).toEqual({
        ranksSum: sum,
        servicesSum: 10 * sum,
        answers: each.fabric === 'threads' ? [] : ranks.map((other) => 100 * other + rank),
      })
    }
  })
})
