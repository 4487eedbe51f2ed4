import { DataError } from '../../errors.ts'
import type { Dataset } from '../dataset.ts'
import { faultText } from '../fault-text.ts'
import { makeDataset } from '../make-dataset.ts'
import type { ReadContext } from '../read-context.ts'
import { type Corpus, wholeOption } from './corpus.ts'
import { readLines } from './read-content.ts'
import { beginId, countVocabulary, endId, tokenise, type Vocabulary } from './vocabulary.ts'

/** Rows whose words make the vocabularies, however many are loaded. */
const vocabularyRows = 10_000

/**
 * English sentences and their German translations. A row of length L = `length` + 1 each: source words and end, then begin and target words; the
 * target is target words and end, −1 after it. Vocabularies: words that come twice in the first 10,000 training rows.
 *
 *     features   a dog runs . <end> <pad> … │ <begin> ein hund rennt . <pad> …
 *     target                                  ein hund rennt . <end> −1 …
 *
 * @see D. Elliott, S. Frank, K. Sima'an, L. Specia, Multi30K: multilingual English-German image descriptions, 2016
 */
export const multi30k: Corpus = {
  options: ['length'],
  async read(name, paths, options, context) {
    const length = wholeOption(name, 'length', options.length ?? 40, 1)
    const texts: string[][][] = []
    for (const path of paths) texts.push(await readTokens(path, context))
    const [trainSource, trainTarget, testSource, testTarget] = texts as [string[][], string[][], string[][], string[][]]
    const [source, target] = [trainSource, trainTarget].map((text) => countVocabulary(text.slice(0, vocabularyRows), { leastCount: 2 }))
    return {
      train: paired(name, trainSource, trainTarget, source!, target!, length),
      test: paired(`${name} test`, testSource, testTarget, source!, target!, length),
    }
  },
}

async function readTokens(path: string, context: ReadContext): Promise<string[][]> {
  return (await readLines(path, context)).map(tokenise)
}

function paired(
  name: string,
  sources: readonly string[][],
  translations: readonly string[][],
  source: Vocabulary,
  target: Vocabulary,
  length: number,
): Dataset {
  const rows = sources.length
  if (translations.length !== rows) {
    throw new DataError(
      faultText(`${name}: the languages differ`, `${rows} sentences in both`, translations.length, 'fetch the files again'),
    )
  }
  const width = length + 1
  const features = new Int32Array(rows * 2 * width)
  const targets = new Int32Array(rows * width).fill(-1)
  for (let row = 0; row < rows; row++) {
    const own = idsOf(sources[row]!, source, length)
    const other = idsOf(translations[row]!, target, length)
    features.set([...own, endId], row * 2 * width)
    features.set([beginId, ...other], (row * 2 + 1) * width)
    targets.set([...other, endId], row * width)
  }
  return makeDataset({
    name,
    features: { dtype: 'int32', shape: [rows, 2 * width], values: features },
    target: { dtype: 'int32', shape: [rows, width], values: targets },
    classes: target.words,
    vocabulary: source.words,
    order: { kind: 'bucketed', block: 6400 },
    normalize: { scale: 1, shift: 0 },
  })
}

function idsOf(words: readonly string[], vocabulary: Vocabulary, length: number): number[] {
  return words.slice(0, length).map((word) => vocabulary.idOf(word))
}
