import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../errors.ts'
import { Batches } from '../batches.ts'
import type { Dataset, Tensor } from '../dataset.ts'
import { load, whereIs } from '../load.ts'
import { partition } from '../partition.ts'
import type { CorpusId } from './index.ts'
import { corpora } from './index.ts'

interface Golden {
  readonly ptb: { readonly words: number; readonly rows: number; readonly features: number; readonly targets: number }
  readonly multi30k: { readonly source: number; readonly target: number; readonly features: number; readonly targets: number }
  readonly tinyshakespeare: { readonly signs: number; readonly rows: number; readonly features: number; readonly targets: number }
  readonly cora: { readonly features: number; readonly testTopics: number; readonly sum: number }
}

const golden = JSON.parse(await readFile(new URL('../../../tests/golden/text-sets.json', import.meta.url), 'utf8')) as Golden
const found = {} as Record<CorpusId, boolean>
for (const id of Object.keys(corpora) as CorpusId[]) found[id] = (await whereIs(id)).found

/** As tests/golden/text_sets.py has it. */
function digest({ values }: Pick<Tensor, 'values'>): number {
  let sum = 0
  for (let n = 0; n < values.length; n++) sum += ((n % 997) + 1) * (values[n]! + 2)
  return sum
}

const rowOf = ({ values, shape }: Tensor, row: number): number[] => {
  const width = values.length / shape[0]!
  return [...values.subarray(row * width, (row + 1) * width)]
}

const wordsOf = (dataset: Dataset, ids: readonly number[], names: readonly string[] = dataset.vocabulary!): string =>
  ids.map((id) => names[id]).join(' ')

describe.skipIf(!found.ptb)('ptb', () => {
  it('has the windows and ids of a second implementation', async () => {
    const quarter = await load('ptb', { size: 'M' })
    expect(quarter.vocabulary).toHaveLength(golden.ptb.words)
    expect(quarter.rows).toBe(golden.ptb.rows)
    expect(digest(quarter.features)).toBe(golden.ptb.features)
    expect(digest(quarter.target!)).toBe(golden.ptb.targets)
  })

  it('lets every stream run on from batch to batch, also in the evaluation text', async () => {
    const small = await load('ptb', { tokens: 4000, streams: 4, window: 10 })
    const batches = new Batches({ rows: small.rows, globalBatchSize: 4, order: small.order })
    for (let batch = 0; batch + 1 < batches.batchesPerEpoch; batch++) {
      const [now, next] = [0, 1].map((ahead) => [...batches.at(1, batch + ahead).rows])
      for (const q of [0, 3]) expect(rowOf(small.target!, now![q]!).at(-1)).toBe(rowOf(small.features, next![q]!)[0])
    }
    const { test } = small
    expect(test!.target!.values.filter((id) => id >= 0)).toHaveLength(4 * (Math.floor(73_760 / 4) - 1))
    expect(wordsOf(small, rowOf(test!.features, 0))).toBe('consumers may want to move their telephones a little closer')
  })

  it('refuses what gives no window', async () => {
    await expect(load('ptb', { tokens: 300 })).rejects.toThrow(/there is no window — expected at least 720 tokens .*, got 300/)
    await expect(load('ptb', { streams: 0 })).rejects.toThrow(ConfigError)
    await expect(load('ptb', { length: 5 })).rejects.toThrow(/ptb: no option length — expected .*tokens, window, streams/)
  })
})

describe.skipIf(!found.tinyshakespeare)('tinyshakespeare', () => {
  it('evaluates on the last tenth, window after window', async () => {
    const { test, vocabulary } = await load('tinyshakespeare', { rows: 1 })
    expect(vocabulary).toHaveLength(golden.tinyshakespeare.signs)
    expect(test!.rows).toBe(golden.tinyshakespeare.rows)
    expect(digest(test!.features)).toBe(golden.tinyshakespeare.features)
    expect(digest(test!.target!)).toBe(golden.tinyshakespeare.targets)
  })

  it('draws windows by seed, each with the next character as target', async () => {
    const [one, again, other] = await Promise.all([
      load('tinyshakespeare', { rows: 64, window: 16 }),
      load('tinyshakespeare', { rows: 40, window: 16 }),
      load('tinyshakespeare', { rows: 40, window: 16, seed: 2 }),
    ])
    expect(again.features.values).toEqual(one.features.values.subarray(0, 40 * 16))
    expect(other.hash).not.toBe(again.hash)
    expect(new Set(Array.from({ length: 64 }, (_, row) => rowOf(one.features, row).join())).size).toBeGreaterThan(60)
    for (const row of [0, 63]) expect(rowOf(one.target!, row).slice(0, -1)).toEqual(rowOf(one.features, row).slice(1))
    expect([...new Batches({ rows: 64, globalBatchSize: 4, order: one.order }).at(3, 1).rows]).toEqual([4, 5, 6, 7])
  })
})

