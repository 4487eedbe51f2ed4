import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { ConfigError, DataError } from '../errors.ts'
import { cacheFolder, candidates, dataRoots } from './files/search-path.ts'
import { load, loadEntry, whereIs } from './load.ts'
import { type DatasetId, datasetIds, registry } from './registry.ts'
import { registryEntries } from './registry-entries.ts'
import { resolveSource } from './resolve-source.ts'
import { split } from './split.ts'
import { standardise } from './standardise.ts'
import { take } from './take.ts'

// What tests verify and fetch goes into a cache of their own; what the user's cache has is found as a data folder.
const ownCache = await mkdtemp(join(tmpdir(), 'tutti-cache-'))
process.env['TUTTI_DATA'] = [process.env['TUTTI_DATA'], cacheFolder()].filter(Boolean).join(delimiter)
process.env['XDG_CACHE_HOME'] = ownCache
afterAll(() => rm(ownCache, { recursive: true, force: true }))

const fileIds = Object.keys(registryEntries) as (keyof typeof registryEntries)[]
const found: Partial<Record<DatasetId, boolean>> = {}
for (const id of fileIds) {
  found[id] = (await whereIs(id)).found
  if (!found[id]) console.log(`data: ${id} is in none of ${dataRoots().join(', ')}; its tests are skipped`)
}

describe('registry', () => {
  it('lists real sets and generators with their licences', () => {
    expect(datasetIds).toContain('mnist')
    expect(datasetIds).toContain('linear')
    for (const id of datasetIds) {
      const row = registry[id]
      expect(row.id).toBe(id)
      expect(row.licence).not.toBe('')
      if (row.kind === 'files')
        for (const { sha256, contentBytes } of row.entry.files) expect(`${sha256} ${contentBytes}`).toMatch(/^[0-9a-f]{64} \d+$/)
      if (row.sizes) expect(row.sizes.S).toBeLessThan(row.sizes.M)
    }
  })
})

describe.each(fileIds)('%s', (id) => {
  it.skipIf(!found[id])('loads with the rows that are registered', async () => {
    const row = registry[id]
    const dataset = await load(id)
    expect(dataset.rows).toBe(row.rows)
    expect(dataset.test?.rows ?? 0).toBe(row.testRows)
    const named = ['classification', 'language modelling', 'translation']
    expect(dataset.classes !== undefined).toBe(named.includes(row.task))
    expect(dataset.missingValues).toBeUndefined()
    for (const part of [dataset, dataset.test]) {
      if (!part) continue
      if (part.features.dtype !== 'uint8') expect(part.features.values.every(Number.isFinite)).toBe(true)
      expect(part.features.shape.slice(1)).toEqual(dataset.features.shape.slice(1))
      if (!dataset.classes) continue
      const labels = new Set(Array.from(part.target!.values).filter((label) => label >= 0))
      // Of a vocabulary not every word is a target.
      if (row.task === 'classification') expect(labels.size).toBe(dataset.classes.length)
      else expect(Math.max(...labels)).toBeLessThan(dataset.classes.length)
    }
  })

  it.skipIf(!found[id])('is found again by its source', async () => {
    const rows = Math.min(100, registry[id].rows)
    const dataset = await load(id, { rows })
    const again = await resolveSource(structuredClone(dataset.source!))
    expect(again.hash).toBe(dataset.hash)
    expect(again.rows).toBe(rows)
    if (!dataset.test) return
    const test = await resolveSource(structuredClone(dataset.test.source!))
    expect(test.hash).toBe(dataset.test.hash)
  })
})

