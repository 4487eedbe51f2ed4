/** Systems of the user's, each in one file outside the package: by value and by file, on every fabric, by API and by command. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { rankModule } from '../../dist/api/rank-module.js'
import { compare, data, fit as learn, loadSystem } from '../../dist/index.js'
import { computeGradients, defineStatisticSystem, defineSystem, type StatisticSystem, trainingProgram } from '../../dist/systems/index.js'
import gradientDescent from '../../examples/my-statistic.ts'
import { runCommand } from '../cli/start-command.ts'
import { hasMpi } from '../contracts/built.ts'
import { run } from './small-run.ts'

const fabrics = ['virtual', 'threads', ...(hasMpi() ? (['mpi'] as const) : [])] as const
const rows = await data.load('linear', { rows: 2000, testRows: 0, dims: 6 })
const folder = () => mkdtempSync(join(tmpdir(), 'tutti-own-'))
const file = fileURLToPath(new URL('../../examples/my-statistic.ts', import.meta.url))

/** Counts its rows; what else a file says is put around it. */
const counting = (id: string) => `{
  id: '${id}', module: import.meta.url,
  learner: {
    metric: { name: 'rows', better: 'higher' },
    statisticLength: () => 1,
    open({ range, statistic }) {
      const total = new Float64Array(1)
      return {
        localStat() { statistic[0] = range.end - range.start },
        nextState() { total[0] = statistic[0]; return true },
        get score() { return total[0] },
        state: { total: { shape: [1], values: total } },
        restore(state) { total.set(state.total.values) },
      }
    },
  },
}`
const system = (exports: string, name = 'counts.mjs'): string => {
  const path = join(folder(), name)
  const entry = new URL('../../dist/systems/index.js', import.meta.url).href
  writeFileSync(path, `import { defineStatisticSystem } from '${entry}'\n${exports}\n`)
  return path
}
async function lineOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (caught: Error) => caught,
  )
  expect(error, 'it was refused').toBeDefined()
  expect(error!.message).not.toContain('\n')
  return error!.message
}

describe('a classical system of the user’s', () => {
  const maxSteps = 25

  it.each(fabrics)('by value learns the same on %s as on one worker', async (fabric) => {
    const alone = await learn({ system: gradientDescent, data: rows, maxSteps })
    const many = await learn({ system: gradientDescent, data: rows, maxSteps, fabric, workers: 2 })
    const exact = await learn({ system: 'lin-ols', data: rows })
    expect(many.config).toMatchObject({ system: 'gd-ols', fabric, workers: 2, systemOptions: { rate: 0.9 } })
    const [w, own] = [exact.state['coef']!.values, many.state['coef']!.values]
    for (const [j, value] of own.entries()) {
      expect(value).toBeCloseTo(alone.state['coef']!.values[j]!, 9)
      // No intercept here, and none in the generator: both ways end near the same coefficients.
      expect(Math.abs(value - w[j]!)).toBeLessThan(0.05)
    }
  })

  it.each(['counts.mjs', 'counts.ts'])('is loaded from a file, %s', async (name) => {
    const path = system(`export const counts = defineStatisticSystem(${counting('counts')})`, name)
    const { state } = await learn({ system: await loadSystem(path), data: rows, workers: 3 })
    expect([...state['total']!.values]).toEqual([2000])
  })

  it('goes on from its checkpoint', async () => {
    const out = folder()
    const half = { system: gradientDescent, data: rows, workers: 2, out }
    await learn({ ...half, maxSteps: 5 })
    const resumed = await learn({ ...half, maxSteps, resume: out })
    const whole = await learn({ ...half, maxSteps, out: folder() })
    expect(resumed.state['coef']!.values).toEqual(whole.state['coef']!.values)
  })

  it('is compared with those of the package', async () => {
    const { rows: table } = await compare({
      systems: ['lin-ols', gradientDescent],
      workloads: ['ols/linear-small'],
      rows: [1000],
      workers: [1, 2],
      until: { steps: 3 },
      systemOptions: { rate: 0.5, fitIntercept: false },
    })
    expect(table.map((row) => row.systemOptions).slice(0, 2)).toMatchObject([{ fitIntercept: false }, { rate: 0.5 }])
    expect(table.map((row) => [row.system, row.workers, row.status])).toEqual([
      ['lin-ols', 1, 'done'],
      ['gd-ols', 1, 'done'],
      ['lin-ols', 2, 'done'],
      ['gd-ols', 2, 'done'],
    ])
  })

  it.each(fabrics)('runs from the command line on %s', async (fabric) => {
    const args = ['--steps', '3', '--rows', '1000', '--workers', '2', '--fabric', fabric, '--set', 'rate=0.5', '--out', folder(), '--json']
    const { stdout, stderr, exitCode } = await runCommand(['run', '--system', file, ...args])
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 })
    expect(JSON.parse(stdout)).toMatchObject({ system: 'gd-ols', fabric, status: 'done', systemOptions: { rate: 0.5 } })
  })
})

