/** `tutti run` and `tutti compare` as a user meets them: real processes and threads, records on disk, one line when something is wrong. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hasMpi } from '../contracts/built.ts'
import { runCommand, startCommand } from './start-command.ts'

let home: string

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'tutti-run-'))
})

afterEach(async () => {
  await rm(home, { recursive: true, force: true })
})

const small = ['--workload', 'mlp/waveform', '--rows', '600', '--epochs', '2']
/** Long enough to be interrupted, whatever the machine. */
const endless = ['--workload', 'mlp/waveform', '--steps', '10000000', '--evaluate-every', '50']

/** The line that the command ends with, and nothing like a stack. */
function expectOneLine(stderr: string, line: string | RegExp): void {
  const last = stderr.trim().split('\n').at(-1)!
  expect(last).toMatch(line)
  expect(stderr).not.toMatch(/\n {4}at /)
  expect(stderr.match(/^tutti: /gm)).toHaveLength(1)
}

describe('tutti run', () => {
  it('prints one JSON document and writes the record', async () => {
    const out = join(home, 'run')
    const { exitCode, stdout, stderr } = await runCommand(['run', ...small, '--workers', '2', '--out', out, '--json'])
    expect(stderr).toBe('')
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      dir: out,
      system: 'bsp',
      workload: 'mlp/waveform',
      workers: 2,
      rows: 600,
      status: 'done',
      metricName: 'accuracy',
    })
    for (const file of ['config.json', 'summary.json', 'metrics.jsonl', 'model.onnx']) expect(existsSync(join(out, file)), file).toBe(true)
  })

  it('says before the start what it will take, and afterwards what it took', async () => {
    const { stdout, stderr } = await runCommand(['run', ...small, '--out', join(home, 'run')])
    expect(stderr).toMatch(/^1 rank, 1 thread · .* needed of .* free · 0 B sent per rank and step · \d+ steps/m)
    expect(stderr).toMatch(/^epoch 2: accuracy [\d.]+ %/m)
    expect(stdout).toMatch(/^accuracy +[\d.]+ %/m)
  })

  it('stops on Ctrl-C at a common step with code 130 and goes on with --resume alone', async () => {
    const out = join(home, 'run')
    const command = startCommand(['run', ...endless, '--workers', '2', '--out', out])
    await command.says('accuracy')
    command.child.kill('SIGINT')
    expect(await command.ended).toBe(130)
    expect(command.stderr()).toContain('stopping at the next common step')
    const step = Number(/interrupted at step (\d+)/.exec(command.stderr())?.[1])
    expect(step).toBeGreaterThan(0)
    const resumed = await runCommand(['run', '--resume', out, '--steps', String(step + 20), '--json'])
    expect(resumed.stderr).toBe('')
    expect(resumed.exitCode).toBe(0)
    expect(JSON.parse(resumed.stdout)).toMatchObject({ dir: out, status: 'done', steps: step + 20, workers: 2 })
  })

  it('stops at once on a second Ctrl-C', async () => {
    const command = startCommand(['run', ...endless, '--out', join(home, 'run')])
    await command.says('accuracy')
    command.child.kill('SIGINT')
    await command.says('stopping')
    command.child.kill('SIGINT')
    expect(await command.ended).toBe(130)
  })

  it.each([
    ['crash:1@60', /^tutti: .*rank 1 .*; go on with: tutti run --resume /],
    ['throw:1@60', /^tutti: .*rank 1.*; go on with: tutti run --resume /],
    ['hang:1@60', /^tutti: .*rank 1 .*; go on with: tutti run --resume /],
  ])('ends with one line that names the rank after %s, and can be resumed', async (fault, line) => {
    const out = join(home, 'run')
    const failed = await runCommand(['run', ...endless, '--workers', '2', '--timeout-ms', '3000', '--fault', fault, '--out', out])
    expect(failed.exitCode).toBe(1)
    expectOneLine(failed.stderr, line)
    const { step } = JSON.parse(readFileSync(join(out, 'checkpoint', 'latest.json'), 'utf8')) as { step: number }
    await writeFile(join(out, 'command.json'), JSON.stringify({ workload: 'mlp/waveform', workers: 2, steps: step + 5 }))
    const resumed = await runCommand(['run', '--resume', out, '--json'])
    expect(resumed.stderr).toBe('')
    expect(JSON.parse(resumed.stdout)).toMatchObject({ status: 'done', steps: step + 5 })
  })

  it.each([
    [['--workers', '0'], '--workers <n>'],
    [['--system', 'bspp'], /no system .*bspp.*bsp/],
    [['--workload', 'mlp/wavefrom'], 'mlp/waveform'],
    [['--fabric', 'thread'], 'expected virtual | threads'],
    [['--global-batch-size', '100000'], '100000'],
    [['--set', 'no-such-option=1', '--system', 'bsp'], 'noSuchOption'],
    [['--out', fileURLToPath(new URL('./run.test.ts/run', import.meta.url))], 'cannot write to'],
    [['--resume', '/tmp/no-such-run'], 'no command.json there'],
    [['--config', 'no-such.json'], 'no such file'],
    [['--epochs', '1'], /^tutti: --epochs, --steps: a run ends by one of them/],
    [['--until', 'accuracy=90'], /until: accuracy never gets there — expected a value from 0 to 1, got 90 \(90 % is 0.9\)/],
  ])('refuses %j with code 2 and one line', async (args, line) => {
    const { exitCode, stdout, stderr } = await runCommand([
      'run',
      '--workload',
      'mlp/waveform',
      '--workers',
      '2',
      '--steps',
      '5',
      '--out',
      join(home, 'run'),
      ...args,
    ])
    expect(exitCode).toBe(2)
    expect(stdout).toBe('')
    expectOneLine(stderr, line)
  })

  it('scores a run of a few steps once, and does not write over its record unless told to', async () => {
    const args = ['run', '--workload', 'mlp/waveform', '--rows', '600', '--steps', '3', '--out', join(home, 'run')]
    const first = await runCommand(args)
    expect(first.stderr.match(/: accuracy /g)).toHaveLength(1)
    const again = await runCommand(args)
    expect(again.exitCode).toBe(2)
    expectOneLine(again.stderr, /is the record of a finished run — expected a folder without one/)
    expect((await runCommand([...args, '--force'])).exitCode).toBe(0)
    expect((await runCommand(['run', '--resume', join(home, 'run'), '--epochs', '1'])).exitCode).toBe(0)
  })

  it('refuses a driver that is not there before anything starts', () => {
    const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
    const run = (library: string) =>
      spawnSync(process.execPath, [main, 'run', ...small, '--driver', 'onednn', '--out', join(home, 'run')], {
        encoding: 'utf8',
        env: { ...process.env, TUTTI_ONEDNN: library },
      })
    const off = run('off')
    expect([off.status, off.stdout]).toEqual([2, ''])
    expectOneLine(off.stderr, /driver onednn: the library is switched off — expected no TUTTI_ONEDNN=off/)
    expectOneLine(
      run('/no/such.so').stderr,
      /driver onednn: \/no\/such\.so \(TUTTI_ONEDNN\) cannot be loaded — expected a library of oneDNN/,
    )
    expect(existsSync(join(home, 'run'))).toBe(false)
  })

  it('takes options from a file, which flags overrule', async () => {
    const config = join(home, 'run.json')
    await writeFile(config, JSON.stringify({ workload: 'mlp/waveform', rows: '600', workers: 2, steps: 7, set: { allReduce: 'ring' } }))
    const { stdout, exitCode } = await runCommand(['run', '--config', config, '--steps', '3', '--out', join(home, 'run'), '--json'])
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ steps: 3, workers: 2, rows: 600, systemOptions: { allReduce: 'ring' } })
    await writeFile(config, JSON.stringify({ workloads: 'mlp/waveform' }))
    const wrong = await runCommand(['run', '--config', config])
    expectOneLine(wrong.stderr, "unknown option 'workloads' — did you mean workload?")
  })

  it("runs a system from a user's file", async () => {
    const file = join(home, 'my-system.ts')
    await writeFile(file, userSystem)
    const { stdout, stderr, exitCode } = await runCommand([
      'run',
      '--system',
      file,
      ...small,
      '--workers',
      '2',
      '--set',
      'pause=3',
      '--out',
      join(home, 'run'),
      '--json',
    ])
    expect(stderr).toBe('')
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ system: 'mine', systemOptions: { pause: 3 }, status: 'done' })
  })

  it('says in one line what is wrong with a file that is no system', async () => {
    const file = join(home, 'other.ts')
    await writeFile(file, 'export const value = 1')
    const { stderr, exitCode } = await runCommand(['run', '--system', file, ...small])
    expect(exitCode).toBe(2)
    expectOneLine(stderr, 'expected one export made by defineSystem({ … }), got value')
  })
})

