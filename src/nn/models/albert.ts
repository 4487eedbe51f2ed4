import { add, dense, embedding, isPadding, layerNorm, positions, share, slice, tanh, transformerBlock } from '../layers/index.ts'
import { model } from '../model.ts'
import type { Model } from '../model.ts'
import { init } from '../parameter.ts'
import type { Tensor } from '../trace.ts'
import type { TokenInputs } from './token-inputs.ts'

/** Options of {@link albert}. */
export interface AlbertOptions {
  /** Numbers that tokens can be, 0 (padding) among them (default 30,000). */
  readonly vocabulary?: number
  /** Length of every text (default 512). */
  readonly steps?: number
  /** Width of the token table (default 128). */
  readonly embedding?: number
  /** Width of the blocks (default 768). */
  readonly width?: number
  /** Uses of the one block (default 12). */
  readonly layers?: number
  /** Default 12. */
  readonly heads?: number
  /** Default 4 × width. */
  readonly feedForward?: number
  /** Kinds of segments, such as question and answer; 0: texts are of one piece (default 2). */
  readonly segments?: number
  readonly classes: number
}

/**
 * Classifier of texts whose blocks are all the same one and whose token table is narrower than the blocks: many layers of few parameters. The
 * defaults are ALBERT base, 11,683,584 parameters and the classifier's. With segments, a sample is the tokens and then the segment number of
 * each: `tokens` `[2·steps]`. Scores `[batch, classes]`, from the first position. Weights start in N(0, 0.02²); GELU is the exact one.
 * @see Lan et al., ALBERT: a lite BERT for self-supervised learning of language representations, ICLR 2020
 */
export function albert(options: AlbertOptions): Model<TokenInputs> {
  const { vocabulary = 30_000, steps = 512, embedding: narrow = 128, width = 768, layers = 12, heads = 12, segments = 2, classes } = options
  const { feedForward = 4 * width } = options
  const start = { init: init.normal(0.02) }
  return model('albert', { tokens: { shape: [segments === 0 ? steps : 2 * steps], dtype: 'int32' } }, ({ tokens: both }) => {
    const tokens = segments === 0 ? both : slice(both, 1, 0, steps, { name: 'tokens' })
    const words = positions(embedding(tokens, vocabulary, narrow, { name: 'words', ...start }), { name: 'positions', ...start })
    const kinds = (): Tensor => slice(both, 1, steps, 2 * steps, { name: 'segment-numbers' })
    const sum = segments === 0 ? words : add(words, embedding(kinds(), segments, narrow, { name: 'segments', ...start }))
    const normalised = layerNorm(sum, { name: 'words.norm', epsilon: 1e-12 })
    const keyMask = isPadding(tokens)
    const block = share((x: Tensor) => transformerBlock(x, { heads, feedForward, norm: 'post', keyMask, name: 'block', ...start }))
    let h = dense(normalised, width, { name: 'widen', ...start })
    for (let k = 0; k < layers; k++) h = block(h)
    const first = slice(h, 1, 0, 1, { name: 'first' })
    const flat = first.builder.add('reshape', [first], { shape: ['batch', width] }, 'first')
    return dense(tanh(dense(flat, width, { name: 'pooler', ...start })), classes, { name: 'out', ...start })
  })
}
