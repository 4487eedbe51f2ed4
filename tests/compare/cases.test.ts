/** Every case of a comparison has a process of its own: what that means for memory, for stopping and for what breaks. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it, vi } from 'vitest'
import type { CompareCase, CompareProgress, CompareSpec } from '../../src/api/compare.ts'
import { runCommand, startCommand } from '../cli/start-command.ts'
import { dist } from '../contracts/built.ts'

const { compare, comparisonSoFar, defineSystem, loadSystem, readRun } = (await import(
  pathToFileURL(join(dist, 'index.js')).href
)) as typeof import('../../src/index.ts')

const home = mkdtempSync(join(tmpdir(), 'tutti-cases-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))
const folder = () => mkdtempSync(join(home, 'out-'))

const regression: CompareCase = { workload: 'ols/linear-small', system: 'lin-ols', fabric: 'threads', workers: 1, rows: 1000 }
const network: CompareCase = { workload: 'mlp/waveform', system: 'bsp', fabric: 'threads', workers: 2, rows: 600, until: { epochs: 1 } }
/** Long enough to be stopped, whatever the machine. */
const endless: CompareCase = { ...network, until: { steps: 10_000_000 } }

/** Runs a comparison, with what it reported and what it threw. */
async function watch(spec: CompareSpec, onProgress: (progress: CompareProgress) => void = () => {}, signal?: AbortSignal) {
  const seen: CompareProgress[] = []
  const pids = new Map<number, number | undefined>()
  const listen = (progress: CompareProgress): void => {
    seen.push(progress)
    if (progress.event.type === 'begin') pids.set(progress.run, progress.event.pid)
    onProgress(progress)
  }
  const outcome = await compare(spec, { onProgress: listen, ...(signal ? { signal } : {}) }).then(
    (comparison) => ({ comparison, error: undefined }),
    (error: Error) => ({ comparison: undefined, error }),
  )
  return { ...outcome, seen, pids }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** The pid that a run said it has. */
const pidOf = (seen: CompareProgress): number | undefined => (seen.event.type === 'begin' ? seen.event.pid : undefined)

describe('memory', () => {
  it('of a small case after a large one is that of the small one alone', async () => {
    const large: CompareCase = { ...regression, workload: 'ols/linear', rows: 500_000 }
    const { comparison } = await watch({ cases: [large, regression] })
    const [ofLarge, after] = comparison!.rows.map((row) => row.peakBytesPerHost)
    const { comparison: alone } = await watch({ cases: [regression] })
    const ofSmall = alone!.rows[0]!.peakBytesPerHost
    expect(after!).toBeLessThan(0.7 * ofLarge!)
    expect(after!).toBeLessThan(1.2 * ofSmall)
    expect(after!).toBeGreaterThan(0.8 * ofSmall)
  })
})

describe('a record', () => {
  it('is the same in the folder and in the result, and complete', async () => {
    const out = folder()
    const { comparison } = await watch({ cases: [regression, network], out })
    const read = ['ols-linear-small-lin-ols-threads-1-1000-s1', 'mlp-waveform-bsp-threads-2-600-s1'].map((name) => readRun(join(out, name)))
    expect(comparison!.records).toEqual(read)
    expect(read[0]!.config.options['relativeError']).toBeLessThan(0.1)
    expect(existsSync(join(out, 'mlp-waveform-bsp-threads-2-600-s1', 'model.onnx'))).toBe(true)
  })

  it('leaves nothing behind where no folder was asked for', async () => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('tutti-case-'))
    const { comparison } = await watch({ cases: [network] })
    expect(comparison!.records[0]!.summary).toMatchObject({ status: 'done' })
    expect(comparison!.records[0]!.summary.checkpoint).toBeUndefined()
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('tutti-case-'))).toEqual(before)
  })
})

