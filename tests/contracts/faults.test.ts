import { execFileSync, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { FabricName, FaultSpec, LaunchOptions } from '../../src/fabric/index.ts'
import { dist, fabric, hasMpi, rankModule } from './built.ts'
import type { FaultJob } from './fault-rank.ts'

const module = await rankModule('fault-rank.ts')
const mpi = hasMpi()
const fabrics: readonly FabricName[] = mpi ? ['virtual', 'threads', 'mpi', 'hybrid'] : ['virtual', 'threads']
const steps = 40
const lost = 1

interface Saved {
  readonly saved?: readonly number[]
  readonly lost?: readonly number[]
  readonly steps?: Record<number, number>
  readonly handles?: readonly string[]
}

async function run(options: Partial<LaunchOptions<FaultJob>> & { fabric: FabricName }) {
  const pids = new Set<number>()
  const saved: Saved[] = []
  const workers = options.workers ?? (options.fabric === 'hybrid' ? 4 : 3)
  const result = await fabric.launch<FaultJob, number>({
    module,
    job: { steps },
    timeoutMs: 3000,
    ...(options.fabric === 'hybrid' ? { threadsPerProcess: 2 } : {}),
    ...options,
    workers,
    onEvent: (event, rank) => {
      const { pid } = event as { pid?: number }
      if (pid !== undefined && pid !== process.pid) pids.add(pid)
      if ('saved' in (event as object)) saved.push(event as Saved)
      options.onEvent?.(event, rank)
    },
  })
  return { result, pids: [...pids], saved, workers }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !execFileSync('ps', ['-o', 'stat=', '-p', String(pid)])
      .toString()
      .trim()
      .startsWith('Z')
  } catch {
    return false
  }
}

