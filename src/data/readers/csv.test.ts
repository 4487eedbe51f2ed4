import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testReader } from '../../../tests/contracts/reader-contract.ts'
import { csv, tsv } from './csv.ts'
import { recordSplitter } from './csv-record.ts'

const rows = [
  [1, 2.5],
  [3, -4],
  [5, 6e3],
]
const table = (delimiter: string): string => rows.map((row, i) => [...row, i === 1 ? 'no' : 'yes'].join(delimiter)).join('\n')

for (const [reader, delimiter, name] of [
  [csv, ',', 'x.csv'],
  [tsv, '\t', 'x.tsv'],
] as const) {
  testReader({
    reader,
    good: { files: { [name]: `${table(delimiter)}\r\n\n` }, features: rows, target: [1, 0, 1], classes: ['no', 'yes'] },
    truncated: {
      files: { [name]: table(delimiter).slice(0, -5) },
      message: /line 3: another number of fields — expected 3 as in the first line, got 2/,
    },
    malformed: {
      files: { [name]: `${table(delimiter)}\n7${delimiter}8${delimiter}9${delimiter}yes` },
      message: /line 4: another number of fields .* got 4/,
    },
    badLabel: {
      files: { [name]: `1${delimiter}0\n2${delimiter}NaN\n` },
      message: /line 2: column 1 cannot be used as label — expected a label, got 'NaN'/,
    },
    unknownLabel: {
      files: { [name]: table(delimiter) },
      options: { classes: ['yes', 'maybe'] },
      message: /line 2: .* expected one of the classes yes, maybe, got 'no'/,
    },
  })
}