const userSystem = `import { applyUpdate, averageParameters, computeGradients, defineSystem, every, option, trainingProgram } from 'tutti/systems'

export const mine = defineSystem({
  id: 'mine', title: 'Mine', family: 'data-parallel', summary: 'Averages now and then.',
  reference: { authors: 'A', title: 'T', venue: 'V', year: 2026 },
  fabrics: ['virtual', 'threads', 'mpi'], rung: 'statistical', maxStaleness: '0', evaluates: 'the replica', bytesPerStep: 'n',
  faultOutcome: 2, workloads: ['mlp/waveform'], claims: [], deviations: [], tuning: 'none',
  options: { pause: option.integer({ default: 2, min: 1, doc: 'steps between two averagings' }) },
  build: (context, { pause }) =>
    trainingProgram(context, { evaluates: 'average' }, ...computeGradients(), ...applyUpdate(), every(pause, ...averageParameters('native')), { do: 'agree', by: 'alone' }),
})
`

describe('tutti compare', () => {
  it('writes a report and results, and prints the table and the verdicts', async () => {
    const out = join(home, 'compare')
    const { exitCode, stdout, stderr } = await runCommand([
      'compare',
      '--workloads',
      'mlp/waveform',
      '--rows',
      '600',
      '--workers',
      '1,2',
      '--epochs',
      '1',
      '--out',
      out,
    ])
    expect(exitCode).toBe(0)
    expect(stderr).toMatch(/^\[1\/3\] mlp\/waveform · solo/m)
    expect(stdout).toMatch(/^mlp\/waveform +600 +bsp +parallel, threads ×2 +accuracy/m)
    expect(stdout).toMatch(/^Cost +\w/m)
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain('<html')
    expect(JSON.parse(readFileSync(join(out, 'results.json'), 'utf8'))).toMatchObject({ form: 'tutti-results' })
  })

  it('prints results.json with --json', async () => {
    const out = join(home, 'compare')
    const args = ['--workloads', 'ols/linear-small', '--workers', '1,2', '--fabrics', 'virtual', '--out', out, '--json']
    const { exitCode, stdout, stderr } = await runCommand(['compare', ...args])
    expect(stderr).toBe('')
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toEqual(JSON.parse(readFileSync(join(out, 'results.json'), 'utf8')))
  })

  it('refuses what cannot be compared', async () => {
    for (const [args, line] of [
      [['--fabrics', 'mpi'], '--fabrics needs --workloads'],
      [['--workloads', 'ols/linear-small', '--momentum', '0.5'], 'ols/linear-small is no network'],
      [['--workloads', 'mlp/waveform', '--systems', 'bsp,nothing-like-it'], 'nothing-like-it'],
    ] as const) {
      const { exitCode, stderr } = await runCommand(['compare', ...args, '--out', join(home, 'compare')])
      expectOneLine(stderr, line)
      expect(exitCode).toBe(2)
    }
  })
})

