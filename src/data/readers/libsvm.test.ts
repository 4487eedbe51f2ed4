import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testReader } from '../../../tests/contracts/reader-contract.ts'
import { libsvm } from './libsvm.ts'

const good = '+1 1:0.5 3:2\n-1 2:1 3:4 # comment\n\n+1 3:-1e2 \n'

testReader({
  reader: libsvm,
  good: {
    files: { 'x.libsvm': good },
    features: [
      [0.5, 0, 2],
      [0, 1, 4],
      [0, 0, -100],
    ],
    target: [1, 0, 1],
    classes: ['-1', '1'],
  },
  truncated: {
    files: { 'x.libsvm': '+1 1:0.5 3:2\n-1 2:' },
    message: /x\.libsvm line 2: an entry cannot be read — expected index:value, got '2:'/,
  },
  malformed: { files: { 'x.libsvm': '+1 1:1\n-1 3:1 2:1\n' }, message: /line 2: the indices do not rise .* got 2 after 3/ },
  badLabel: { files: { 'x.libsvm': '+1 1:1\nnan 2:1\n' }, message: /line 2: the label cannot be used — expected a label, got 'nan'/ },
  unknownLabel: {
    files: { 'x.libsvm': '+1 1:1\n2 2:1\n' },
    options: { classes: ['-1', '1'] },
    message: /line 2: .* expected one of the classes -1, 1, got '2'/,
  },
})

describe('libsvm', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tutti-libsvm-'))
  })
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
  })
  const put = async (text: string): Promise<string> => {
    await writeFile(join(folder, 'x'), text)
    return join(folder, 'x')
  }

  it('takes the number of features as given', async () => {
    const dataset = await libsvm.read(await put('1 1:1\n0 2:1\n'), { dims: 4, dtype: 'float64' })
    expect(dataset.features.shape).toEqual([2, 4])
    expect(dataset.features.values).toEqual(Float64Array.of(1, 0, 0, 0, 0, 1, 0, 0))
    await expect(libsvm.read(await put('1 5:1\n'), { dims: 4 })).rejects.toThrow(
      /line 1: an index is too large — expected at most 4, got 5/,
    )
  })

  it('says how to read indices from 0', async () => {
    await expect(libsvm.read(await put('1 0:1\n'))).rejects.toThrow(/got index 0 \(files that count from 0 are read with indexBase: 0\)/)
    expect((await libsvm.read(await put('1 0:1 1:2\n'), { indexBase: 0 })).features.values).toEqual(Float32Array.of(1, 2))
  })

  it('reads real-valued targets', async () => {
    const dataset = await libsvm.read(await put('0.25 1:1\n1.5 1:2\n'))
    expect(dataset.classes).toBeUndefined()
    expect(dataset.target).toEqual({ dtype: 'float32', shape: [2], values: Float32Array.of(0.25, 1.5) })
  })

  it('refuses a line without a label', async () => {
    await expect(libsvm.read(await put('1:1 2:1\n'))).rejects.toThrow(/line 1: the line has no label/)
  })

  it('refuses rows that are too many for a dense array', async () => {
    const line = '1 2000000000:1\n'
    await expect(libsvm.read(await put(line))).rejects.toThrow(/too large as dense rows — expected at most 4 GiB/)
  })
})
