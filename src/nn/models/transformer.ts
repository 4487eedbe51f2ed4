import { dense, embedding, isPadding, layerNorm, positions, rows, transformerBlock } from '../layers/index.ts'
import { model } from '../model.ts'
import type { Model } from '../model.ts'
import { init } from '../parameter.ts'
import type { Tensor } from '../trace.ts'
import type { TokenInputs } from './token-inputs.ts'

/** Size of a transformer. */
export interface TransformerOptions {
  /** Numbers that tokens can be. */
  readonly vocabulary: number
  /** Length of every text (default 64). */
  readonly steps?: number
  /** Width of the residual stream (default 128). */
  readonly width?: number
  /** Blocks (default 4). */
  readonly layers?: number
  /** Attention heads; divides the width (default 4). */
  readonly heads?: number
  /** Hidden units of the feed-forward parts (default 4 × width). */
  readonly feedForward?: number
  /** See `transformerBlock` (default `'pre'`, with a last norm). */
  readonly norm?: 'pre' | 'post'
  /** Default 0, none. */
  readonly dropout?: number
}

/** Options of {@link transformerEncoder}. */
export interface TransformerEncoderOptions extends TransformerOptions {
  readonly classes: number
}

/**
 * Language model: a transformer whose positions see what is before them. Scores of the next token at every position,
 * `[batch*steps, vocabulary]`. Weights and tables start in N(0, 0.02²).
 * @see Vaswani et al., Attention is all you need, NeurIPS 2017
 * @see Radford et al., Improving language understanding by generative pre-training, 2018 (the decoder alone)
 */
export function transformerLm(options: TransformerOptions): Model<TokenInputs> {
  const { vocabulary, steps = 64 } = options
  return model('transformer-lm', { tokens: { shape: [steps], dtype: 'int32' } }, ({ tokens }) => {
    const h = body(embedded(tokens, options), options, { causal: true })
    return dense(rows(h), vocabulary, { name: 'out', ...start })
  })
}

/**
 * Classifier of texts: a transformer whose positions see each other, but for padding (token 0), and the mean over the others. Scores
 * `[batch, classes]`.
 * @see Vaswani et al., Attention is all you need, NeurIPS 2017 (the encoder)
 */
export function transformerEncoder(options: TransformerEncoderOptions): Model<TokenInputs> {
  const { steps = 64, classes } = options
  return model('transformer-encoder', { tokens: { shape: [steps], dtype: 'int32' } }, ({ tokens }) => {
    const padding = isPadding(tokens)
    const h = body(embedded(tokens, options), options, { keyMask: padding })
    return dense(meanOfText(h, padding), classes, { name: 'out', ...start })
  })
}

const start = { init: init.normal(0.02) }

function embedded(tokens: Tensor, { vocabulary, width = 128 }: TransformerOptions): Tensor {
  return positions(embedding(tokens, vocabulary, width, { name: 'tokens', ...start }), { name: 'positions', ...start })
}

function body(
  x: Tensor,
  { layers = 4, heads = 4, norm = 'pre', dropout = 0, feedForward }: TransformerOptions,
  masks: { readonly causal?: boolean; readonly keyMask?: Tensor },
): Tensor {
  const size = feedForward === undefined ? {} : { feedForward }
  let h = x
  for (let k = 0; k < layers; k++) h = transformerBlock(h, { heads, norm, dropout, name: `block${k}`, ...size, ...masks, ...start })
  return norm === 'pre' ? layerNorm(h, { name: 'norm' }) : h
}

/** Mean over the positions that are no padding: a softmax over 0 and −10⁹ is the uniform distribution over the former. */
function meanOfText(h: Tensor, padding: Tensor): Tensor {
  const { builder } = h
  const [batch, steps, width] = h.shape as ['batch', number, number]
  const shares = builder.add('softmax', [builder.add('scale', [padding], { factor: -1e9 }, 'mean')], {}, 'mean')
  const rowOfShares = builder.add('reshape', [shares], { shape: [batch, 1, steps] }, 'mean')
  const mean = builder.add('batchMatmul', [rowOfShares, h], { transposeA: false, transposeB: false, factor: 1 }, 'mean')
  return builder.add('reshape', [mean], { shape: [batch, width] }, 'mean')
}
