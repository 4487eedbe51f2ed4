import { attend, concat, dense, embedding, gru, isPadding, rows, slice, tanh } from '../layers/index.ts'
import { model } from '../model.ts'
import type { Model } from '../model.ts'
import { init } from '../parameter.ts'
import type { TokenInputs } from './token-inputs.ts'

/** Options of {@link seq2seq}. */
export interface Seq2seqOptions {
  /** Words of the source language, 0 (padding) among them. */
  readonly sourceVocabulary: number
  /** Words of the target language. */
  readonly targetVocabulary: number
  /** Length of all sources; shorter ones end in zeros. */
  readonly sourceSteps: number
  /** Length of all targets. */
  readonly targetSteps: number
  /** Width of embeddings and recurrent layers (default 128). */
  readonly width?: number
  /** Layers of the encoder, and of the decoder (default 2). */
  readonly layers?: number
}

/**
 * Translation by an encoder and a decoder of gated recurrent units with global dot-product attention. A sample is the source and the target
 * before each word (which starts with a start sign), one after the other: `tokens` `[sourceSteps + targetSteps]`, 0 is padding. Scores of the target word
 * at every position, `[batch*targetSteps, targetVocabulary]`; a target of −1 where the sentence has ended is ignored. Words start in N(0, 1), the rest in
 * U(±1/√inputs).
 * @see Sutskever, Vinyals, Le, Sequence to sequence learning with neural networks, NeurIPS 2014
 * @see Luong, Pham, Manning, Effective approaches to attention-based neural machine translation, EMNLP 2015
 */
export function seq2seq(options: Seq2seqOptions): Model<TokenInputs> {
  const { sourceVocabulary, targetVocabulary, sourceSteps, targetSteps, width = 128, layers = 2 } = options
  const fan = (inputs: number) => ({ init: init.uniform(1 / Math.sqrt(inputs)), biasInit: init.uniform(1 / Math.sqrt(inputs)) })
  return model('seq2seq', { tokens: { shape: [sourceSteps + targetSteps], dtype: 'int32' } }, ({ tokens }) => {
    const source = slice(tokens, 1, 0, sourceSteps, { name: 'source' })
    const target = slice(tokens, 1, sourceSteps, sourceSteps + targetSteps, { name: 'target-in' })
    const encoder = gru(embedding(source, sourceVocabulary, width, { name: 'source-words' }), width, { name: 'encoder', layers })
    const decoder = gru(embedding(target, targetVocabulary, width, { name: 'target-words' }), width, {
      name: 'decoder',
      layers,
      state: encoder.state,
    })
    const keyMask = isPadding(source)
    const context = attend(decoder.sequence, encoder.sequence, encoder.sequence, { name: 'attention', scale: 1, keyMask })
    const both = concat([context, decoder.sequence], 2)
    const mixed = tanh(dense(both, width, { name: 'combine', ...fan(2 * width) }))
    return dense(rows(mixed), targetVocabulary, { name: 'out', ...fan(width) })
  })
}
