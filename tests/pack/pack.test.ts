/** The packed tarball, as a user gets it: installed into an empty project, without install scripts. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dataRoots } from '../../src/data/files/search-path.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string
  exports: Record<string, string | { types: string; default: string }>
}

let home: string
let packed: readonly string[]

function run(
  command: string,
  args: readonly string[],
  folder: string,
  more: Readonly<Record<string, string>> = {},
): { status: number | null; stdout: string; stderr: string } {
  // npm's own settings of the run that started the tests must not leak into the new project.
  const own = Object.entries(process.env).filter(([name]) => !/^npm_(config|lifecycle|package)/i.test(name))
  const env = { ...Object.fromEntries(own), ...more }
  return spawnSync(command, args, { cwd: folder, encoding: 'utf8', env, maxBuffer: 64 * 2 ** 20 })
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'tutti-pack-'))
  const pack = run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', home], root)
  expect(pack.status, pack.stderr).toBe(0)
  const [tarball] = JSON.parse(pack.stdout) as [{ filename: string; files: { path: string }[] }]
  packed = tarball.files.map((file) => file.path)
  const project = join(home, 'project')
  await mkdir(project)
  await writeFile(join(project, 'package.json'), '{"name":"empty","private":true,"type":"module"}')
  const install = ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--omit=dev', join(home, tarball.filename)]
  const result = run('npm', install, project)
  expect(result.status, result.stderr).toBe(0)
}, 300_000)

afterAll(async () => {
  await rm(home, { recursive: true, force: true })
})

describe('the tarball', () => {
  it('holds what package.json promises and nothing else', () => {
    const promised = Object.values(manifest.exports).flatMap((target) => (typeof target === 'string' ? [target] : Object.values(target)))
    for (const file of promised) expect(packed).toContain(file.replace('./', ''))
    for (const file of ['LICENSE', 'NOTICE', 'README.md', 'CHANGELOG.md', 'dist/cli/main.js', 'dist/kernels/kernels.wasm'])
      expect(packed).toContain(file)
    const stray = packed.filter(
      (file) => !file.startsWith('dist/') && !/^(package\.json|LICENSE|NOTICE|README\.md|CHANGELOG\.md)$/.test(file),
    )
    expect(stray).toEqual([])
    expect(packed.filter((file) => /\.test\.|tsbuildinfo|\/client\//.test(file))).toEqual([])
  })

  it('passes publint', async () => {
    const { messages, pkg } = await publint({ pkgDir: join(home, 'project', 'node_modules', 'tutti'), strict: true, pack: false })
    expect(messages.map((message) => formatMessage(message, pkg!))).toEqual([])
  })
})

describe('an empty project with the tarball installed', () => {
  it('imports every entry', async () => {
    const names = Object.keys(manifest.exports).filter((name) => name !== './package.json')
    const lines = names.map(
      (name) => `if (Object.keys(await import('${name.replace('.', 'tutti')}')).length === 0) throw new Error('${name} is empty')`,
    )
    await writeFile(join(home, 'project', 'entries.mjs'), lines.join('\n'))
    const { status, stderr } = run(process.execPath, ['entries.mjs'], join(home, 'project'))
    expect(stderr).toBe('')
    expect(status).toBe(0)
  })

  it('has types that a strict project accepts, without types of Node and with a plain target', async () => {
    const project = join(home, 'project')
    const names = Object.keys(manifest.exports).filter((name) => name !== './package.json')
    const lines = names.map((name, index) => `import * as entry${index} from '${name.replace('.', 'tutti')}'`)
    const used = `export const entries = [${names.map((_, index) => `entry${index}`).join(', ')}]`
    const call = 'export const run = entry0.train({ modell: 1 })'
    await writeFile(join(project, 'entries.ts'), [...lines, used].join('\n'))
    await writeFile(join(project, 'misspelt.ts'), [lines[0], call].join('\n'))
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    const flags = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2022']
    const good = run(process.execPath, [tsc, ...flags, 'entries.ts'], project)
    expect(good.stdout).toBe('')
    expect(good.status).toBe(0)
    expect(run(process.execPath, [tsc, ...flags, 'misspelt.ts'], project).stdout).toContain('modell')
  })

  it('has a command that answers', () => {
    const bin = join(home, 'project', 'node_modules', '.bin', 'tutti')
    expect(existsSync(bin)).toBe(true)
    const { status, stdout } = run(bin, ['--version'], join(home, 'project'))
    expect([status, stdout.trim()]).toEqual([0, manifest.version])
    const doctor = run(bin, ['doctor', '--json'], join(home, 'project'))
    expect(JSON.parse(doctor.stdout)).toMatchObject({ ok: true })
  })

  it('type-checks what it imports', async () => {
    const project = join(home, 'project')
    await writeFile(
      join(project, 'types.ts'),
      "import { findSystem } from 'tutti/systems'\nexport const title: string = findSystem('bsp').title\n",
    )
    const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2023', '--lib', 'es2023,esnext.disposable,dom']
    const { status, stdout } = run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...options, 'types.ts'], project)
    expect(stdout).toBe('')
    expect(status).toBe(0)
  })

  it('runs the first example as it stands', async ({ skip }) => {
    const folder = dataRoots(process.env, root).find((candidate) => existsSync(join(candidate, 'mnist')))
    if (folder === undefined) skip('MNIST is not here (tutti data fetch mnist)')
    const project = join(home, 'project')
    await copyFile(join(root, 'examples', 'train-lenet5.ts'), join(project, 'train-lenet5.ts'))
    const bin = join(project, 'node_modules', '.bin', 'tutti')
    const { status, stdout, stderr } = run(bin, ['exec', 'train-lenet5.ts'], project, { TUTTI_DATA: folder! })
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^test accuracy 9\d\.\d+ %/m)
    expect(status).toBe(0)
    expect(existsSync(join(project, 'runs', 'train-lenet5', 'model.onnx'))).toBe(true)
  }, 400_000)
})
