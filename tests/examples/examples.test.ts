/** The examples as the README shows them: they run, reach their targets, and print what the README says, but for the figures. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { data } from '../../dist/index.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const longestMs = 480_000

/** The block that follows a comment: `<!-- output of NAME … -->` or `<!-- code of NAME … -->`. */
function blockAfter(kind: 'output' | 'code', name: string): string {
  const found = new RegExp(`<!-- ${kind} of ${name.replaceAll('.', '\\.')}[^>]*-->\\s*\`\`\`\\w*\\n([\\s\\S]*?)\`\`\``).exec(readme)?.[1]
  expect(found, `the README has no ${kind} of ${name}`).toBeDefined()
  return found as string
}

/** What stays the same from run to run: no figures, no widths, and how often a line repeats does not count. */
function shape(text: string): string[] {
  const lines = text
    .trim()
    .split('\n')
    .map((line) =>
      line
        .replaceAll(/\d[\d.,]*/g, '#')
        .replaceAll(/[─┌┬┐├┼┤└┴┘\s]+/g, ' ')
        .trim(),
    )
  return lines.filter((line, i) => line !== lines[i - 1])
}

/** Runs an example the way the README says. */
function run(name: string): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
  const tsx = join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs')
  const child = spawn(process.execPath, [tsx, join('examples', name)], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  const printed = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    printed.stderr += text
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (exitCode) => resolve({ exitCode, ...printed }))
  })
}

const { found: hasMnist } = await data.whereIs('mnist')
const examples = [
  { name: 'train-lenet5.ts', needsMnist: true },
  { name: 'k-means.ts', needsMnist: true },
  { name: 'compare-my-system.ts', needsMnist: false },
  { name: 'own-arrays.ts', needsMnist: false },
]

describe.each(examples)('examples/$name', ({ name, needsMnist }) => {
  // Without the files the example would fetch them: no test depends on the internet.
  it.skipIf(needsMnist && !hasMnist)('reaches its target and prints what the README shows', { timeout: longestMs }, async () => {
    const { exitCode, stdout, stderr } = await run(name)
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(shape(stdout)).toEqual(shape(blockAfter('output', name)))
  })

  it('is at most 80 lines long', () => {
    expect(
      readFileSync(join(root, 'examples', name), 'utf8')
        .trimEnd()
        .split('\n').length,
    ).toBeLessThanOrEqual(80)
  })
})

describe.each(['train-lenet5.ts', 'k-means.ts', 'my-system.ts', 'compare-my-system.ts'])(
  'the code of examples/%s in the README',
  (name) => {
    it('is that of the file', () => {
      const lines = new Set(readFileSync(join(root, 'examples', name), 'utf8').split('\n'))
      const foreign = blockAfter('code', name)
        .split('\n')
        .filter((line) => line.trim() !== '' && line.trim() !== '// …' && !lines.has(line))
      expect(foreign).toEqual([])
    })
  },
)

describe('the user’s own system', () => {
  it.each([
    ['my-system.ts', 'growing-local', ['--workload', 'mlp/waveform', '--epochs', '1']],
    ['my-statistic.ts', 'gd-ols', ['--steps', '3']],
  ] as const)('%s runs from the command line', { timeout: longestMs }, async (name, system, budget) => {
    const args = ['run', '--system', `./examples/${name}`, ...budget, '--workers', '2', '--json']
    const out = ['--out', `runs/${system}`, '--force']
    const child = spawn(process.execPath, [join('dist', 'cli', 'main.js'), ...args, ...out], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    const exitCode = await new Promise((resolve) => child.on('close', resolve))
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ system, workers: 2, status: 'done' })
  })
})