describe('one line says', () => {
  const script = process.argv[1]!
  afterEach(() => {
    process.argv[1] = script
  })

  it('that workers need a file', async () => {
    const { learner } = gradientDescent
    const line = await lineOf(learn({ system: defineStatisticSystem({ id: 'mine', learner }), data: rows }))
    expect(line).toMatch(/^mine: workers cannot find its learner — expected module: import\.meta\.url/)
  })

  it('that the file does not export the system', async () => {
    const path = system(`const hidden = defineStatisticSystem(${counting('hidden')})\nexport const keep = { hidden }`)
    const { keep } = (await import(path)) as { keep: { hidden: StatisticSystem } }
    expect(await lineOf(learn({ system: keep.hidden, data: rows }))).toMatch(/^hidden: workers cannot find it in .* got none \(export/)
  })

  it('that the script itself is no file for workers', async () => {
    const path = system(`export default defineStatisticSystem(${counting('inline')})`)
    const own = await loadSystem(path)
    process.argv[1] = path
    expect(await lineOf(learn({ system: own, data: rows }))).toMatch(/^inline: is defined in the script that runs/)
  })

  it('that a host has another file than the driver', async () => {
    const path = system(`export default defineStatisticSystem(${counting('counts')})`)
    const process = { worldSize: 1, ranks: [0], host: 'here', ranksOnHost: 1, emit() {} }
    const reference = { by: 'reference', hash: rows.hash, source: rows.source! } as const
    const job = { kind: 'fit', data: reference, learner: { path, sha256: '0'.repeat(64), export: 'default' }, options: {} }
    expect(await lineOf(rankModule.prepare!(job as never, process))).toMatch(/the learner’s file on .* is not the driver’s .* \(copy it/)
  })

  it('where a build put something that is no instruction', async () => {
    const mine = defineSystem({
      id: 'mine',
      build: (context) => trainingProgram(context, { evaluates: 'replica' }, computeGradients() as never, { do: 'update' }),
    })
    const line = await lineOf(run({ system: mine, workers: 2 }))
    expect(line).toBe(
      'mine: build returned a wrong Program at body[0].body[0] — expected an instruction, got an array of 2 (spread it: ...part)',
    )
  })

  it('that a build threw', async () => {
    const build = () => (undefined as unknown as { steps: number }).steps as never
    expect(await lineOf(run({ system: defineSystem({ id: 'mine', build }) }))).toMatch(/^mine: build failed — Cannot read properties/)
  })

  it('that two systems of a comparison have one id, or that none has an option', async () => {
    const twice = [gradientDescent, defineStatisticSystem({ id: 'gd-ols', learner: gradientDescent.learner })]
    const workloads = ['ols/linear-small']
    expect(await lineOf(compare({ systems: twice, workloads }))).toMatch(/^compare: two systems have the id gd-ols/)
    expect(await lineOf(compare({ systems: [gradientDescent], workloads, systemOptions: { rates: 1 } }))).toBe(
      'compare: no option rates — the options of gd-ols are rate',
    )
  })

  it('that no workload is its home', async () => {
    const path = system(`export default defineStatisticSystem(${counting('counts')})`)
    const { stderr, exitCode } = await runCommand(['run', '--system', path])
    expect(exitCode).toBe(2)
    expect(stderr.trim()).toBe('tutti: run: counts names no workload — expected --workload (tutti workloads lists them)')
  })
})

describe('a checkpoint', () => {
  it('goes on with the Program that wrote it, and no other', async () => {
    const out = folder()
    const spec = { system: 'local', systemOptions: { localSteps: 4 }, workers: 2, out }
    await run({ ...spec, until: { steps: 8 } })
    const other = run({ ...spec, systemOptions: { localSteps: 8 }, resume: out })
    expect(await lineOf(other)).toMatch(/was written by a Program that learns otherwise — expected .* got .* \(use the system/)
    const same = await run({ ...spec, resume: out, until: { steps: 24 }, evaluateEvery: 6 })
    expect(same.summary.steps).toBe(24)
  })
})
