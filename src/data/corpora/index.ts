import { cora } from './cora.ts'
import type { Corpus } from './corpus.ts'
import { imdb, r8 } from './labelled-text.ts'
import { movielens } from './movielens.ts'
import { multi30k } from './multi30k.ts'
import { ptb } from './ptb.ts'
import { tinyShakespeare } from './tiny-shakespeare.ts'

/** Data sets that are made out of several files, or by more than a file format says. */
export const corpora = { ptb, tinyshakespeare: tinyShakespeare, multi30k, imdb, r8, movielens, cora } as const satisfies Readonly<
  Record<string, Corpus>
>

/** Id of a {@link corpora}. */
export type CorpusId = keyof typeof corpora
