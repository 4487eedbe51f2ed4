import { carry, carryOut, dense, dropout as dropoutLayer, embedding, gru, rows } from '../layers/index.ts'
import { model } from '../model.ts'
import type { Model } from '../model.ts'
import { init } from '../parameter.ts'
import type { RecurrentLmOptions } from './lstm-lm.ts'
import type { TokenInputs } from './token-inputs.ts'

/**
 * Language model of words on gated recurrent units: `lstmLm` with a cell of three quarters of the weights. 4,495,600 parameters by default.
 * @see Cho et al., Learning phrase representations using RNN encoder-decoder for statistical machine translation, EMNLP 2014 (the unit)
 * @see Mikolov et al., Recurrent neural network based language model, Interspeech 2010 (the task)
 */
export function gruLm(options: RecurrentLmOptions = {}): Model<TokenInputs> {
  const { vocabulary = 10_000, width = 200, layers = 2, steps = 35, dropout = 0 } = options
  const start = { init: init.uniform(0.1) }
  const masked = (x: Parameters<typeof dropoutLayer>[0], name: string) => (dropout === 0 ? x : dropoutLayer(x, dropout, { name }))
  return model('gru-lm', { tokens: { shape: [steps], dtype: 'int32' } }, ({ tokens }) => {
    const words = masked(embedding(tokens, vocabulary, width, { name: 'words', ...start }), 'words.dropout')
    const before = carry(tokens, 'state', [layers, width])
    const { sequence, state } = gru(words, width, { name: 'gru', layers, state: before, dropout, ...start })
    carryOut('state', state)
    return dense(rows(masked(sequence, 'gru.dropout')), vocabulary, { name: 'out', ...start, biasInit: start.init })
  })
}
