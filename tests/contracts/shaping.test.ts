import { describe, expect, it } from 'vitest'
import type { FabricName } from '../../src/fabric/index.ts'
import type { WireJob, WireResult } from '../hosts/wire-rank.ts'
import { fabric, hasMpi, rankModule } from './built.ts'

const module = await rankModule('../hosts/wire-rank.ts')
const job = { length: 10_000, algorithm: 'native', times: 2 } as const

describe('a shaped link', () => {
  const fabrics = [['virtual'], ['threads'], ...(hasMpi() ? [['mpi'], ['hybrid', 2], ['hybrid', 1]] : [])] as [FabricName, number?][]
  it.each(fabrics)(
    '%s: takes at least what the limits say, and counts single messages',
    { timeout: 40_000 },
    async (name, threadsPerProcess) => {
      const shape = { latencyMs: 10, bandwidthBytesPerS: 1e6 }
      const { error, results, traffic } = await fabric.launch<WireJob, WireResult>({
        fabric: name,
        workers: 2,
        module,
        job,
        shape,
        ...(threadsPerProcess === undefined ? {} : { threadsPerProcess }),
      })
      expect(error).toBeUndefined()
      expect(results.map((result) => result?.sum)).toEqual([3, 3])
      // Two rounds of half the array each.
      const least = job.times * 2 * (0.01 + (4 * job.length) / 2 / 1e6)
      expect(results[0]?.seconds).toBeGreaterThanOrEqual(0.999 * least)
      expect(traffic[0]?.links.find((link) => link.phase === 'allReduce')).toMatchObject({
        to: 1,
        bytes: job.times * 4 * job.length,
        messages: 4,
      })
    },
  )
})
