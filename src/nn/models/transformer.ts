import { dense, embedding, isPadding, layerNorm, positions, rows, slice, transformerBlock } from '../layers/index.ts'
import { model } from '../model.ts'
import type { Model } from '../model.ts'
import { init } from '../parameter.ts'
import type { Tensor } from '../trace.ts'
import type { TransformerBlockOptions } from '../layers/index.ts'
import type { Seq2seqOptions } from './seq2seq.ts'
import type { TokenInputs } from './token-inputs.ts'

/** Size of the blocks of a transformer. */
export interface TransformerSize {
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

/** Options of {@link transformerLm}. */
export interface TransformerOptions extends TransformerSize {
  /** Numbers that tokens can be. */
  readonly vocabulary: number
  /** Length of every text (default 64). */
  readonly steps?: number
}

/** Options of {@link transformerEncoder}. */
export interface TransformerEncoderOptions extends TransformerOptions {
  readonly classes: number
}

/** Options of {@link transformerSeq2seq}; `layers` are those of the encoder, and of the decoder. */
export type TransformerSeq2seqOptions = TransformerSize & Omit<Seq2seqOptions, 'width' | 'layers'>

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

/**
 * Translation by an encoder, whose positions see each other, and a decoder, whose positions see what is before them and all of the source. A
 * sample is that of `seq2seq`, and so are the scores, `[batch*targetSteps, targetVocabulary]`. Positions are learned and tables are not tied.
 * @see Vaswani et al., Attention is all you need, NeurIPS 2017
 */
export function transformerSeq2seq(options: TransformerSeq2seqOptions): Model<TokenInputs> {
  const { sourceVocabulary, targetVocabulary, sourceSteps, targetSteps, ...size } = options
  return model('transformer-seq2seq', { tokens: { shape: [sourceSteps + targetSteps], dtype: 'int32' } }, ({ tokens }) => {
    const source = slice(tokens, 1, 0, sourceSteps, { name: 'source' })
    const target = slice(tokens, 1, sourceSteps, sourceSteps + targetSteps, { name: 'target-in' })
    const contextMask = isPadding(source)
    const read = embedded(source, { ...size, vocabulary: sourceVocabulary }, 'encoder.')
    const context = body(read, size, { keyMask: contextMask }, 'encoder.')
    const written = embedded(target, { ...size, vocabulary: targetVocabulary }, 'decoder.')
    const h = body(written, size, { causal: true, context, contextMask }, 'decoder.')
    return dense(rows(h), targetVocabulary, { name: 'out', ...start })
  })
}

const start = { init: init.normal(0.02) }

function embedded(tokens: Tensor, { vocabulary, width = 128 }: TransformerOptions, prefix = ''): Tensor {
  const words = embedding(tokens, vocabulary, width, { name: `${prefix}tokens`, ...start })
  return positions(words, { name: `${prefix}positions`, ...start })
}

function body(
  x: Tensor,
  { layers = 4, heads = 4, norm = 'pre', dropout = 0, feedForward }: TransformerSize,
  seen: Pick<TransformerBlockOptions, 'causal' | 'keyMask' | 'context' | 'contextMask'>,
  prefix = '',
): Tensor {
  const size = feedForward === undefined ? {} : { feedForward }
  let h = x
  for (let k = 0; k < layers; k++) h = transformerBlock(h, { heads, norm, dropout, name: `${prefix}block${k}`, ...size, ...seen, ...start })
  return norm === 'pre' ? layerNorm(h, { name: `${prefix}norm` }) : h
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
