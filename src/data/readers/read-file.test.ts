import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConfigError } from '../../errors.ts'
import { resolveSource } from '../resolve-source.ts'
import { readers } from './index.ts'
import { readCsv, readFile, readIdx, readLibsvm } from './read-file.ts'

describe('readFile', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tutti-read-'))
  })
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
  })
  const put = async (name: string, content: string | Uint8Array): Promise<string> => {
    await writeFile(join(folder, name), content)
    return join(folder, name)
  }
  const idx = Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4)
  const files = {
    'a.csv': ['1,2,0\n3,4,1\n', 'csv'],
    'a.tsv': ['1\t2\t0\n3\t4\t1\n', 'tsv'],
    'a.data': ['1 2 0\n3 4 1\n', 'csv'],
    'b.data': ['-1 1:1 2:2\n+1 1:3 2:4\n', 'libsvm'],
    'a9a.t': ['-1 1:1 2:2\n+1 1:3 2:4\n', 'libsvm'],
    'no-name': ['1;2;0\n3;4;1\n', 'csv'],
    'x-idx2-ubyte': [idx, 'idx'],
    other: [idx, 'idx'],
  } as const

  it.each(Object.entries(files))('finds the reader of %s by name or content, packed or not', async (name, [content, reader]) => {
    for (const path of [await put(name, content), await put(`${name}.gz`, gzipSync(content))]) {
      const dataset = await readFile(path)
      expect([...dataset.features.values]).toEqual([1, 2, 3, 4])
      expect(dataset.source).toEqual({ kind: 'file', path, reader, options: {} })
      expect((await resolveSource(structuredClone(dataset.source!))).hash).toBe(dataset.hash)
    }
  })

  it('takes the reader and its options as they are given', async () => {
    const dataset = await readFile(await put('odd.bin', 'y,a\n1,2\n'), { reader: 'csv', header: true, label: 'y' })
    expect(dataset.featureNames).toEqual(['a'])
    expect((await resolveSource(dataset.source!)).hash).toBe(dataset.hash)
    expect((await readCsv(await put('s', '1,2\n'), { label: 'none' })).features.shape).toEqual([1, 2])
    expect((await readLibsvm(await put('l', '1 2:5\n'))).features.shape).toEqual([1, 2])
    expect((await readIdx(await put('i', idx))).features.shape).toEqual([2, 2])
  })

  it('refuses what no reader knows', async () => {
    await expect(readFile(await put('x', Uint8Array.of(7, 0, 0, 1)))).rejects.toThrow(
      /the format is not known — expected idx, cifar, csv, tsv, libsvm/,
    )
    await expect(readFile(await put('y', ''))).rejects.toThrow(/there is nothing to read/)
    await expect(readFile(await put('z', '1,2'), { reader: 'xml' as 'csv' })).rejects.toThrow(ConfigError)
    await expect(readCsv(join(folder, 'z'), { rows: 0 })).rejects.toThrow(/rows cannot be 0/)
  })

  it('has every reader under its own id', () => {
    for (const [id, reader] of Object.entries(readers)) expect(reader.id).toBe(id)
  })
})
