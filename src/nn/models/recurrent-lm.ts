import { carry, carryOut, dense, dropout as dropoutLayer, embedding, gru, lstm, rows } from '../layers/index.ts'
import { model } from '../model.ts'
import type { Model } from '../model.ts'
import { init } from '../parameter.ts'
import type { TokenInputs } from './token-inputs.ts'

/** Options of {@link lstmLm} and {@link gruLm}. */
export interface RecurrentLmOptions {
  /** Number of words (default 10,000, Penn Treebank). */
  readonly vocabulary?: number
  /** Width of the embedding and of the recurrent layers (default 200). */
  readonly width?: number
  /** Default 2. */
  readonly layers?: number
  /** Words that one batch advances in the text (default 35). */
  readonly steps?: number
  /** On the embedding, between the layers and before the output (default 0, none). */
  readonly dropout?: number
}

/**
 * Language model of words on long short-term memory; the state is carried from batch to batch, so each row of the batches must go through
 * a text in order. Scores of the next word at every position, `[batch*steps, vocabulary]`. The defaults are the paper's small model,
 * 4,651,600 parameters; all start in U(±0.1).
 * @see Zaremba, Sutskever, Vinyals, Recurrent neural network regularization, arXiv 1409.2329, 2014
 */
export function lstmLm(options: RecurrentLmOptions = {}): Model<TokenInputs> {
  return recurrentLm('lstm', lstm, [2], options)
}

/**
 * {@link lstmLm} on gated recurrent units, cells of three quarters of the weights. 4,495,600 parameters by default.
 * @see Cho et al., Learning phrase representations using RNN encoder-decoder for statistical machine translation, EMNLP 2014 (the unit)
 * @see Mikolov et al., Recurrent neural network based language model, Interspeech 2010 (the task)
 */
export function gruLm(options: RecurrentLmOptions = {}): Model<TokenInputs> {
  return recurrentLm('gru', gru, [], options)
}

/** @param values - Extent of what a cell carries beside its width: h and c, or h alone */
function recurrentLm(name: 'lstm' | 'gru', cell: typeof lstm, values: readonly number[], options: RecurrentLmOptions): Model<TokenInputs> {
  const { vocabulary = 10_000, width = 200, layers = 2, steps = 35, dropout = 0 } = options
  const start = { init: init.uniform(0.1) }
  const masked = (x: Parameters<typeof dropoutLayer>[0], layer: string) => (dropout === 0 ? x : dropoutLayer(x, dropout, { name: layer }))
  return model(`${name}-lm`, { tokens: { shape: [steps], dtype: 'int32' } }, ({ tokens }) => {
    const words = masked(embedding(tokens, vocabulary, width, { name: 'words', ...start }), 'words.dropout')
    const before = carry(tokens, 'state', [layers, ...values, width])
    const { sequence, state } = cell(words, width, { name, layers, state: before, dropout, ...start })
    carryOut('state', state)
    return dense(rows(masked(sequence, `${name}.dropout`)), vocabulary, { name: 'out', ...start, biasInit: start.init })
  })
}