describe('a signal', () => {
  it('stops the run at work at an agreed step, and keeps those before it', async () => {
    const out = folder()
    const controller = new AbortController()
    const stop = ({ run, event }: CompareProgress): void => {
      if (run === 2 && event.type === 'step') controller.abort()
    }
    const { error, pids } = await watch({ cases: [regression, endless, network], out }, stop, controller.signal)
    expect(error).toMatchObject({ name: 'AbortError', message: 'compare: stopped after 1 of 3 runs' })
    const soFar = comparisonSoFar(error)!
    expect(soFar.records.map(({ summary }) => summary.status)).toEqual(['done'])
    expect(soFar.skipped).toEqual([{ workload: 'mlp/waveform', paradigm: 'parallel', reason: 'the comparison ended before it' }])
    const stopped = readRun(join(out, 'mlp-waveform-bsp-threads-2-600-s1'))
    expect(stopped.summary).toMatchObject({ status: 'interrupted', checkpoint: expect.any(String) })
    expect([...pids.keys()]).toEqual([1, 2])
    expect(isThere(pids.get(2)!)).toBe(false)
  })

  it('before the first run leaves no report', async () => {
    const { error, seen } = await watch({ cases: [regression] }, () => {}, AbortSignal.abort())
    expect(error).toMatchObject({ name: 'AbortError', message: 'compare: stopped after 0 of 1 runs' })
    expect(comparisonSoFar(error)).toBeUndefined()
    expect(seen).toEqual([])
  })
})

describe('a process that dies', () => {
  it('is a failed case that keeps its metrics, and the others go on', async () => {
    const out = folder()
    let pid: number | undefined
    const kill = (progress: CompareProgress): void => {
      pid = pidOf(progress) ?? pid
      if (progress.run === 1 && progress.event.type === 'step') process.kill(pid!, 'SIGKILL')
    }
    const { comparison, pids } = await watch({ cases: [endless, regression], out }, kill)
    const [dead, after] = comparison!.records
    const name = 'mlp-waveform-bsp-threads-2-600-s1'
    expect(dead!.summary).toMatchObject({ status: 'failed', error: { code: 'PEER_LOST', details: { ranks: [0, 1] } } })
    expect(dead!.summary.error!.message).toMatch(
      new RegExp(`^${name}: its process ${pids.get(1)} is gone — expected a record, got SIGKILL`),
    )
    expect(dead!.summary.steps).toBeGreaterThan(0)
    expect(dead!.config).toMatchObject({ system: 'bsp', workload: 'mlp/waveform', paradigm: 'parallel', workers: 2, rows: 600 })
    expect(readRun(join(out, name))).toEqual(dead)
    expect(after!.summary.status).toBe('done')
    expect(comparison!.rows.map((row) => row.status)).toEqual(['failed', 'done'])
  })

  it('before its run began is one, too', async () => {
    const out = folder()
    await watch({ cases: [network], out })
    const kill = (progress: CompareProgress): void => {
      const pid = pidOf(progress)
      if (pid !== undefined) process.kill(pid, 'SIGKILL')
    }
    const { comparison } = await watch({ cases: [network], out }, kill)
    const [dead] = comparison!.records
    expect(dead!.summary).toMatchObject({ status: 'failed', steps: 0, error: { code: 'PEER_LOST' } })
    expect(dead!.metrics).toEqual([])
    await comparison!.write(out)
  })

  it('takes its last word along: a listener that throws ends the comparison', async () => {
    const { error, pids } = await watch({ cases: [endless, network] }, ({ event }) => {
      if (event.type === 'step') throw new RangeError('of the listener')
    })
    expect(error).toMatchObject({ name: 'RangeError', message: 'of the listener' })
    expect(isThere(pids.get(1)!)).toBe(false)
    expect(pids.has(2)).toBe(false)
  })
})