describe('csv', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tutti-csv-'))
  })
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
  })
  const put = async (text: string): Promise<string> => {
    await writeFile(join(folder, 'x.csv'), text)
    return join(folder, 'x.csv')
  }

  it('finds delimiter and header', async () => {
    for (const delimiter of [',', ';', '\t', '|', ' ']) {
      const dataset = await csv.read(await put(`a${delimiter}b${delimiter}c\n1${delimiter}2${delimiter}3\n4${delimiter}5${delimiter}6\n`))
      expect(dataset.featureNames).toEqual(['a', 'b'])
      expect(dataset.features.values).toEqual(Float32Array.of(1, 2, 4, 5))
    }
  })

  it('reads aligned text', async () => {
    const dataset = await csv.read(await put('  1.0   2.0  3\n 10.0  20.0 30\n'), { task: 'regression' })
    expect(dataset.features.shape).toEqual([2, 2])
    expect([...dataset.target!.values]).toEqual([3, 30])
  })

  it('takes the label from any column', async () => {
    const path = await put('y,a,b\n0,1,2\n1,3,4\n')
    for (const label of ['first', 'y', 0, -3] as const) {
      const dataset = await csv.read(path, { label })
      expect(dataset.featureNames).toEqual(['a', 'b'])
      expect([...dataset.target!.values]).toEqual([0, 1])
    }
    expect((await csv.read(path, { label: 'none' })).target).toBeUndefined()
    await expect(csv.read(path, { label: 'z' })).rejects.toThrow(/there is no column 'z' — expected one of y, a, b/)
    await expect(csv.read(path, { label: 7 })).rejects.toThrow(/there is no column 7 — expected 0 to 2/)
  })

  it('numbers categories in sorted order and keeps their names', async () => {
    const dataset = await csv.read(await put('red,1,a\nblue,2,b\nred,3,a\n'))
    expect(dataset.categories).toEqual([['blue', 'red'], null])
    expect(dataset.features.values).toEqual(Float32Array.of(1, 1, 0, 2, 1, 3))
    const again = await csv.read(await put('green,1,a\n'), { categories: [['green', 'blue'], null], categorical: [0], classes: ['b', 'a'] })
    expect(again.features.values).toEqual(Float32Array.of(0, 1))
    expect([...again.target!.values]).toEqual([1])
    await expect(csv.read(await put('grey,1,a\n'), { categories: [['green'], null], categorical: [0] })).rejects.toThrow(
      /line 1: column 0 has an unknown category/,
    )
  })

  it('treats missing values as it is told', async () => {
    const path = await put('1,?,a\n3,4,b\n,8,a\n')
    const kept = await csv.read(path)
    expect(kept.missingValues).toBe(2)
    expect(kept.features.values).toEqual(Float32Array.of(1, Number.NaN, 3, 4, Number.NaN, 8))
    const filled = await csv.read(path, { missing: 'mean' })
    expect(filled.missingValues).toBeUndefined()
    expect(filled.features.values).toEqual(Float32Array.of(1, 6, 3, 4, 2, 8))
    const dropped = await csv.read(path, { missing: 'drop' })
    expect(dropped.features.values).toEqual(Float32Array.of(3, 4))
    expect([...dropped.target!.values]).toEqual([0])
    expect(dropped.classes).toEqual(['b'])
    await expect(csv.read(path, { missing: 'error' })).rejects.toThrow(/line 1: 1 missing value/)
    const coded = await csv.read(await put('-999,1,a\n2,3,b\n'), { missingValues: ['-999'] })
    expect(coded.features.values).toEqual(Float32Array.of(Number.NaN, 1, 2, 3))
  })

  it('fills a category with the most frequent', async () => {
    const dataset = await csv.read(await put('x,1,a\n?,1,a\ny,1,a\ny,1,b\n'), { missing: 'mean' })
    expect([...dataset.features.values].filter((_, i) => i % 2 === 0)).toEqual([0, 1, 1, 1])
  })

  it('names a field that is not a number', async () => {
    await expect(csv.read(await put('h,y\n1,0\n2,1\nx2,0\n'))).rejects.toThrow(
      /x\.csv line 4: column 0 \(h\) is not a number — expected a number, got 'x2'/,
    )
    await expect(csv.read(await put('1,0\n1e999,1\n3,1'))).rejects.toThrow(/line 2: column 0 is not a number/)
  })

  it('reads quoted fields, over several lines too', async () => {
    const dataset = await csv.read(await put('name,v,y\n"a, ""b""",1,p\n"two\nlines",2,q\nplain,3,p\n'))
    expect(dataset.categories).toEqual([['a, "b"', 'plain', 'two\nlines'], null])
    expect(dataset.rows).toBe(3)
    await expect(csv.read(await put('1,2,p\n"open,3,q\n4,5,p\n'))).rejects.toThrow(/line 2: a quoted field does not end/)
    await expect(csv.read(await put('1,"2\n",p\n3,4\n'))).rejects.toThrow(/line 3: another number of fields/)
  })

  it('tells classes from values', async () => {
    expect((await csv.read(await put('1,0\n2,5\n'))).classes).toEqual(['0', '5'])
    expect((await csv.read(await put('1,0.5\n2,5\n'))).classes).toBeUndefined()
    const many = Array.from({ length: 30 }, (_, i) => `1,${i}`).join('\n')
    expect((await csv.read(await put(many))).target!.dtype).toBe('float32')
    expect((await csv.read(await put(many), { task: 'classification' })).classes).toHaveLength(30)
    expect((await csv.read(await put('1,10\n1,9\n1,+9.0\n'))).classes).toEqual(['9', '10'])
    await expect(csv.read(await put('1,10\n1,x\n'), { task: 'regression' })).rejects.toThrow(
      /line 2: .* expected a finite number as label, got 'x'/,
    )
  })

  it('reads more rows than it looks at first, with a late fault', async () => {
    const lines = Array.from({ length: 40_000 }, (_, i) => `${i},${i * 2},${i % 3}`)
    const dataset = await csv.read(await put(lines.join('\n')))
    expect(dataset.rows).toBe(40_000)
    expect(dataset.features.values[79_999]).toBe(79_998)
    expect(dataset.target!.values[39_998]).toBe(39_998 % 3)
    lines[30_000] = '1,oops,0'
    await expect(csv.read(await put(lines.join('\n')))).rejects.toThrow(/line 30001: column 1 is not a number/)
  })

  it('refuses text without columns', async () => {
    await expect(csv.read(await put('one line of prose\nanother one\n'), { delimiter: ',' })).rejects.toThrow(
      /line 1: there are no features/,
    )
    expect((await csv.read(await put('1\n2\n'), { label: 'none' })).features.shape).toEqual([2, 1])
  })

  it('refuses a file with a header only', async () => {
    await expect(csv.read(await put('a,b\n'), { header: true })).rejects.toThrow(/there are no rows .* got only a header/)
  })

  it('ignores a byte-order mark and columns by name', async () => {
    const dataset = await csv.read(await put('\uFEFFid,a,y\nx7,1,0\nx8,2,1\n'), { ignore: ['id'] })
    expect(dataset.featureNames).toEqual(['a'])
    expect(dataset.features.values).toEqual(Float32Array.of(1, 2))
  })
})

describe('recordSplitter', () => {
  it('splits what was joined by RFC 4180', () => {
    const quote = (field: string): string => (/[",\n]/.test(field) || field.trim() !== field ? `"${field.replaceAll('"', '""')}"` : field)
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 6 }), (fields) => {
        expect(recordSplitter(',')(fields.map(quote).join(','))?.map((field) => field)).toEqual(fields)
      }),
    )
  })
})
