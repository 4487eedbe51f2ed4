import type { Dataset } from '../dataset.ts'
import { excerpt, fileFault } from '../files/file-fault.ts'
import { makeDataset } from '../make-dataset.ts'
import type { ReadContext } from '../read-context.ts'
import { type Corpus, wholeOption } from './corpus.ts'
import { readLines } from './read-content.ts'
import { beginId, countVocabulary, tokenise, type Vocabulary } from './vocabulary.ts'

interface LabelledText {
  readonly label: string
  readonly text: string
}

/** Returns undefined for a line that is none. */
type LineReader = (line: string) => LabelledText | undefined

/**
 * Film reviews, negative and positive in turn; a row is begin and the first words of a review.
 * @see A. Maas et al., Learning word vectors for sentiment analysis, ACL 2011
 */
export const imdb: Corpus = labelledText(readReview, ['0', '1'], ['negative', 'positive'], true)

const newsClasses = ['acq', 'crude', 'earn', 'grain', 'interest', 'money-fx', 'ship', 'trade'] as const

/**
 * News stories with one of eight topics; a row is begin and the first words of a story.
 * @see A. Cardoso-Cachopo, Improving methods for single-label text categorization, 2007
 */
export const r8: Corpus = labelledText(readStory, newsClasses, newsClasses, false)

/**
 * Texts of one class each, as ids of the words that are most frequent in the training part.
 * @param labels - As the files have them, in the order of their numbers
 * @param classes - Their names
 * @param alternates - Whether the files hold one class after the other: rows then take them in turn
 */
function labelledText(readLine: LineReader, labels: readonly string[], classes: readonly string[], alternates: boolean): Corpus {
  return {
    options: ['vocabulary', 'length'],
    async read(name, [trainPath, testPath], options, context) {
      const length = wholeOption(name, 'length', options.length ?? 128, 2)
      const most = wholeOption(name, 'vocabulary', options.vocabulary ?? 10_000, 5)
      const parts = []
      for (const path of [trainPath!, testPath!]) {
        const texts = await readTexts(path, readLine, labels, context)
        parts.push(alternates ? inTurn(texts, labels.length) : texts)
      }
      const [train, test] = parts as [Tokenised[], Tokenised[]]
      const vocabulary = countVocabulary(
        train.map(({ words }) => words),
        { most },
      )
      return { train: rowsOf(name, train, classes, vocabulary, length), test: rowsOf(`${name} test`, test, classes, vocabulary, length) }
    },
  }
}

interface Tokenised {
  readonly label: number
  readonly words: readonly string[]
}

async function readTexts(path: string, readLine: LineReader, labels: readonly string[], context: ReadContext): Promise<Tokenised[]> {
  const lines = await readLines(path, context)
  return lines.map((line, i) => {
    const found = readLine(line)
    const label = found === undefined ? -1 : labels.indexOf(found.label)
    if (found !== undefined && label >= 0) return { label, words: tokenise(found.text) }
    throw fileFault({
      area: 'text',
      path,
      line: i + 1,
      what: 'the line cannot be read',
      expected: `a text with a label of ${labels.join(', ')}`,
      got: excerpt(line),
      mend: 'fetch the file again',
    })
  })
}

function readReview(line: string): LabelledText | undefined {
  try {
    const { label, text } = JSON.parse(line) as { label?: unknown; text?: unknown }
    return typeof text === 'string' ? { label: String(label), text: text.replaceAll('<br />', ' ') } : undefined
  } catch {
    return undefined
  }
}

function readStory(line: string): LabelledText | undefined {
  const tab = line.indexOf('\t')
  return tab < 0 ? undefined : { label: line.slice(0, tab), text: line.slice(tab + 1) }
}

function inTurn(texts: readonly Tokenised[], numLabels: number): Tokenised[] {
  const byLabel = Array.from({ length: numLabels }, (_, label) => texts.filter((text) => text.label === label))
  const most = Math.max(...byLabel.map((own) => own.length))
  return Array.from({ length: most }, (_, i) => byLabel.flatMap((own) => own.slice(i, i + 1))).flat()
}

function rowsOf(name: string, texts: readonly Tokenised[], classes: readonly string[], vocabulary: Vocabulary, length: number): Dataset {
  const features = new Int32Array(texts.length * length)
  for (const [row, { words }] of texts.entries()) {
    features[row * length] = beginId
    for (const [i, word] of words.slice(0, length - 1).entries()) features[row * length + 1 + i] = vocabulary.idOf(word)
  }
  return makeDataset({
    name,
    features: { dtype: 'int32', shape: [texts.length, length], values: features },
    target: { dtype: 'int32', shape: [texts.length], values: Int32Array.from(texts, ({ label }) => label) },
    classes,
    vocabulary: vocabulary.words,
    normalize: { scale: 1, shift: 0 },
  })
}