describe('known contents', () => {
  it.skipIf(!found.mnist)('mnist: bytes, labels and mean pixel of the originals', async () => {
    const mnist = await load('mnist')
    expect(mnist.features).toMatchObject({ dtype: 'uint8', shape: [60_000, 28, 28] })
    expect(mnist.normalize).toEqual({ scale: 1 / 255, shift: 0 })
    expect([...mnist.target!.values.subarray(0, 10)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4])
    expect([...mnist.test!.target!.values.subarray(0, 5)]).toEqual([7, 2, 1, 0, 4])
    let sum = 0
    for (const pixel of mnist.features.values) sum += pixel
    expect(sum / mnist.features.values.length / 255).toBeCloseTo(0.1307, 4)
  })

  it.skipIf(!found.a9a)('a9a: counts of the positive class', async () => {
    const a9a = await load('a9a')
    const positive = (values: ArrayLike<number>): number => Array.from(values).filter((label) => label === 1).length
    expect(a9a.features.shape).toEqual([32_561, 123])
    expect([positive(a9a.target!.values), positive(a9a.test!.target!.values)]).toEqual([7841, 3846])
  })

  it.skipIf(!found.adult)('adult: one coding of categories for both files', async () => {
    const adult = await load('adult', { testRows: 500 })
    expect(adult.featureNames?.[1]).toBe('workclass')
    expect(adult.categories?.[1]).toContain('?')
    expect(adult.test!.categories).toEqual(adult.categories)
    expect(adult.categories?.[1]?.[adult.features.values[1]!]).toBe('State-gov')
    expect(adult.test!.categories?.[1]?.[adult.test!.features.values[1]!]).toBe('Private')
    expect(adult.test!.rows).toBe(500)
  })

  it.skipIf(!found.covtype)('covtype: 1,620 training and 540 evaluation rows of each class', async () => {
    const covtype = await load('covtype')
    const counts = (values: ArrayLike<number>): number[] =>
      covtype.classes!.map((_, label) => Array.from(values).filter((own) => own === label).length)
    expect(counts(covtype.target!.values)).toEqual(Array(7).fill(1620))
    expect(counts(covtype.test!.target!.values)).toEqual(Array(7).fill(540))
  })

  it.skipIf(!found.pendigits)('pendigits: rows of each digit', async () => {
    const { target, classes } = await load('pendigits')
    const counts = classes!.map((_, label) => Array.from(target!.values).filter((own) => own === label).length)
    expect(counts).toEqual([780, 779, 780, 719, 780, 720, 720, 778, 719, 719])
  })

  it.skipIf(!found.housing)('housing: first row and mean price', async () => {
    const housing = await load('housing')
    expect(housing.features.values[0]).toBe(Math.fround(0.00632))
    expect(housing.features.shape).toEqual([506, 13])
    expect(Float64Array.from(housing.target!.values).reduce((a, b) => a + b, 0) / 506).toBeCloseTo(22.5328, 3)
  })
})

describe('options', () => {
  it('refuses unknown ids, options and sizes', async () => {
    await expect(load('minst' as DatasetId)).rejects.toThrow(
      /^data: there is no such data set — expected one of .*, got "minst" \(did you mean mnist\?\)$/,
    )
    await expect(load(undefined as never)).rejects.toThrow(/got nothing \(tutti data lists them\)$/)
    await expect(load('linear', { row: 5 } as object)).rejects.toThrow(
      /^data: linear: no option row — expected rows, .* \(did you mean rows\?\)$/,
    )
    await expect(load('iris', { dims: 5 })).rejects.toThrow(ConfigError)
    await expect(load('iris', { size: 'S' })).rejects.toThrow(/iris has no size S — expected no size/)
    await expect(load('iris', { signal: AbortSignal.abort() })).rejects.toThrow(/loading iris was stopped/)
  })

  it.skipIf(!found.mnist || !found.iris)('takes sizes and parts', async () => {
    const small = await load('mnist', { size: 'S', testRows: 100 })
    expect([small.rows, small.test!.rows]).toEqual([6000, 100])
    expect(small.hash).toBe(take(await load('mnist', { testRows: 0 }), 6000).hash)
    const test = await load('mnist', { part: 'test', testRows: 100 })
    expect(test.hash).toBe(small.test!.hash)
    await expect(load('mnist', { rows: 60_001 })).rejects.toThrow(/expected 1 to 60000, got 60001/)
    await expect(load('iris', { part: 'test' })).rejects.toThrow(/iris comes without evaluation rows/)
  })

  it('generates by id', async () => {
    const linear = await load('linear', { rows: 30, dims: 4, seed: 5, testRows: 10 })
    expect(linear.features.shape).toEqual([30, 4])
    expect((await resolveSource(linear.source!)).hash).toBe(linear.hash)
    expect((await resolveSource(linear.test!.source!)).hash).toBe(linear.test!.hash)
    expect((await load('linear', { size: 'S', dims: 2, testRows: 0 })).rows).toBe(10_000)
  })
})

describe('resolveSource', () => {
  it('makes derived sets again', async () => {
    const base = await load('blobs', { rows: 60, dims: 3, classes: 3, testRows: 12 })
    const [train, test] = split(base, { test: 0.25, stratify: true, seed: 3 })
    const sets = [train, test, standardise(base), standardise(train), standardise(base).test!, take(test, 5), take(standardise(train), 7)]
    for (const set of sets) {
      const again = await resolveSource(structuredClone(set.source!))
      expect(again.hash).toBe(set.hash)
    }
    expect(new Set(sets.map(({ hash }) => hash)).size).toBe(sets.length)
  })
})

