import type { Tensor } from '../trace.ts'
import { gelu, relu } from './activations.ts'
import { add } from './arithmetic.ts'
import { multiHeadAttention } from './attention.ts'
import type { AttentionMasks } from './attention.ts'
import { dense } from './dense.ts'
import { dropout as dropoutLayer } from './dropout.ts'
import { layerNorm } from './layer-norm.ts'
import { type KnownOptions, kinds, oneOf } from '../../option-checks.ts'
import { nameLayer, requirePositive, weightedOptions } from './options.ts'
import type { WeightedLayerOptions } from './options.ts'

/** Options of {@link transformerBlock}. */
export interface TransformerBlockOptions extends WeightedLayerOptions, AttentionMasks {
  /** Heads of the attentions; they divide the width. */
  readonly heads: number
  /** Hidden units of the feed-forward part (default 4 × the width). */
  readonly feedForward?: number
  /**
   * Where the norms are: `'pre'`, x + f(norm x), trains without a warm-up; `'post'`, norm(x + f(x)), is the original (default `'pre'`).
   * @see Xiong et al., On layer normalization in the transformer architecture, ICML 2020
   */
  readonly norm?: 'pre' | 'post'
  /** Between the two layers of the feed-forward part (default `'gelu'`). */
  readonly activation?: 'gelu' | 'relu'
  /** What a decoder looks at, `[batch, keys, width]`: adds a second attention (default none). */
  readonly context?: Tensor
  /** `keyMask` of the attention to `context`. */
  readonly contextMask?: Tensor
  /** Dropout of each part before it is added (default 0, none). */
  readonly dropout?: number
}

const blockOptions = {
  ...weightedOptions,
  heads: true,
  feedForward: kinds.count,
  norm: oneOf('pre', 'post'),
  activation: oneOf('gelu', 'relu'),
  context: kinds.object,
  causal: kinds.flag,
  keyMask: kinds.object,
  contextMask: kinds.object,
  dropout: kinds.notNegative,
} as const satisfies KnownOptions

/**
 * One block of a transformer: self-attention, attention to a context where there is one, two dense layers; each added to its input and
 * normalised.
 * @param x - `[batch, steps, width]`
 * @returns The same shape. Layers: `<name>.attention`, `.cross`, `.ffn1`, `.ffn2`, and a norm for each part, `.norm1`, …
 * @see Vaswani et al., Attention is all you need, NeurIPS 2017
 */
export function transformerBlock(x: Tensor, options: TransformerBlockOptions): Tensor {
  const layer = nameLayer(x, 'block', options, blockOptions)
  const { heads, norm = 'pre', activation = 'gelu', context, contextMask, dropout = 0, causal = false, keyMask, ...others } = options
  requirePositive(layer, 'heads', heads)
  const width = x.shape[2] as number
  const { feedForward = 4 * width, name: _, ...init } = others
  let parts = 0
  const residual = (h: Tensor, part: (input: Tensor) => Tensor): Tensor => {
    const number = ++parts
    const normalise = (value: Tensor): Tensor => layerNorm(value, { name: `${layer}.norm${number}` })
    const made = part(norm === 'pre' ? normalise(h) : h)
    const kept = dropout === 0 ? made : dropoutLayer(made, dropout, { name: `${layer}.dropout${number}` })
    const sum = add(h, kept, { name: `${layer}.add${number}` })
    return norm === 'pre' ? sum : normalise(sum)
  }
  const act = activation === 'gelu' ? gelu : relu
  let h = residual(x, (input) =>
    multiHeadAttention(input, heads, { ...init, name: `${layer}.attention`, causal, ...(keyMask === undefined ? {} : { keyMask }) }),
  )
  if (context !== undefined) {
    const mask = contextMask === undefined ? {} : { keyMask: contextMask }
    h = residual(h, (input) => multiHeadAttention(input, heads, { ...init, name: `${layer}.cross`, context, ...mask }))
  }
  return residual(h, (input) => {
    const inner = act(dense(input, feedForward, { ...init, name: `${layer}.ffn1` }), { name: `${layer}.${activation}` })
    return dense(inner, width, { ...init, name: `${layer}.ffn2` })
  })
}
