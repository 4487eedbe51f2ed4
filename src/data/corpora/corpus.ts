import { ConfigError } from '../../errors.ts'
import type { Dataset } from '../dataset.ts'
import { faultText } from '../fault-text.ts'
import type { ReadContext } from '../read-context.ts'

/** Options of data sets that are made out of several files; each takes some of them. Plain data. */
export interface CorpusOptions {
  /** `ptb`: only the first so many tokens of the training text. */
  readonly tokens?: number
  /** `ptb`, `tinyshakespeare`: tokens of a row (default 35, 64). */
  readonly window?: number
  /** `ptb`: streams that the text is cut into, the batch size (default 20). `tinyshakespeare`: windows that are drawn at a time (default 32). */
  readonly streams?: number
  /** `imdb`, `r8`: words that have an id of their own (default 10,000). */
  readonly vocabulary?: number
  /** `imdb`, `r8`: tokens of a row (default 128). `multi30k`: most words of a sentence (default 40). */
  readonly length?: number
  /** `tinyshakespeare`: seed of the windows (default 1). */
  readonly seed?: number
  /** `tinyshakespeare`: how many windows to draw. Elsewhere rows are cut off afterwards. */
  readonly rows?: number
}

/** Both parts of a data set. */
export interface CorpusParts {
  readonly train: Dataset
  readonly test: Dataset
}

/** A data set that is made out of several files, or by more than a file format says. */
export interface Corpus {
  /** Names of the options that it takes. */
  readonly options: readonly (keyof CorpusOptions)[]
  /**
   * @param name - Name of the data set
   * @param paths - The entry's files, in its order
   */
  read(name: string, paths: readonly string[], options: CorpusOptions, context: ReadContext): Promise<CorpusParts>
}

/** An option that has to be a whole number. @throws {ConfigError} otherwise */
export function wholeOption(name: string, option: keyof CorpusOptions, value: number, least: number): number {
  if (Number.isInteger(value) && value >= least) return value
  throw new ConfigError(faultText(`${name}: ${option} cannot be ${value}`, `a whole number from ${least} on`, value, `leave ${option} out`))
}