describe('search path', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tutti-load-'))
  })
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
  })
  beforeEach(() => {
    vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'))
  })
  afterEach(() => {
    vi.unstubAllEnvs()
  })

  it('is TUTTI_DATA, ./data, ../shared/data, the cache', () => {
    const environment = { TUTTI_DATA: '/one:/two', XDG_CACHE_HOME: '/c' }
    expect(dataRoots(environment, '/home/me/project')).toEqual([
      '/one',
      '/two',
      '/home/me/project/data',
      '/home/me/shared/data',
      '/c/tutti',
    ])
    expect(dataRoots({ HOME: '/home/me' }, '/p')).toHaveLength(3)
    expect(candidates('/r', ['a', 'b'], 'f.gz')).toEqual(['/r/a/f.gz', '/r/a/f', '/r/b/f.gz', '/r/b/f', '/r/f.gz', '/r/f'])
    expect(candidates('/r', ['a'], 'f.csv')).toEqual(['/r/a/f.csv', '/r/a/f.csv.gz', '/r/f.csv', '/r/f.csv.gz'])
  })

  it.skipIf(!found.iris)('takes the file plain or packed, in a folder or not, and remembers that it was right', async () => {
    const { paths } = await whereIs('iris')
    const content = await readFile(paths[0]!)
    const own = join(folder, 'own')
    await mkdir(join(own, 'iris'), { recursive: true })
    await writeFile(join(own, 'iris', 'iris.csv.gz'), gzipSync(content))
    vi.stubEnv('TUTTI_DATA', own)
    const phases = new Set<string>()
    const dataset = await load('iris', { onProgress: ({ phase }) => phases.add(phase) })
    expect([...phases]).toEqual(['verify', 'read'])
    expect(dataset.rows).toBe(150)
    const again = new Set<string>()
    await load('iris', { onProgress: ({ phase }) => again.add(phase) })
    expect([...again]).toEqual(['read'])
    const store = JSON.parse(await readFile(join(folder, 'cache', 'tutti', 'verified.json'), 'utf8')) as Record<string, { sha256: string }>
    expect(store[join(own, 'iris', 'iris.csv.gz')]!.sha256).toBe(registryEntries.iris.files[0].sha256)
  })

  it.skipIf(!found.pendigits)('passes over a copy with another content', async () => {
    const own = join(folder, 'bad')
    await mkdir(own)
    await writeFile(join(own, 'pendigits.tra'), '1,2,3\n')
    vi.stubEnv('TUTTI_DATA', [own, process.env['TUTTI_DATA']].filter(Boolean).join(delimiter))
    expect((await load('pendigits', { rows: 10 })).rows).toBe(10)
  })

  it('says where it looked, and what mends it', async () => {
    const empty = join(folder, 'empty')
    await mkdir(empty)
    await writeFile(join(empty, 'a9a'), 'other')
    vi.stubEnv('TUTTI_DATA', '')
    vi.spyOn(process, 'cwd').mockReturnValue(join(empty, 'deep', 'er'))
    const error: unknown = await load('a9a').catch((thrown: unknown) => thrown)
    const offline: unknown = await load('mnist', { offline: true, folder: empty }).catch((thrown: unknown) => thrown)
    vi.restoreAllMocks()
    expect(error).toBeInstanceOf(DataError)
    const { message } = error as DataError
    expect(message).toMatch(/^data: a9a was not found — expected a9a\.gz with SHA-256 f5d5ffd8/)
    for (const root of ['empty/deep/er/data/a9a', 'empty/deep/shared/data/a9a', 'cache/tutti/a9a'])
      expect(message).toContain(join(folder, root))
    expect(message).toMatch(/\(put it into \.\/data\/a9a\/, or set TUTTI_DATA to the folder that has a9a\/\)$/)
    expect((offline as DataError).message).toMatch(/fetching is switched off; it is at https:/)
  })

  it.skipIf(!found.mnist)('fetches what is missing into the cache', async () => {
    const { paths } = await whereIs('mnist')
    const served = new Map<string, Buffer>()
    for (const path of paths) served.set(path!.split('/').at(-1)!, await readFile(path!))
    const server = createServer((request, response) => {
      const name = request.url!.split('/').at(-1)!
      const body = served.get(name)
      // Another compression of the same content.
      if (body) response.end(name.includes('labels') ? gzipSync(gunzipSync(body), { level: 1 }) : body)
      else response.writeHead(404).end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const mnist = registry['mnist']
    if (mnist.kind !== 'files') throw new Error('mnist is a set of files')
    const local = { ...mnist.entry, files: mnist.entry.files.map((file) => ({ ...file, urls: [`${base}/${file.name}`] })) }
    vi.stubEnv('TUTTI_DATA', '')
    vi.spyOn(process, 'cwd').mockReturnValue(join(folder, 'nothing', 'here'))
    try {
      const phases = new Set<string>()
      const dataset = await loadEntry(local, { rows: 10, testRows: 10 }, { onProgress: ({ phase }) => phases.add(phase) })
      expect(dataset.rows).toBe(10)
      expect(phases).toContain('download')
      expect((await readFile(join(folder, 'cache', 'tutti', 'mnist', 'train-images-idx3-ubyte.gz'))).length).toBeGreaterThan(9e6)
      const again = new Set<string>()
      await loadEntry(local, { rows: 10 }, { onProgress: ({ phase }) => again.add(phase) })
      expect(again).not.toContain('download')
    } finally {
      vi.restoreAllMocks()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  })
})
