import { ConfigError } from '../../errors.ts'
import type { Dataset } from '../dataset.ts'
import { faultText } from '../fault-text.ts'
import { makeDataset } from '../make-dataset.ts'
import type { ReadContext } from '../read-context.ts'
import { type Corpus, type CorpusOptions, wholeOption } from './corpus.ts'
import { readLines } from './read-content.ts'

/**
 * Running text as rows that continue each other: the text is cut into B streams of n tokens, and those into windows of W tokens; row b·B + q is
 * window b of stream q, its target the same window one token on. A whole batch of B rows moves on all streams, so state can be carried.
 *
 *     text      │ a b c d e f g h │ i j k l m n o p │        B = 2 streams, W = 3
 *     batch 0   │ a b c │                │ i j k │           targets b c d, j k l
 *     batch 1         │ d e f │                │ l m n │
 *
 * Tokens are separated by blanks, with `<eos>` at every end of line; ids in the order of their first appearance in the training text. The
 * evaluation part is the validation text; its last windows are filled up, with target −1.
 * @see T. Mikolov, M. Karafiát, L. Burget, J. Černocký, S. Khudanpur, Recurrent neural network based language model, Interspeech 2010
 */
export const ptb: Corpus = {
  options: ['tokens', 'window', 'streams'],
  async read(name, [trainPath, validationPath], options, context) {
    const training = await readTokens(trainPath!, context)
    const ids = new Map<string, number>()
    for (const token of training) if (!ids.has(token)) ids.set(token, ids.size)
    const unknown = ids.get('<unk>') ?? 0
    const { tokens = training.length } = options
    const text = Int32Array.from(training.slice(0, wholeOption(name, 'tokens', tokens, 1)), (token) => ids.get(token)!)
    const validation = Int32Array.from(await readTokens(validationPath!, context), (token) => ids.get(token) ?? unknown)
    const words = [...ids.keys()]
    return {
      train: windowed(name, text, words, options, false),
      test: windowed(`${name} test`, validation, words, options, true),
    }
  },
}

async function readTokens(path: string, context: ReadContext): Promise<string[]> {
  const tokens: string[] = []
  for (const line of await readLines(path, context)) {
    for (const token of line.split(' ')) if (token !== '') tokens.push(token)
    tokens.push('<eos>')
  }
  return tokens
}

function windowed(name: string, text: Int32Array, words: readonly string[], options: CorpusOptions, keepsLast: boolean): Dataset {
  const streams = wholeOption(name, 'streams', options.streams ?? 20, 1)
  const width = wholeOption(name, 'window', options.window ?? 35, 1)
  const length = Math.floor(text.length / streams)
  // A window needs one token more, its last target.
  const windows = Math.max(keepsLast ? Math.ceil((length - 1) / width) : Math.ceil((length - width) / width), 0)
  if (windows === 0) {
    const expected = `at least ${streams * (width + 1)} tokens for ${streams} streams of windows of ${width}`
    throw new ConfigError(faultText(`${name}: there is no window`, expected, text.length, 'ask for more tokens or fewer streams'))
  }
  const features = new Int32Array(windows * streams * width)
  const targets = new Int32Array(windows * streams * width).fill(-1)
  for (let window = 0; window < windows; window++) {
    const count = Math.min(width, length - 1 - window * width)
    for (let stream = 0; stream < streams; stream++) {
      const from = stream * length + window * width
      const to = (window * streams + stream) * width
      features.set(text.subarray(from, from + count), to)
      targets.set(text.subarray(from + 1, from + 1 + count), to)
    }
  }
  const shape = [windows * streams, width]
  return makeDataset({
    name,
    features: { dtype: 'int32', shape, values: features },
    target: { dtype: 'int32', shape, values: targets },
    classes: words,
    vocabulary: words,
    order: { kind: 'sequential', streams },
    normalize: { scale: 1, shift: 0 },
  })
}