describe.skipIf(!found.multi30k)('multi30k', () => {
  it('has the words and ids of a second implementation', async () => {
    const pairs = await load('multi30k')
    expect([pairs.vocabulary!.length, pairs.classes!.length]).toEqual([golden.multi30k.source, golden.multi30k.target])
    expect(digest(pairs.features)).toBe(golden.multi30k.features)
    expect(digest(pairs.target!)).toBe(golden.multi30k.targets)
  })

  it('reads as source, translation and what comes next', async () => {
    const { features, target, vocabulary, classes } = await load('multi30k', { rows: 1, length: 12 })
    const row = rowOf(features, 0)
    const names = { vocabulary } as Dataset
    expect(wordsOf(names, row.slice(0, 13))).toBe('two young , white males are outside near many bushes . <end> <pad>')
    expect(wordsOf(names, row.slice(13), classes)).toBe('<begin> zwei junge weiße männer sind im freien in der nähe vieler <unknown>')
    const next = rowOf(target!, 0)
    expect(wordsOf(names, next, classes)).toBe('zwei junge weiße männer sind im freien in der nähe vieler <unknown> <end>')
  })
})

describe('imdb and r8', () => {
  it.skipIf(!found.imdb)('imdb: both classes in turn, words that are frequent in the training part', async () => {
    const reviews = await load('imdb', { rows: 6, vocabulary: 500, length: 16 })
    expect([...reviews.target!.values]).toEqual([0, 1, 0, 1, 0, 1])
    expect(reviews.vocabulary).toHaveLength(500)
    expect(wordsOf(reviews, rowOf(reviews.features, 0))).toBe(
      '<begin> <unknown> <unknown> plays the most <unknown> <unknown> <unknown> of all time . this movie is',
    )
    expect(Array.from(reviews.test!.target!.values).filter((label) => label === 1)).toHaveLength(2500)
  })

  it.skipIf(!found.r8)('r8: stories of each topic as published', async () => {
    const { target, classes, test } = await load('r8')
    const counts = (values: ArrayLike<number>): number[] =>
      classes!.map((_, label) => Array.from(values).filter((own) => own === label).length)
    expect(counts(target!.values)).toEqual([1596, 253, 2840, 41, 190, 206, 108, 251])
    expect(counts(test!.target!.values)).toEqual([696, 121, 1083, 10, 81, 87, 36, 75])
  })
})

it.skipIf(!found.movielens)('movielens: users and films by number, a tenth of the ratings apart', async () => {
  const { features, target, categories, rows, test } = await load('movielens')
  expect(features.dtype).toBe('int32')
  expect(categories!.map((names) => names!.length)).toEqual([671, 9066])
  const mean = (part: Dataset): number => Array.from(part.target!.values).reduce((sum, stars) => sum + stars, 0) / part.rows
  expect((mean({ target, rows } as Dataset) * rows + mean(test!) * test!.rows) / (rows + test!.rows)).toBeCloseTo(3.5436, 4)
  expect([categories![0]![features.values[0]!], categories![1]![features.values[1]!], target!.values[0]]).toEqual(['1', '31', 2.5])
  expect(() => partition({ name: 'x', rows, target: target! }, 2, { kind: 'byLabel' })).toThrow(/has no classes/)
})

it.skipIf(!found.cora)('cora: one row with its edges, words as shares, topics of each part', async () => {
  const graph = await load('cora')
  expect(graph.features.shape).toEqual([1, 2708, 1433])
  expect(graph.edges!.shape).toEqual([5278, 2])
  const micros = { values: Float32Array.from(graph.features.values, (share) => Math.round(share * 1e6)) }
  expect(digest(micros)).toBe(golden.cora.features)
  expect(digest(graph.test!.target!)).toBe(golden.cora.testTopics)
  const counts = graph.classes!.map((_, topic) => graph.target!.values.filter((own) => own === topic).length)
  expect(counts).toEqual(Array(7).fill(20))
})
