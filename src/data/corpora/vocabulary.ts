/** Ids below those of words: filling, begin, end, and words that are in no vocabulary. */
export const specialTokens = ['<pad>', '<begin>', '<end>', '<unknown>'] as const

/** Id of {@link specialTokens}. */
export const [padId, beginId, endId, unknownId] = [0, 1, 2, 3] as const

/** Words and their ids. */
export interface Vocabulary {
  /** Id → word, {@link specialTokens} first. */
  readonly words: readonly string[]
  /** Id of a word, {@link unknownId} where it has none. */
  idOf(word: string): number
}

/** How {@link countVocabulary} chooses. */
export interface VocabularyOptions {
  /** Words that come less often have no id (default 1). */
  readonly leastCount?: number
  /** Ids at most, special tokens included (default: no bound). */
  readonly most?: number
}

/** The words of tokenised texts by falling frequency, ties by code units. */
export function countVocabulary(texts: readonly (readonly string[])[], options: VocabularyOptions = {}): Vocabulary {
  const { leastCount = 1, most = Number.POSITIVE_INFINITY } = options
  const counts = new Map<string, number>()
  for (const text of texts) for (const word of text) counts.set(word, (counts.get(word) ?? 0) + 1)
  const chosen = [...counts].filter(([, count]) => count >= leastCount).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  const words = [...specialTokens, ...chosen.map(([word]) => word)].slice(0, most)
  const ids = new Map(words.map((word, id) => [word, id]))
  return { words, idOf: (word) => ids.get(word) ?? unknownId }
}

const tokenPattern = /[\p{L}\p{N}_]+|[^\p{L}\p{N}_\s]/gu

/** Lower-cased words (letters, digits, underscores), and every other sign by itself. */
export function tokenise(text: string): string[] {
  return text.toLowerCase().match(tokenPattern) ?? []
}