describe('a rank that fails', () => {
  const moments = { before: 0, during: 20, after: steps - 1 }
  for (const name of fabrics) {
    for (const kind of ['crash', 'throw', 'hang'] as const) {
      for (const [when, afterOperations] of Object.entries(moments)) {
        // One moment for each kind that costs seconds; all of them for crashes.
        if (kind !== 'crash' && when !== 'during') continue
        it(`${name}: ${kind} ${when} the run`, { timeout: 40_000 }, async () => {
          const fault: FaultSpec = { rank: lost, kind, afterOperations }
          const { result, pids, saved, workers } = await run({ fabric: name, faults: [fault] })

          const code = kind === 'throw' ? 'RANK_FAILED' : kind === 'hang' ? 'COLLECTIVE_TIMEOUT' : 'PEER_LOST'
          expect(result.error).toMatchObject({ code, details: { ranks: [lost] } })
          expect(result.error?.message).toContain(`rank ${lost}`)
          for (let rank = 0; rank < workers; rank++) {
            // In a hybrid process the other ranks of a crashed process may go with it.
            if (rank === lost) continue
            const error = result.rankErrors[rank]
            expect(error?.details['ranks'], `rank ${rank}: ${JSON.stringify(error)}`).toEqual([lost])
            expect(error?.details['step']).toBe(afterOperations)
          }
          expect(pids.filter(isAlive)).toEqual([])
          if (name === 'virtual') return
          const savers = saved.flatMap((each) => each.saved ?? [])
          expect(savers).toEqual(expect.arrayContaining([0]))
          expect(saved[0]?.lost).toEqual([lost])
          expect(saved[0]?.handles).toContain(`${saved[0]?.saved?.[0]}/sum`)
          if (kind === 'crash') expect(result.results[lost]).toBeUndefined()
        })
      }
    }
  }

  it.each(mpi ? ['mpi', 'hybrid'] : [])('%s: a rank that never gets ready is named by all', { timeout: 40_000 }, async (name) => {
    const job = { steps, endlessPrepare: lost }
    const { result, pids } = await run({ fabric: name as FabricName, job, ...(name === 'hybrid' ? { threadsPerProcess: 1 } : {}) })
    expect(result.error).toMatchObject({ code: 'COLLECTIVE_TIMEOUT', details: { ranks: [lost] } })
    expect(result.error?.message).toContain(`rank ${lost} did not get ready`)
    for (const error of result.rankErrors) expect(error).toMatchObject({ code: 'COLLECTIVE_TIMEOUT', details: { ranks: [lost] } })
    expect(pids.filter(isAlive)).toEqual([])
  })

  it.each(['crash', 'throw', 'hang'] as const)('threads: %s of a rank that others meet in shared memory', async (kind) => {
    const { result } = await run({ fabric: 'threads', job: { steps, meet: true }, faults: [{ rank: lost, kind, afterOperations: 7 }] })
    expect(result.error?.message).toContain(`rank ${lost}`)
    expect(result.rankErrors.map((error) => error?.details['ranks'] ?? [lost])).toEqual([[lost], [lost], [lost]])
    // It had arrived for the eighth time before its fault: the others got as far as the ninth.
    expect(result.rankErrors[0]?.details['step']).toBe(8)
  })

  it.skipIf(!mpi).each(['mpi', 'hybrid'] as const)('%s: a process that is killed from outside', { timeout: 40_000 }, async (name) => {
    let killed: readonly number[] = []
    const { result, pids } = await run({
      fabric: name,
      job: { steps: 1e9 },
      onEvent: (event, rank) => {
        const { pid } = event as { pid?: number }
        if (pid === undefined || rank !== 2) return
        killed = name === 'hybrid' ? [2, 3] : [2]
        process.kill(pid, 'SIGKILL')
      },
    })
    expect(result.error).toMatchObject({ code: 'PEER_LOST', details: { ranks: killed } })
    for (const rank of [0, 1]) expect(result.rankErrors[rank]).toMatchObject({ code: 'PEER_LOST', details: { ranks: killed } })
    expect(pids.filter(isAlive)).toEqual([])
  })

  it.each(mpi ? (['threads', 'mpi'] as const) : (['threads'] as const))(
    '%s: a listener that throws is what the run fails with',
    async (name) => {
      const { result, pids } = await run({
        fabric: name,
        job: { steps: 1e9, stoppable: true },
        onEvent: (event) => {
          if ('stepping' in (event as object)) throw new Error('disk full')
        },
      })
      expect(result.error?.message).toBe('disk full')
      expect(result.rankErrors.map((error) => error?.code)).toEqual(['ABORT', 'ABORT', 'ABORT'])
      expect(pids.filter(isAlive)).toEqual([])
    },
  )

  it.each(fabrics)('%s: takes a time-out without end', { timeout: 40_000 }, async (name) => {
    const { result } = await run({ fabric: name, timeoutMs: Number.POSITIVE_INFINITY, job: { steps: 300, stoppable: true, pauseMs: 3 } })
    expect(result.error).toBeUndefined()
  })

  it('a failing prepare names its rank', async () => {
    const { result } = await run({ fabric: mpi ? 'mpi' : 'threads', job: { steps, badPrepare: 0 } })
    expect(result.error).toMatchObject({ code: 'RANK_FAILED', message: 'rank 0: no data here' })
  })

  it('a thread that does not come back is named and left to the end of the process', { timeout: 40_000 }, async () => {
    const script = fileURLToPath(new URL('./stuck-driver.mjs', import.meta.url))
    const child = spawn(process.execPath, [script, dist, module.href], { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
    const code = await new Promise((resolve) => child.on('close', resolve))
    expect(code).toBe(1)
    expect(JSON.parse(said)).toMatchObject({
      code: 'COLLECTIVE_TIMEOUT',
      message: expect.stringContaining('the thread of rank 1 is inside native code'),
      details: { ranks: [1], abandoned: [1] },
    })
  })

  it.each(mpi ? (['threads', 'mpi'] as const) : (['threads'] as const))('%s: a slow rank only takes longer', async (name) => {
    const { result } = await run({ fabric: name, faults: [{ rank: 1, kind: 'slow', afterOperations: 10, factor: 3 }] })
    expect(result.error).toBeUndefined()
    expect(result.results).toEqual([steps, steps, steps])
  })
})

describe('stopping', () => {
  for (const name of fabrics.filter((each) => each !== 'virtual')) {
    it(`${name}: ranks that are asked to stop agree on the step`, { timeout: 40_000 }, async () => {
      const stop = new AbortController()
      const { result } = await run({
        fabric: name,
        job: { steps: 1e9, stoppable: true, pauseMs: 1 },
        signal: stop.signal,
        onEvent: (event) => {
          if ('stepping' in (event as object)) stop.abort()
        },
      })
      expect(result.error).toBeUndefined()
      expect(new Set(result.results).size).toBe(1)
      expect(result.results[0]).toBeGreaterThan(0)
    })

    it(`${name}: stopped at once`, { timeout: 40_000 }, async () => {
      const stop = new AbortController()
      const { result, pids, saved } = await run({
        fabric: name,
        job: { steps: 1e9, stoppable: true, pauseMs: 1 },
        stopAtOnce: stop.signal,
        onEvent: (event) => {
          if ('stepping' in (event as object)) stop.abort()
        },
      })
      expect(result.error?.code).toBe('ABORT')
      expect(result.rankErrors.map((error) => error?.code)).toEqual(result.rankErrors.map(() => 'ABORT'))
      expect(pids.filter(isAlive)).toEqual([])
      expect(saved).toEqual([])
    })
  }
})

describe.skipIf(!mpi)('a driver that is killed', () => {
  const busy = { steps: 1e9, stoppable: true, pauseMs: 1 }
  it.each([
    ['mpi', { fabric: 'mpi', workers: 3, job: busy }],
    ['hybrid', { fabric: 'hybrid', workers: 4, threadsPerProcess: 2, job: busy }],
    ['mpi, ranks that hang inside MPI', { fabric: 'mpi', workers: 3, job: { steps: 1e9, endless: 1 } }],
    ['hybrid, ranks that hang inside MPI', { fabric: 'hybrid', workers: 4, threadsPerProcess: 2, job: { steps: 1e9, endless: 3 } }],
  ])('leaves no process behind: %s', { timeout: 60_000 }, async (_, options) => {
    const script = fileURLToPath(new URL('./killed-driver.mjs', import.meta.url))
    const args = [script, dist, module.href, JSON.stringify(options)]
    const driver = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const pids: number[] = []
    await new Promise<void>((resolve, reject) => {
      driver.on('exit', (code) => reject(new Error(`the driver ended with ${code}`)))
      driver.stdout.on('data', (chunk: Buffer) => {
        for (const line of chunk.toString().trim().split('\n')) pids.push(Number(line))
        if (pids.length >= options.workers) resolve()
      })
    })
    expect(pids.every(isAlive)).toBe(true)
    driver.removeAllListeners('exit')
    driver.kill('SIGKILL')
    while (pids.some(isAlive)) await new Promise((resolve) => setTimeout(resolve, 50))
  })
})
