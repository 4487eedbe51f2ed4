import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ConfigError } from '../errors.ts'
import { importUserModule, prepareUserModule } from './user-module.ts'

let home: string

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'tutti-user-module-'))
})

afterEach(async () => {
  await rm(home, { recursive: true, force: true })
})

async function write(name: string, text: string): Promise<string> {
  const path = join(home, name)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
  return path
}

describe('a user module', () => {
  it('is bundled with its own files, next to the packages that it imports', async () => {
    await write('node_modules/lucky/package.json', '{"name":"lucky","version":"1.0.0","type":"module","exports":"./index.js"}')
    await write('node_modules/lucky/index.js', 'export const lucky = 7')
    await write('parts/double.ts', 'export const double = (x: number): number => 2 * x')
    const file = await write(
      'system.ts',
      "import { lucky } from 'lucky'\nimport { double } from './parts/double.ts'\nexport const value: number = double(lucky)\n",
    )
    expect((await importUserModule(file))['value']).toBe(14)
    const prepared = await prepareUserModule(file)
    expect(dirname(prepared.path)).toBe(join(home, 'node_modules/.cache/tutti'))
    expect(existsSync(prepared.path)).toBe(true)
  })

  it('has another bundle and another hash once a file of it changed', async () => {
    await mkdir(join(home, 'node_modules'))
    const file = await write('system.ts', 'export const value: number = 1')
    const before = await prepareUserModule(file)
    expect(await prepareUserModule(file)).toEqual(before)
    await write('system.ts', 'export const value: number = 2')
    const after = await prepareUserModule(file)
    expect(after.sha256).not.toBe(before.sha256)
    expect((await importUserModule(file))['value']).toBe(2)
  })

  it('keeps its own place in import.meta', async () => {
    await mkdir(join(home, 'node_modules'))
    const file = await write('where.ts', 'export const url: string = import.meta.url')
    expect((await importUserModule(file))['url']).toBe(pathToFileURL(file).href)
  })

  it('takes JavaScript as it is', async () => {
    const file = await write('plain.mjs', 'export const value = 3')
    expect((await prepareUserModule(file)).path).toBe(file)
    expect((await importUserModule(file))['value']).toBe(3)
  })

  it('names the place of a syntax error, a missing file and a foreign ending in one line', async () => {
    const file = await write('broken.ts', 'export const value =\nconst other = 1\n')
    const failure = await prepareUserModule(file).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(ConfigError)
    expect((failure as Error).message).toMatch(/broken\.ts:2:1: /)
    expect((failure as Error).message).not.toContain('\n')
    await expect(prepareUserModule(join(home, 'absent.ts'))).rejects.toThrow(/module: no such file/)
    await expect(prepareUserModule(await write('notes.txt', ''))).rejects.toThrow('expected a .ts or .js file, got .txt')
  })
})
