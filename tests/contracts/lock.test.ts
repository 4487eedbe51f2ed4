import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { dist, fabric, rankModule } from './built.ts'
import type { LockJob } from './lock-rank.ts'

const module = await rankModule('lock-rank.ts')
const job: LockJob = {
  store: pathToFileURL(join(dist, 'train/store.js')).href,
  kernels: pathToFileURL(join(dist, 'kernels/load.js')).href,
}

describe('the lock of a store', () => {
  it.each(['crash', 'hang'] as const)('%s of the rank that has it ends the wait of the others', { timeout: 40_000 }, async (kind) => {
    const result = await fabric.launch<LockJob, number>({
      fabric: 'threads',
      workers: 3,
      module,
      job,
      timeoutMs: 1000,
      faults: [{ rank: 1, kind, afterOperations: 1 }],
    })
    const code = kind === 'crash' ? 'PEER_LOST' : 'COLLECTIVE_TIMEOUT'
    expect(result.error).toMatchObject({ code, details: { ranks: [1] } })
    expect(result.error?.details).not.toHaveProperty('abandoned')
    for (const rank of [0, 2]) expect(result.rankErrors[rank]).toMatchObject({ code, details: { ranks: [1] } })
  })
})