describe('tutti exec', () => {
  const script = (workers: string): string => `import { data, nn, optim, train } from 'tutti'

const [epochs = '1']: string[] = process.argv.slice(2)
const model = nn.mlp([2, 16, 2])
const run = await train({
  model, data: await data.load('spirals', { rows: 256, testRows: 64 }), optimizer: optim.sgd({ learningRate: 0.1 }), until: { epochs: Number(epochs) }, ${workers}
})
console.log(JSON.stringify({ epochs: run.summary.epochs, accuracy: run.final.testAccuracy, ranks: run.ranks.length, processes: new Set(run.ranks.map((rank) => rank.pid)).size }))
`

  it("runs a user's script in TypeScript that trains", async () => {
    const file = join(home, 'train.ts')
    await writeFile(file, script(''))
    const { exitCode, stdout, stderr } = await runCommand(['exec', file, '2'], home)
    expect(stderr).toBe('')
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ epochs: 2, accuracy: expect.any(Number), ranks: 1 })
  })

  it.runIf(hasMpi())('runs the script once under mpirun, whose other processes serve it', async () => {
    const file = join(home, 'train.ts')
    await writeFile(file, script("system: 'bsp', fabric: 'mpi', workers: 2"))
    const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
    const args = [
      '--allow-run-as-root',
      '--oversubscribe',
      '--bind-to',
      'none',
      '--mca',
      'mpi_yield_when_idle',
      '1',
      '-n',
      '2',
      process.execPath,
      main,
      'exec',
      file,
      '3',
    ]
    const { status, stdout, stderr } = spawnSync('mpirun', args, { encoding: 'utf8', timeout: 90_000, killSignal: 'SIGKILL' })
    expect(stderr).toBe('')
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ epochs: 3, ranks: 2, processes: 2 })
  })
})

describe('docs/cli.md', () => {
  it('says what the help texts say', () => {
    const script = fileURLToPath(new URL('../../scripts/docs-cli.mjs', import.meta.url))
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' })
    expect(status, stderr).toBe(0)
  })
})
