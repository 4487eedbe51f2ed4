import { describe, expect, it } from 'vitest'
import type { FabricName, LaunchOptions } from '../../src/fabric/index.ts'
import { fabric, hasMpi, rankModule } from './built.ts'
import type { ChecksJob } from './check-tools.ts'

const module = await rankModule('communicator-checks.ts')
const mpi = hasMpi()

interface Case {
  readonly fabric: FabricName
  readonly workers: number
  readonly threadsPerProcess?: number
}

const cases: readonly Case[] = [
  ...[1, 2, 3, 4, 5, 6, 7, 8].map((workers) => ({ fabric: 'virtual' as const, workers })),
  // Two made-up hosts, equal and unequal, for the hierarchical schedule.
  { fabric: 'virtual', workers: 6, threadsPerProcess: 3 },
  { fabric: 'virtual', workers: 7, threadsPerProcess: 4 },
  ...[1, 2, 3, 4, 5, 6, 7, 8].map((workers) => ({ fabric: 'threads' as const, workers })),
  ...(mpi ? [1, 2, 3, 4, 5, 6, 7, 8].map((workers) => ({ fabric: 'mpi' as const, workers })) : []),
  ...(mpi
    ? [
        [1, 1],
        [2, 1],
        [3, 3],
        [4, 2],
        [5, 1],
        [6, 3],
        [6, 2],
        [8, 4],
      ].map(([workers, threads]) => ({ fabric: 'hybrid' as const, workers: workers as number, threadsPerProcess: threads as number }))
    : []),
]

describe('communicator', () => {
  for (const each of cases) {
    const threads = each.threadsPerProcess === undefined ? '' : `, ${each.threadsPerProcess} to a process`
    it(`${each.fabric}, ${each.workers} ranks${threads}`, { timeout: 60_000 }, async () => {
      const options: LaunchOptions<ChecksJob> = { ...each, module, job: { long: 1_000_003 }, timeoutMs: 20_000 }
      const result = await fabric.launch<ChecksJob, string[]>(options)
      expect(result.error).toBeUndefined()
      expect(result.results).toEqual(Array.from({ length: each.workers }, () => []))
      expect(result.usage.every((usage) => usage.cpuSeconds > 0)).toBe(true)
    })
  }
})
