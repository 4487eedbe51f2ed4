import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createProgram } from './program.ts'
import { tutti } from '../../tests/cli/run-command.ts'

describe('the command line', () => {
  it('shows help for newcomers without arguments and for every command, on standard output', async () => {
    const all = await tutti()
    expect(all).toMatchObject({ exitCode: 0, stderr: '' })
    expect(all.stdout).toContain('Examples:')
    const names = createProgram({ output: {} as never, interrupts: () => ({}) as never, endWith: () => {} }).commands.map((command) =>
      command.name(),
    )
    expect(names.length).toBeGreaterThanOrEqual(4)
    for (const name of names) {
      const help = await tutti(name, '--help')
      expect(help).toMatchObject({ exitCode: 0, stderr: '' })
      expect(help.stdout).toContain(`Usage: tutti ${name}`)
      expect(all.stdout).toContain(`\n  ${name} `)
    }
  })

  it('prints its version', async () => {
    expect((await tutti('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  it.each([
    [['systms'], "unknown command 'systms' — did you mean systems?"],
    [['doctor', '--jsn'], "unknown option '--jsn' — did you mean --json?"],
    [['bench', 'x', '--rounds', '2'], "option '--rounds <n>': expected a whole number of at least 3, got '2'"],
    [['bench', 'x', '--rounds'], "option '--rounds <n>' argument missing"],
    [['exec'], "missing required argument 'script'"],
    [['exec', 'no-such-script.ts'], 'module: no such file — expected a .ts or .js file, got no-such-script.ts'],
    [['systems', 'nothing-like-it'], 'no system nothing-like-it'],
    [['data', 'show', 'mnits'], "there is no data set 'mnits' — did you mean mnist?"],
    [['export', 'x.onnx'], "required option '-o, --output <file>' not specified"],
    [['import'], "'-o, --output <file>' not specified (--help"],
    [['export', 'x.onnx', '-o', 'y.safetensors', '--names', 'x'], "'--names <naming>': expected one of tutti, hugging-face, got 'x'"],
    [['export', 'x.onnx', '-o', 'y.pt'], 'expected a file ending in .onnx or .safetensors, got y.pt'],
    [['export', 'no-such-run', '-o', 'y.onnx'], 'there is no no-such-run'],
  ])('ends %j with code 2 and one line', async (args, line) => {
    const { exitCode, stdout, stderr } = await tutti(...args)
    expect(exitCode).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^tutti: [^\n]+\n$/)
    expect(stderr).toContain(line)
  })

  it('prints one JSON document with --json, also when it fails', async () => {
    const systems = await tutti('systems', '--json')
    expect(systems.stderr).toBe('')
    expect((JSON.parse(systems.stdout) as { id: string }[]).map((system) => system.id)).toContain('bsp')
    const failed = await tutti('systems', 'nothing-like-it', '--json')
    expect(JSON.parse(failed.stdout)).toMatchObject({ error: { code: 'CONFIG' } })
    const misused = await tutti('systems', '--json', '--wrong')
    expect(misused.exitCode).toBe(2)
    expect(JSON.parse(misused.stdout)).toMatchObject({ error: { code: 'USAGE' } })
  })

  it('lists systems with their fabrics, and the options of one', async () => {
    expect((await tutti('systems')).stdout).toMatch(/^ssp +Stale synchronous parallel .*threads/m)
    const ssp = (await tutti('systems', 'ssp')).stdout
    expect(ssp).toMatch(/^staleness +3 +whole number ≥ 0 /m)
    expect(ssp).toContain('Parameter Server')
  })
})

describe('data', () => {
  it('lists real and generated sets with their place', async () => {
    const rows = JSON.parse((await tutti('data', 'list', '--json')).stdout) as { id: string; place: string; rows: number }[]
    expect(rows.find((row) => row.id === 'mnist')).toMatchObject({ rows: 60_000, testRows: 10_000 })
    expect(rows.find((row) => row.id === 'waveform-21')).toMatchObject({ place: 'generated' })
    expect((await tutti('data')).stdout).toMatch(/^blobs .* generated$/m)
  })

  it('shows what is in one', async () => {
    const shown = JSON.parse((await tutti('data', 'show', 'spirals', '--json')).stdout) as Record<string, unknown>
    expect(shown).toMatchObject({ name: 'spirals', features: 'float32 [6000, 2]', classes: ['0', '1'] })
    const [first = 0, second = 0] = shown['rowsPerClass'] as number[]
    expect(first + second).toBe(6000)
  })
})

describe('with files of the user', () => {
  let home: string

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'tutti-cli-'))
  })

  afterEach(async () => {
    await rm(home, { recursive: true, force: true })
    vi.unstubAllEnvs()
  })

  const write = async (name: string, text: string): Promise<string> => {
    await writeFile(join(home, name), text)
    return join(home, name)
  }

  it('runs a benchmark file and states ratio, spread and machine', async () => {
    const file = await write(
      'main.ts',
      `export const threads: string = '1 each'
export const versions = () => ({ peer: '3.1' })
export async function run({ log, quick }: { log(line: string): void; quick: boolean }) {
  log('measuring')
  return [
    { case: 'copy', unit: 'ms', ours: 1, peer: quick ? 2 : 3, peerName: 'memcpy', ratio: 2, spread: 0.01 },
    { case: 'sum', unit: 'ms', ours: 1, peer: null, peerName: 'numpy', ratio: null, spread: 0.02, note: 'pip install numpy' },
  ]
}
`,
    )
    const text = await tutti('bench', file)
    expect(text).toMatchObject({ exitCode: 0 })
    expect(text.stderr).toContain('measuring')
    expect(text.stdout).toMatch(/^copy +ms +1\.00 +3\.00 +2\.00 +±1\.0 % +memcpy$/m)
    expect(text.stdout).toMatch(/^sum .*– +– .*numpy \(pip install numpy\)$/m)
    const report = JSON.parse((await tutti('bench', file, '--quick', '--json')).stdout) as Record<string, unknown>
    expect(report).toMatchObject({ threads: '1 each', versions: { node: process.versions.node, peer: '3.1' } })
    expect((report['rows'] as { peer: number | null }[])[0]!.peer).toBe(2)
  })

  it('reports what was measured before a benchmark failed', async () => {
    const file = await write(
      'fails.ts',
      `export async function* run() {
  yield { case: 'copy', unit: 'ms', ours: 1, peer: 2, peerName: 'memcpy', ratio: 2, spread: 0.01 }
  throw Object.assign(new Error('bench: the peer ended'), { name: process.env.STOPPED ? 'AbortError' : 'Error' })
}
`,
    )
    const failed = await tutti('bench', file, '--json')
    expect(failed).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('bench: the peer ended') })
    expect((JSON.parse(failed.stdout) as { rows: unknown[] }).rows).toHaveLength(1)
    vi.stubEnv('STOPPED', '1')
    const stopped = await tutti('bench', file)
    expect(stopped).toMatchObject({ exitCode: 130, stdout: expect.stringMatching(/^copy +ms/m) })
  })

  it('says what is wrong with a file that is no benchmark', async () => {
    const file = await write('other.ts', 'export const value = 1')
    const { exitCode, stderr } = await tutti('bench', file)
    expect(exitCode).toBe(2)
    expect(stderr).toContain('expected an export run(context), got value')
  })

  it('calls an unexpected error internal, without a stack unless asked for', async () => {
    const file = await write('throws.ts', "throw new TypeError('boom\\nsecond line')")
    const failed = await tutti('exec', file)
    expect(failed.exitCode).toBe(1)
    expect(failed.stderr).toBe('tutti: internal error: boom; second line (TUTTI_DEBUG=1 shows where)\n')
    vi.stubEnv('TUTTI_DEBUG', '1')
    expect((await tutti('exec', file)).stderr).toMatch(/throws\.ts|throws\.[0-9a-f]{16}\.mjs/)
  })

  it('hands a script its own arguments', async () => {
    const argv = process.argv
    const file = await write('script.ts', 'export {}\n;(globalThis as Record<string, unknown>)["seen"] = process.argv.slice(2)')
    expect((await tutti('exec', file, '--epochs', '3', '--json')).exitCode).toBe(0)
    expect((globalThis as Record<string, unknown>)['seen']).toEqual(['--epochs', '3', '--json'])
    process.argv = argv
  })
})