describe('a system', () => {
  const source = (
    id: string,
  ) => `import { applyUpdate, averageParameters, computeGradients, defineSystem, trainingProgram } from 'tutti/systems'

export const another = defineSystem({ id: '${id}-2', build: () => { throw new Error('not this one') } })
export default defineSystem({
  id: '${id}',
  fabrics: ['threads'],
  build: (context) =>
    trainingProgram(context, { evaluates: 'average' }, ...computeGradients(), ...applyUpdate(), ...averageParameters('native'), { do: 'agree', by: 'alone' }),
})
`

  it('from a file runs in a process of its own, one that is only a value here', async () => {
    const file = join(folder(), 'mine.ts')
    writeFileSync(file, source('mine'))
    const loaded = await loadSystem(file)
    if (loaded.kind !== 'deep') throw new Error('not deep')
    const value = defineSystem({ id: 'value', fabrics: ['threads'], build: loaded.build.bind(loaded) })
    const { comparison, pids, error } = await watch({
      cases: [
        { ...network, system: loaded },
        { ...network, system: value },
      ],
    })
    expect(error).toBeUndefined()
    expect(comparison!.rows.map(({ system, status }) => [system, status])).toEqual([
      ['mine', 'done'],
      ['value', 'done'],
    ])
    expect(pids.get(1)).not.toBe(process.pid)
    expect(pids.get(1)).toBeGreaterThan(0)
    expect(pids.get(2)).toBeUndefined()
    expect(comparison!.records[1]!.ranks[0]!.pid).toBe(process.pid)
    expect(comparison!.records[0]!.ranks[0]!.pid).toBe(pids.get(1))
  })

  it('whose file compares while it is loaded starts no processes without end', async () => {
    const file = join(folder(), 'script.mjs')
    const entry = (name: string) => pathToFileURL(join(dist, name)).href
    writeFileSync(
      file,
      `import { compare } from '${entry('index.js')}'
import { lloyd } from './none.mjs'
export { lloyd as default }
if (process.env.TUTTI_CASE) await compare({ workloads: ['ols/linear-small'], workers: [1] })
`,
    )
    writeFileSync(
      join(file, '..', 'none.mjs'),
      `import { defineStatisticSystem, systems } from '${entry('systems/index.js')}'
export const lloyd = defineStatisticSystem({ id: 'again', fabrics: ['threads'], learner: systems['lin-ols'].learner, module: '${pathToFileURL(file).href}' })
`,
    )
    const { error } = await watch({ cases: [{ ...regression, system: await loadSystem(file) }] })
    expect(error).toMatchObject({ name: 'ConfigError', message: expect.stringContaining('compares while it is loaded') })
  })
})

describe('what cannot be', () => {
  it.each<[string, Partial<CompareCase>, CompareSpec['train'], string]>([
    ['a batch', {}, { globalBatchSize: 100_000 }, 'globalBatchSize 100000 is larger'],
    ['more threads than there may be', { workers: 200 }, { globalBatchSize: 400 }, 'too many threads'],
    ['a fault on no rank', { faults: [{ rank: 7, kind: 'crash', afterOperations: 1 }] }, {}, 'rank 7'],
    ['a Program', { system: defineSystem({ id: 'wrong', build: () => ({ body: [] }) as never }) }, {}, 'wrong: build returned'],
    ['a network for a classical system', { system: 'km-lloyd' }, {}, 'km-lloyd is a classical system'],
  ])('is found before the first run starts: %s', async (_, wrong, train, line) => {
    const { error, seen } = await watch({ cases: [regression, { ...network, ...wrong }], ...(train ? { train } : {}) })
    expect(error!.message).toContain(line)
    expect(seen).toEqual([])
  })
})

describe('tutti compare', () => {
  const args = ['compare', '--workloads', 'ols/linear-small,mlp/waveform', '--workers', '2', '--steps', '10000000']

  it('writes the report over what had ended when it is stopped, with code 130', async () => {
    const out = folder()
    const command = startCommand([...args, '--out', out])
    await command.says('[1/2]')
    command.child.kill('SIGINT')
    expect(await command.ended).toBe(130)
    const report = join(out, 'report.html')
    expect(command.stderr().trim().split('\n').at(-1)).toBe(`tutti: compare: stopped after 1 of 2 runs; the report so far: ${report}`)
    expect(existsSync(report)).toBe(true)
    expect(existsSync(join(out, 'results.json'))).toBe(true)
  })

  it('that is killed leaves no process behind', async () => {
    const command = startCommand([...args, '--out', folder()])
    await command.says('[1/2]')
    const child = await vi.waitFor(() => {
      const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
      const found = stdout.split('\n').map((line) => line.trim().split(/\s+/).map(Number))
      const [pid] = found.find(([own, parent]) => parent === command.child.pid && own !== undefined) ?? []
      expect(pid).toBeGreaterThan(0)
      return pid!
    })
    command.child.kill('SIGKILL')
    await command.ended
    await vi.waitFor(() => expect(isThere(child)).toBe(false), { timeout: 20_000 })
  })

  it('ends with code 1 and a report when a run failed', async () => {
    const out = folder()
    const { exitCode, stderr } = await runCommand([
      ...['compare', '--workloads', 'mlp/waveform', '--systems', 'bsp', '--workers', '1,2', '--rows', '600', '--epochs', '1'],
      ...['--learning-rate', '1e30', '--out', out],
    ])
    expect(stderr).toMatch(/failed: /)
    expect(exitCode).toBe(1)
    expect(existsSync(join(out, 'report.html'))).toBe(true)
  })
})
